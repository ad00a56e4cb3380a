/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/policy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cni/cleanup.h"
#include "cni/hash.h"
#include "cni/ip.h"
#include "cni/json.h"
#include "plugin/delegate.h"

#define RULES_MAX 256
#define ENTRIES_MAX 1024 /* of a list in a rule */

static const struct policy_protocol {
	const char *name;
	int number;
	bool ports;
} policy_protocols[] = {
	{ "tcp", 6, true },	  { "udp", 17, true },	{ "sctp", 132, true },	 { "dccp", 33, true },
	{ "udplite", 136, true }, { "icmp", 1, false }, { "icmpv6", 58, false }, { "igmp", 2, false },
	{ "gre", 47, false },	  { "esp", 50, false }, { "ah", 51, false },
};
#define N_PROTOCOLS (sizeof(policy_protocols) / sizeof(*policy_protocols))

/* The place of a rule for messages: "deny.egress[0]." */
struct policy_where {
	char s[64];
};

/* Reads a list of the rule, which must not be empty; *ret stays NULL if the key is absent. */
static int policy_list(json_t **ret, const json_t *rule, const struct policy_where *where, const char *key,
		       struct cni_error *err)
{
	if (field_array(rule, where->s, key, ret, err) < 0)
		return -1;
	if (!*ret || (json_array_size(*ret) && json_array_size(*ret) <= ENTRIES_MAX))
		return 0;
	return cni_fail(err, CNI_CONFIG, "%s%s must have between 1 and %d entries", where->s, key,
			ENTRIES_MAX);
}

static int policy_compare_prefixes(const void *one, const void *other)
{
	const struct prefix *a = one, *b = other;

	if (a->ip.family != b->ip.family || ip_equal(&a->ip, &b->ip))
		return prefix_compare(a, b);
	return ip_compare(&a->ip, &b->ip);
}

/* Drops prefixes that another contains, which nft does not accept: the shorter of two is sorted
 * first. */
static json_t *policy_merge_prefixes(struct prefix *prefixes, size_t n, int family)
{
	const struct prefix *last = NULL;
	json_t *list = json_array();

	qsort(prefixes, n, sizeof(*prefixes), policy_compare_prefixes);
	for (size_t i = 0; i < n; i++) {
		if (prefixes[i].ip.family != family || (last && prefix_contains(last, &prefixes[i].ip)))
			continue;
		last = &prefixes[i];
		json_array_append_new(list, json_string(prefix_text(last).s));
	}
	return list;
}

static int policy_read_cidrs(json_t *ret, const json_t *rule, const struct policy_where *where,
			     struct cni_error *err)
{
	autofree struct prefix *prefixes = NULL;
	json_t *list = NULL, *entry;
	size_t i, n = 0;

	if (policy_list(&list, rule, where, "cidrs", err) < 0)
		return -1;
	if (!list)
		return 0;
	prefixes = calloc(json_array_size(list), sizeof(*prefixes));
	if (!prefixes)
		return cni_fail(err, CNI_RETRY, "out of memory");
	json_array_foreach(list, i, entry) {
		const char *text = json_string_value(entry);
		struct prefix prefix;

		if (!text || !prefix_parse(text, &prefix)) {
			cni_fail(err, CNI_CONFIG, "%scidrs[%zu] is not a prefix", where->s, i);
			return cni_hint(err, "write an address and its prefix length: \"10.0.0.0/8\"");
		}
		prefixes[n++] = prefix_network(&prefix);
	}
	json_object_set_new(ret, "ipv4", policy_merge_prefixes(prefixes, n, AF_INET));
	json_object_set_new(ret, "ipv6", policy_merge_prefixes(prefixes, n, AF_INET6));
	return 0;
}

static const struct policy_protocol *policy_protocol(const json_t *entry)
{
	static struct policy_protocol other;

	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (json_is_string(entry) ? !strcasecmp(json_string_value(entry), policy_protocols[i].name)
					  : json_integer_value(entry) == policy_protocols[i].number)
			return &policy_protocols[i];
	if (!json_is_integer(entry) || json_integer_value(entry) < 0 || json_integer_value(entry) > 255)
		return NULL;
	other.number = (int)json_integer_value(entry);
	return &other;
}

