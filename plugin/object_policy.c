/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/policy.h"

#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "plugin/fence.h"
#include "plugin/kinds.h"
#include "plugin/ledger.h"

/*
 * A policy has two chains in the table of the master's fence, out of the pods and into them. Two
 * maps lead the packets of a subject, a pod's address, to these chains. So a packet passes only the
 * rules of its network, and the number of rules does not grow with the number of pods.
 *
 * A page has the rules of the policies that it holds; a holder's link has only the policy's name.
 */

/* Prints the policy with the rules in the page of its first holder. */
struct policy_source {
	FILE *script;
	const struct object *policy;
	bool found;
};

static int policy_print_of_page(const struct page *page, void *arg)
{
	struct policy_source *source = arg;
	const struct object *policy = source->policy;

	for (size_t i = 0; i < page->n_objects && !source->found; i++) {
		const struct object *object = &page->objects[i];

		if (!object_same_place(object, policy) || !object->rules)
			continue;
		policy_print(source->script, fence_table(policy->dev).s, policy->name, object->rules);
		source->found = true;
	}
	return source->found;
}

struct policy_tour {
	struct nft_script *script;
	struct view *view;
	int dev;
};

static void policy_print_held(const struct object *object, void *arg)
{
	const struct policy_tour *tour = arg;
	struct policy_source source = { tour->script->out, object, false };

	if (object->dev != tour->dev)
		return;
	hold_each_page(tour->view->ledger, object, policy_print_of_page, &source);
	if (!source.found) /* no page can be read: the elements of pods still require the chains */
		policy_print(source.script, fence_table(object->dev).s, object->name, NULL);
}

static void subject_put(struct nft_script *script, bool add, const struct object *object)
{
	static const char *const ways[] = { "out", "in" };
	const char family = object->to.ip.family == AF_INET ? '4' : '6';
	const struct fence_table table = fence_table(object->dev);
	const struct nft_key ip = nft_key_ip(&object->to.ip);
	char set[16], chain[sizeof(object->name) + sizeof(POLICY_CHAIN) + sizeof("_out")];

	for (size_t i = 0; i < 2; i++) {
		snprintf(set, sizeof(set), "denied_%s%c", ways[i], family);
		nft_put_element(script, add, table.s, set, &ip, NULL, NULL);
		snprintf(set, sizeof(set), "policy_%s%c", ways[i], family);
		snprintf(chain, sizeof(chain), POLICY_CHAIN "%s_%s", object->name, ways[i]);
		nft_put_element(script, add, table.s, set, &ip, chain, NULL);
	}
}

static void subject_print_held(const struct object *object, void *arg)
{
	const struct policy_tour *tour = arg;

	if (object->dev == tour->dev)
		subject_put(tour->script, true, object);
}

/* Reads the subjects before the policies, which the script has first: another ADD, which may run
 * meanwhile, adds its policy to the ledger before the subject that requires it. */
int policy_print_whole(struct nft_script *script, struct view *view, int dev, struct cni_error *err)
{
	struct policy_tour tour = { script, view, dev };
	FILE *const out = script->out;
	autofree char *subjects = NULL;
	size_t len = 0;
	int rc;

	script->out = open_memstream(&subjects, &len);
	if (!script->out) {
		script->out = out;
		return cni_fail(err, CNI_RETRY, "out of memory");
	}
	rc = hold_each(view->ledger, OBJECT_SUBJECT, subject_print_held, &tour, err);
	if (fclose(script->out) != 0 && rc == 0)
		rc = cni_fail(err, CNI_RETRY, "out of memory");
	script->out = out;
	if (rc == 0)
		rc = hold_each(view->ledger, OBJECT_POLICY, policy_print_held, &tour, err);
	if (rc == 0)
		fputs(subjects, out);
	return rc;
}

static int policy_count_page(const struct page *page, void *arg)
{
	size_t *n = arg;

	(void)page;
	return ++*n > 1;
}

/* The first holder makes the chains. If another call removes them meanwhile, nft cannot add the
 * subject, and nft_make() makes the whole table. */
static int policy_print_object(struct nft_script *script, struct view *view, const struct object *object,
			       enum nft_step step, struct cni_error *err)
{
	size_t holders = 0;

	(void)err;
	if (step == NFT_DELETE)
		policy_unprint(nft_text(script), fence_table(object->dev).s, object->name);
	if (step != NFT_ADD)
		return 0;
	hold_each_page(view->ledger, object, policy_count_page, &holders);
	if (holders == 1)
		policy_print(nft_text(script), fence_table(object->dev).s, object->name, object->rules);
	return 0;
}

