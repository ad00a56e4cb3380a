/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "plugin/kinds.h"
#include "plugin/ledger.h"
#include "plugin/nft.h"

/*
 * Masquerading: a table with each pod's address, and with the subnet to which its packets are not
 * translated. A script can be repeated: nft accepts adding what exists; and a script that deletes
 * something adds it first.
 */
#define TABLE "inet ipvlan_cni"

#define FAMILY(type, family, number) \
	"add set " TABLE " pods" number " { type " type "; }\n" \
	"add set " TABLE " subnets" number " { type " type " . " type "; flags interval; }\n" \
	"add rule " TABLE " postrouting " family " saddr @pods" number " " family " saddr . " family \
	" daddr != @subnets" number " masquerade\n"

#define ADD_TABLE "add table " TABLE "\n"

#define ALL_OF_TABLE \
	"add chain " TABLE " postrouting { type nat hook postrouting priority 100; }\n" \
	"flush chain " TABLE " postrouting\n" FAMILY("ipv4_addr", "ip", "4") FAMILY("ipv6_addr", "ip6", "6")

static const char foundation[] = ALL_OF_TABLE;

static int masquerade_family(const struct object *object)
{
	return object->to.ip.family == AF_INET ? 4 : 6;
}

/* Prints "add" or "delete" for the elements of the object. */
static void masquerade_print_elements(FILE *script, const char *verb, const struct object *object)
{
	const struct prefix subnet = prefix_network(&object->to);
	const struct ip_str ip = ip_text(&object->to.ip);

	fprintf(script, "%s element " TABLE " pods%d { %s }\n", verb, masquerade_family(object), ip.s);
	fprintf(script, "%s element " TABLE " subnets%d { %s . %s }\n", verb, masquerade_family(object), ip.s,
		prefix_text(&subnet).s);
}

static int masquerade_print(struct nft_script *script, struct view *view, const struct object *object,
			    enum nft_step step, struct cni_error *err)
{
	FILE *const text = nft_text(script);

	(void)view;
	(void)err;
	if (step == NFT_DELETE)
		fputs(foundation, text);
	masquerade_print_elements(text, "add", object);
	if (step == NFT_DELETE)
		masquerade_print_elements(text, "delete", object);
	return 0;
}

static bool masquerade_has_chain(const char *chain, const void *arg)
{
	(void)arg;
	return !strcmp(chain, "postrouting");
}

static enum found masquerade_find(struct view *view, const struct object *object, struct cni_error *err)
{
	const struct ip_str ip = ip_text(&object->to.ip);
	const json_t *list;
	char pods[8], subnets[16];

	if (nft_list(view, TABLE, &list, err) < 0)
		return FOUND_FAILED;
	if (nft_rules(list, masquerade_has_chain, NULL) != nft_rules_of_script(foundation, "add rule "))
		return FOUND_NOT;
	snprintf(pods, sizeof(pods), "pods%d", masquerade_family(object));
	snprintf(subnets, sizeof(subnets), "subnets%d", masquerade_family(object));
	return nft_has_element(list, pods, ip.s) && nft_has_element(list, subnets, ip.s) ? FOUND : FOUND_NOT;
}

const struct kind kind_masquerade = {
	.name = "masquerade",
	.key = KEY_ADDRESS,
	.find = masquerade_find,
	.print = masquerade_print,
};

static void masquerade_print_held(const struct object *object, void *script)
{
	masquerade_print_elements(script, "add", object);
}

/* Only NFT_WHOLE prints "add table", so the script fails if somebody has deleted the table: then the
 * elements of other pods are missing too. */
static int table_print(struct nft_script *script, struct view *view, const struct object *object,
		       enum nft_step step, struct cni_error *err)
{
	FILE *const text = nft_text(script);

	(void)object;
	if (step == NFT_DELETE) {
		fputs(ADD_TABLE "delete table " TABLE "\n", text);
		return 0;
	}
	fprintf(text, "%s%s", step == NFT_WHOLE ? ADD_TABLE : "", foundation);
	return step == NFT_WHOLE
		       ? hold_each(view->ledger, OBJECT_MASQUERADE, masquerade_print_held, text, err)
		       : 0;
}

/* Always found: if the table or its rules are missing, its elements count as missing. */
static enum found table_find(struct view *view, const struct object *object, struct cni_error *err)
{
	(void)view;
	(void)object;
	(void)err;
	return FOUND;
}

/* Can nft make it? The kernel may lack what it requires, and somebody may have made other sets. */
static int table_check(struct view *view, const struct object *object, struct cni_error *err)
{
	static const char script[] = ADD_TABLE ALL_OF_TABLE;

	(void)view;
	(void)object;
	return nft_check(script, "ipMasq", err);
}

const struct kind kind_table = {
	.name = "table",
	.key = KEY_NAME,
	.find = table_find,
	.check = table_check,
	.print = table_print,
};