/* *ports: do all protocols have ports? */
static int policy_read_protocols(json_t *ret, const json_t *rule, const struct policy_where *where,
				 bool *ports, bool *tcp, struct cni_error *err)
{
	bool chosen[256] = { false };
	json_t *list = NULL, *entry, *numbers;
	size_t i;

	if (policy_list(&list, rule, where, "protocols", err) < 0)
		return -1;
	*ports = *tcp = list;
	if (!list)
		return 0;
	json_array_foreach(list, i, entry) {
		const struct policy_protocol *protocol = policy_protocol(entry);

		if (!protocol) {
			cni_fail(err, CNI_CONFIG, "%sprotocols[%zu] is not a protocol", where->s, i);
			return cni_hint(err,
					"write tcp, udp, sctp, dccp, udplite, icmp, icmpv6, igmp, gre, esp, "
					"ah, or a number up to 255");
		}
		chosen[protocol->number] = true;
		*ports &= protocol->ports;
		*tcp &= protocol->number == 6;
	}
	numbers = json_array();
	for (int number = 0; number < 256; number++)
		if (chosen[number])
			json_array_append_new(numbers, json_integer(number));
	json_object_set_new(ret, "protocols", numbers);
	return 0;
}

/* The number at the start of *text, which then points behind it; -1: no number, or not a port. */
static int policy_number(const char **text)
{
	int number = -1;

	for (; isdigit((unsigned char)**text) && number <= 65535; ++*text)
		number = (number < 0 ? 0 : 10 * number) + (**text - '0');
	return number <= 65535 ? number : -1;
}

/* 80, "80", or "8000-8999". */
static bool policy_read_port(const json_t *entry, int *first, int *last)
{
	const char *text = json_string_value(entry);
	const json_int_t number = json_is_integer(entry) ? json_integer_value(entry) : -1;

	if (!text) {
		*first = *last = number > 65535 ? -1 : (int)number;
		return *first >= 0;
	}
	*first = *last = policy_number(&text);
	if (*text == '-') {
		text++;
		*last = policy_number(&text);
	}
	return !*text && *first >= 0 && *first <= *last;
}

struct policy_range {
	int first, last;
};

static int policy_compare_ranges(const void *one, const void *other)
{
	const struct policy_range *a = one, *b = other;

	return a->first - b->first;
}

/* nft accepts no ranges that overlap. */
static json_t *policy_merge_ranges(struct policy_range *ranges, size_t n)
{
	json_t *list = json_array();
	char text[32];

	qsort(ranges, n, sizeof(*ranges), policy_compare_ranges);
	for (size_t i = 0, k; i < n; i = k) {
		int last = ranges[i].last;

		for (k = i + 1; k < n && ranges[k].first <= last + 1; k++)
			last = ranges[k].last > last ? ranges[k].last : last;
		snprintf(text, sizeof(text), ranges[i].first == last ? "%d" : "%d-%d", ranges[i].first, last);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static int policy_read_ports(json_t *ret, const json_t *rule, const struct policy_where *where,
			     const char *key, struct cni_error *err)
{
	autofree struct policy_range *ranges = NULL;
	json_t *list = NULL, *entry;
	size_t i, n = 0;

	if (policy_list(&list, rule, where, key, err) < 0)
		return -1;
	if (!list)
		return 0;
	ranges = calloc(json_array_size(list), sizeof(*ranges));
	if (!ranges)
		return cni_fail(err, CNI_RETRY, "out of memory");
	json_array_foreach(list, i, entry) {
		if (!policy_read_port(entry, &ranges[n].first, &ranges[n].last)) {
			cni_fail(err, CNI_CONFIG, "%s%s[%zu] is not a port", where->s, key, i);
			return cni_hint(err, "write a number up to 65535, or a range: \"8000-8999\"");
		}
		n++;
	}
	json_object_set_new(ret, key, policy_merge_ranges(ranges, n));
	return 0;
}

/* An unknown key is an error: without its condition the rule would match more packets. */
static int policy_check_keys(const json_t *object, const char *const keys[], const char *where,
			     struct cni_error *err)
{
	char known[128] = "";
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		for (i = 0; keys[i] && strcasecmp(keys[i], key) != 0; i++)
			;
		if (keys[i])
			continue;
		for (i = 0; keys[i]; i++)
			snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s", i ? ", " : "",
				 keys[i]);
		cni_fail(err, CNI_CONFIG, "%s has the unknown key \"%.40s\"", where, key);
		return cni_hint(err, "its keys are %s", known);
	}
	return 0;
}

static json_t *policy_read_rule(const json_t *rule, const char *where, struct cni_error *err)
{
	static const char *const keys[] = {
		"cidrs", "protocols", "ports", "sourcePorts", "established", NULL
	};
	json_auto_t *ret = json_object();
	struct policy_where inside;
	bool ports, tcp, established = false;

	snprintf(inside.s, sizeof(inside.s), "%s.", where);
	if (!json_is_object(rule)) {
		cni_fail(err, CNI_CONFIG, "%s is not an object", where);
		return NULL;
	}
	if (policy_check_keys(rule, keys, where, err) < 0 || policy_read_cidrs(ret, rule, &inside, err) < 0 ||
	    policy_read_protocols(ret, rule, &inside, &ports, &tcp, err) < 0 ||
	    policy_read_ports(ret, rule, &inside, "ports", err) < 0 ||
	    policy_read_ports(ret, rule, &inside, "sourcePorts", err) < 0 ||
	    field_bool(rule, inside.s, "established", &established, err) < 0)
		return NULL;
	if (!ports && (json_object_get(ret, "ports") || json_object_get(ret, "sourcePorts"))) {
		cni_fail(err, CNI_CONFIG, "%s has ports, and protocols without ports", where);
		cni_hint(err, "with ports \"protocols\" must list only tcp, udp, sctp, dccp or udplite");
		return NULL;
	}
	if (established && !tcp) {
		cni_fail(err, CNI_CONFIG, "%s.established requires \"protocols\": [\"tcp\"]", where);
		return NULL;
	}
	if (established)
		json_object_set_new(ret, "established", json_true());
	return json_incref(ret);
}