/* Is it one of the policy's chains? */
static bool policy_has_chain(const char *chain, const void *arg)
{
	const struct object *policy = arg;
	const size_t prefix = strlen(POLICY_CHAIN), len = strlen(policy->name);

	return policy_is_chain(chain) && !strncmp(chain + prefix, policy->name, len) &&
	       chain[prefix + len] == '_';
}

bool policy_is_chain(const char *chain)
{
	return !strncmp(chain, POLICY_CHAIN, strlen(POLICY_CHAIN));
}

/* How many rules the complete chains have; 0: not known. */
static size_t policy_size(const struct object *policy)
{
	autofree char *text = NULL;
	size_t len = 0;
	FILE *script = policy->rules ? open_memstream(&text, &len) : NULL;

	if (!script)
		return 0;
	policy_print(script, fence_table(policy->dev).s, policy->name, policy->rules);
	fclose(script);
	return text ? nft_rules_of_script(text, "add rule ") : 0;
}

static enum found policy_find(struct view *view, const struct object *object, struct cni_error *err)
{
	const size_t size = policy_size(object);
	const json_t *list;
	size_t n;

	if (nft_list(view, fence_table(object->dev).s, &list, err) < 0)
		return FOUND_FAILED;
	n = nft_rules(list, policy_has_chain, object);
	return n && (!size || n == size) ? FOUND : FOUND_NOT;
}

const struct kind kind_policy = {
	.name = "policy",
	.key = KEY_DEV | KEY_NAME,
	.find = policy_find,
	.print = policy_print_object,
};

static int subject_print(struct nft_script *script, struct view *view, const struct object *object,
			 enum nft_step step, struct cni_error *err)
{
	(void)view;
	(void)err;
	if (step != NFT_WHOLE)
		subject_put(script, step == NFT_ADD, object);
	return 0;
}

/* ["10.1.2.3", {"jump": {"target": "policy_..._out"}}] */
static bool subject_leads_there(const json_t *element, const struct object *subject)
{
	const json_t *jump = json_object_get(json_array_get(element, 1), "jump");
	const char *chain = json_string_value(json_object_get(jump, "target"));

	return chain && policy_is_chain(chain) &&
	       !strncmp(chain + strlen(POLICY_CHAIN), subject->name, strlen(subject->name));
}

static enum found subject_find(struct view *view, const struct object *object, struct cni_error *err)
{
	static const char *const sets[2][4] = { { "policy_out4", "policy_in4", "denied_out4", "denied_in4" },
						{ "policy_out6", "policy_in6", "denied_out6",
						  "denied_in6" } };
	const char *const *set = sets[object->to.ip.family == AF_INET6];
	const struct ip_str text = ip_text(&object->to.ip);
	const json_t *list;

	if (nft_list(view, fence_table(object->dev).s, &list, err) < 0)
		return FOUND_FAILED;
	return subject_leads_there(nft_element(list, set[0], text.s), object) &&
			       subject_leads_there(nft_element(list, set[1], text.s), object) &&
			       nft_has_element(list, set[2], text.s) && nft_has_element(list, set[3], text.s)
		       ? FOUND
		       : FOUND_NOT;
}

const struct kind kind_subject = {
	.name = "subject",
	.key = KEY_DEV | KEY_ADDRESS,
	.find = subject_find,
	.print = subject_print,
};

void policy_count_denied(struct view *view, const struct object *subject, struct fence_traffic *sum)
{
	const bool ipv6 = subject->to.ip.family == AF_INET6;
	const struct ip_str text = ip_text(&subject->to.ip);
	const char *const sets[] = { ipv6 ? "denied_out6" : "denied_out4",
				     ipv6 ? "denied_in6" : "denied_in4" };
	const json_t *list;

	if (nft_list(view, fence_table(subject->dev).s, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < 2; i++)
		sum->denied[i] += nft_counted(nft_element(list, sets[i], text.s), "packets");
}

int policy_each_denied(struct view *view, const struct object *policy,
		       void (*each)(const char *rule, long long packets, void *arg), void *arg,
		       struct cni_error *err)
{
	const json_t *list, *entry, *part;
	size_t i, k;

	if (nft_list(view, fence_table(policy->dev).s, &list, err) < 0)
		return -1;
	json_array_foreach(json_object_get(list, "nftables"), i, entry) {
		const json_t *rule = json_object_get(entry, "rule");
		const char *comment = json_string_value(json_object_get(rule, "comment"));
		const char *chain = json_string_value(json_object_get(rule, "chain"));

		if (!comment || !chain || !policy_has_chain(chain, policy))
			continue;
		json_array_foreach(json_object_get(rule, "expr"), k, part)
			if (json_object_get(part, "counter"))
				each(comment,
				     json_integer_value(
					     json_object_get(json_object_get(part, "counter"), "packets")),
				     arg);
	}
	return 0;
}
