#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "plugin/kinds.h"

/*
 * Masquerading through nft: a table of our own, in which each pod's address stands
 * with the subnet that it is not translated for. A script is one transaction, all
 * of it or nothing; and each can be repeated, since in nft adding what is there is
 * no error, and what is added first can be deleted.
 */
#define TABLE "inet ipvlan_cni"
#define PATIENCE_S 20

#define FAMILY(type, family, number) \
	"add set " TABLE " pods" number " { type " type "; }\n" \
	"add set " TABLE " subnets" number " { type " type " . " type "; flags interval; }\n" \
	"add rule " TABLE " postrouting " family " saddr @pods" number " " family " saddr . " family \
	" daddr != @subnets" number " masquerade\n"

static const char foundation[] =
	"add table " TABLE "\n"
	"add chain " TABLE " postrouting { type nat hook postrouting priority 100; }\n"
	"flush chain " TABLE " postrouting\n" FAMILY("ipv4_addr", "ip", "4") FAMILY("ipv6_addr", "ip6", "6");

const char *nft_program(void)
{
	static const char *const places[] = { "/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft",
					      "/usr/bin/nft" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

int nft_require(const char **ret, struct cni_error *err)
{
	*ret = nft_program();
	if (*ret)
		return 0;
	cni_fail(err, CNI_CONFIG, "ipMasq needs nft, which is not there");
	return cni_hint(err, "install nftables");
}

/* Returns nft's exit status, or -1. */
static int nft(const char *script, struct outcome *o, struct cni_error *err)
{
	char *const env[] = { NULL };
	struct child child = {
		.what = "",
		.argv = { NULL, "-f", "-" },
		.env = env,
		.input = script,
		.input_len = strlen(script),
		.patience_s = PATIENCE_S,
	};

	if (nft_require(&child.argv[0], err) < 0 || child_run(&child, o, err) < 0)
		return -1;
	return o->status ? 1 : 0;
}

static int run(const char *script, struct cni_error *err)
{
	struct outcome o;
	int status = nft(script, &o, err);

	if (status <= 0)
		return status;
	cni_fail(err, CNI_INTERNAL, "nft failed for ipMasq");
	return cni_hint(err, "%.900s", o.stderr_end);
}

static int number(const struct object *object)
{
	return object->to.ip.family == AF_INET ? 4 : 6;
}

/* "add" or "delete" of what the object stands for. */
static void print_elements(FILE *script, const char *verb, const struct object *object)
{
	const struct prefix subnet = prefix_network(&object->to);
	const struct ip_str ip = ip_text(&object->to.ip);

	fprintf(script, "%s element " TABLE " pods%d { %s }\n", verb, number(object), ip.s);
	fprintf(script, "%s element " TABLE " subnets%d { %s . %s }\n", verb, number(object), ip.s,
		prefix_text(&subnet).s);
}

static int edit(const struct object *object, bool remove, struct cni_error *err)
{
	autofree char *script = NULL;
	size_t len;
	FILE *out = open_memstream(&script, &len);

	if (!out)
		return cni_fail(err, CNI_RETRY, "out of memory");
	fputs(foundation, out);
	print_elements(out, "add", object);
	if (remove)
		print_elements(out, "delete", object);
	if (fclose(out) != 0)
		return cni_fail(err, CNI_RETRY, "out of memory");
	return run(script, err);
}

static int make_masquerade(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	(void)host;
	return edit(object, false, err);
}

static enum found find_masquerade(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	char script[256];
	struct outcome o;
	int status;

	(void)host;
	snprintf(script, sizeof(script),
		 "get element " TABLE " pods%d { %s }\nlist chain " TABLE " postrouting\n", number(object),
		 ip_text(&object->to.ip).s);
	status = nft(script, &o, err);
	return status < 0 ? FOUND_FAILED : status ? FOUND_NOT : FOUND;
}

/* In a table that somebody else has changed it may fail, and nothing be there to remove. */
static int remove_masquerade(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	struct cni_error why = { 0 };

	if (edit(object, true, &why) == 0 || find_masquerade(host, object, NULL) == FOUND_NOT)
		return 0;
	cni_fail(err, (enum cni_code)why.code, "%s", why.msg);
	return cni_hint(err, "%s", why.details);
}

const struct kind kind_masquerade = {
	.name = "masquerade",
	.make = make_masquerade,
	.remove = remove_masquerade,
	.find = find_masquerade,
};

/* The table is made with its first element. */
static int make_table(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	(void)host;
	(void)object;
	(void)err;
	return 0;
}

static int remove_table(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	(void)host;
	(void)object;
	return run("add table " TABLE "\ndelete table " TABLE "\n", err);
}

static enum found find_table(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	(void)host;
	(void)object;
	(void)err;
	return FOUND; /* if not, its elements are missing as well */
}

const struct kind kind_table = {
	.name = "table",
	.make = make_table,
	.remove = remove_table,
	.find = find_table,
};