/* Reads one of the four lists into the policy. */
static int policy_read_list(json_t *policy, const json_t *lists, const char *key, const char *direction,
			    struct cni_error *err)
{
	json_t *rules = NULL, *rule, *ret, *sides = json_object_get(policy, direction);
	char where[48];
	size_t i;

	snprintf(where, sizeof(where), "%s.", key);
	if (field_array(lists, where, direction, &rules, err) < 0)
		return -1;
	if (!rules)
		return 0;
	if (json_array_size(rules) > RULES_MAX)
		return cni_fail(err, CNI_CONFIG, "%s%s must have at most %d rules", where, direction,
				RULES_MAX);
	ret = json_array();
	json_object_set_new(sides, key, ret);
	json_array_foreach(rules, i, rule) {
		snprintf(where, sizeof(where), "%s.%s[%zu]", key, direction, i);
		if (json_array_append_new(ret, policy_read_rule(rule, where, err)) < 0)
			return -1;
	}
	return 0;
}

static int policy_read_key(json_t *policy, const struct request *req, const char *key, struct cni_error *err)
{
	static const char *const keys[] = { "egress", "ingress", NULL };
	json_t *lists = NULL;

	if (field_object(req->conf, "", key, &lists, err) < 0)
		return -1;
	if (policy_check_keys(lists, keys, key, err) < 0)
		return -1;
	for (size_t i = 0; keys[i]; i++)
		if (policy_read_list(policy, lists, key, keys[i], err) < 0)
			return -1;
	return 0;
}

int policy_read(json_t **ret, const struct request *req, struct cni_error *err)
{
	json_auto_t *policy = NULL;

	*ret = NULL;
	if (!json_field(req->conf, "deny") && !json_field(req->conf, "allow"))
		return 0;
	policy = json_pack("{s:s, s:{}, s:{}}", "network", req->name, "egress", "ingress");
	if (!policy)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (policy_read_key(policy, req, "deny", err) < 0 || policy_read_key(policy, req, "allow", err) < 0)
		return -1;
	if (delegate_uses_link(json_string_value(json_field(json_field(req->conf, "ipam"), "type"))))
		json_object_set_new(policy, "dhcp", json_true());
	if (json_object_size(json_object_get(policy, "egress")) ||
	    json_object_size(json_object_get(policy, "ingress")))
		*ret = json_incref(policy);
	return 0;
}

struct policy_name policy_name(const json_t *policy)
{
	autofree char *text = json_dumps(policy, JSON_COMPACT | JSON_SORT_KEYS);
	const uint64_t hash = hash_add(HASH_START, text, text ? strlen(text) : 0);
	struct policy_name name;

	snprintf(name.s, sizeof(name.s), "%016llx", (unsigned long long)hash);
	return name;
}

/* The chain to print. */
struct policy_chain {
	FILE *script;
	const char *table, *name, *way; /* "out", "in" */
	const char *peer;		/* the address that rules name: "daddr", "saddr" */
};

static void policy_put_set(const struct policy_chain *chain, const char *what, const json_t *list)
{
	const json_t *entry;
	size_t i;

	if (!list)
		return;
	fprintf(chain->script, " %s {", what);
	json_array_foreach(list, i, entry) {
		fputs(i ? ", " : " ", chain->script);
		if (json_is_string(entry))
			fputs(json_string_value(entry), chain->script);
		else
			fprintf(chain->script, "%lld", (long long)json_integer_value(entry));
	}
	fputs(" }", chain->script);
}

static void policy_begin_rule(const struct policy_chain *chain)
{
	fprintf(chain->script, "add rule %s " POLICY_CHAIN "%s_%s", chain->table, chain->name, chain->way);
}

/* Prints the part of a rule that matches later fragments of a packet too; family 0: both. */
static void policy_put_addresses(const struct policy_chain *chain, const json_t *rule, char family)
{
	char what[16];

	snprintf(what, sizeof(what), "ip%s %s", family == '6' ? "6" : "", chain->peer);
	if (family)
		policy_put_set(chain, what, json_object_get(rule, family == '6' ? "ipv6" : "ipv4"));
	policy_put_set(chain, "meta l4proto", json_object_get(rule, "protocols"));
}

static bool policy_has_ports(const json_t *rule)
{
	return json_object_get(rule, "ports") || json_object_get(rule, "sourcePorts") ||
	       json_object_get(rule, "established");
}

static void policy_put_rule(const struct policy_chain *chain, const json_t *rule, char family,
			    const char *verdict)
{
	policy_begin_rule(chain);
	policy_put_addresses(chain, rule, family);
	policy_put_set(chain, "th sport", json_object_get(rule, "sourcePorts"));
	policy_put_set(chain, "th dport", json_object_get(rule, "ports"));
	if (json_object_get(rule, "established"))
		fputs(" tcp flags & (ack | rst) != 0", chain->script);
	fputs(verdict, chain->script);
}

/* Allows later fragments, which have no ports. */
static void policy_allow_fragments(const struct policy_chain *chain, const json_t *rule, char family)
{
	if (family != '6') {
		policy_begin_rule(chain);
		policy_put_addresses(chain, rule, family);
		fputs(" ip frag-off & 0x1fff != 0 return\n", chain->script);
	}
	if (family != '4') {
		policy_begin_rule(chain);
		policy_put_addresses(chain, rule, family);
		fputs(" frag frag-off != 0 return\n", chain->script);
	}
}

static void policy_put_list(const struct policy_chain *chain, const json_t *rules, const char *list,
			    const char *direction)
{
	const bool allow = !strcmp(list, "allow");
	const json_t *rule;
	char verdict[96] = " return\n";
	size_t i;

	json_array_foreach(rules, i, rule) {
		const char families[] = "46",
			   *family = json_object_get(rule, "ipv4") ? families : families + 2;

		if (!allow)
			snprintf(verdict, sizeof(verdict), " counter goto denied_%s comment \"%s.%s[%zu]\"\n",
				 chain->way, list, direction, i);
		do {
			if (*family &&
			    !json_array_size(json_object_get(rule, *family == '4' ? "ipv4" : "ipv6")))
				continue;
			policy_put_rule(chain, rule, *family, verdict);
			if (allow && policy_has_ports(rule))
				policy_allow_fragments(chain, rule, *family);
		} while (*family && *++family);
	}
	if (!rules || !allow)
		return;
	policy_begin_rule(chain);
	fprintf(chain->script, " counter goto denied_%s comment \"allow.%s\"\n", chain->way, direction);
}

/* Allows the packets that each pod requires, with any lists: neighbours, path MTU, DHCP. */
static void policy_put_basics(const struct policy_chain *chain, bool dhcp)
{
	const bool in = !strcmp(chain->way, "in");

	policy_begin_rule(chain);
	fputs(" ip6 hoplimit 255 icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, "
	      "nd-neighbor-advert } return\n",
	      chain->script);
	if (dhcp) {
		policy_begin_rule(chain);
		fprintf(chain->script, " udp sport %d udp dport %d return\n", in ? 67 : 68, in ? 68 : 67);
	}
	if (!in)
		return;
	policy_begin_rule(chain);
	fputs(" icmp type { destination-unreachable, time-exceeded, parameter-problem } return\n",
	      chain->script);
	policy_begin_rule(chain);
	fputs(" icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } "
	      "return\n",
	      chain->script);
}

static void policy_put_chain(const struct policy_chain *chain, const json_t *policy, const char *direction)
{
	const json_t *lists = json_object_get(policy, direction);
	fprintf(chain->script, "add chain %s " POLICY_CHAIN "%s_%s\nflush chain %s " POLICY_CHAIN "%s_%s\n",
		chain->table, chain->name, chain->way, chain->table, chain->name, chain->way);
	policy_put_basics(chain, json_object_get(policy, "dhcp"));
	if (!policy) {
		policy_begin_rule(chain);
		fprintf(chain->script, " goto denied_%s\n", chain->way);
	}
	policy_put_list(chain, json_object_get(lists, "deny"), "deny", direction);
	policy_put_list(chain, json_object_get(lists, "allow"), "allow", direction);
}

void policy_print(FILE *script, const char *table, const char *name, const json_t *policy)
{
	const struct policy_chain out = { script, table, name, "out", "daddr" },
				  in = { script, table, name, "in", "saddr" };

	policy_put_chain(&out, policy, "egress");
	policy_put_chain(&in, policy, "ingress");
}

void policy_unprint(FILE *script, const char *table, const char *name)
{
	static const char *const ways[] = { "out", "in" };

	for (size_t i = 0; i < 2; i++)
		fprintf(script,
			"flush chain %s " POLICY_CHAIN "%s_%s\ndelete chain %s " POLICY_CHAIN "%s_%s\n",
			table, name, ways[i], table, name, ways[i]);
}
