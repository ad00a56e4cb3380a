/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/judge.h"

#include <stdio.h>
#include <string.h>

#include "cni/ip.h"
#include "cni/json.h"
#include "ctl/overview.h"
#include "ctl/pools.h"
#include "ctl/scan.h"

/* A pool is nearly full if at most 1 of this many addresses is free. */
#define TIGHT 10

struct judging {
	json_t *pools;
	json_t *leases; /* by network and address */
	json_t *held;	/* addresses, by network, container and interface: a list each */
	json_t *problems;
	const json_t *earlier; /* the problems of an earlier look; NULL: there was none */
};

/* Sets a value if it is not NULL. Returns the value at the key, which may be of any length. */
static json_t *judge_keyed(json_t *object, const char *network, const char *b, const char *c, json_t *value)
{
	json_auto_t *key = json_sprintf("%s\n%s\n%s", network, b, c);

	if (value)
		json_object_set_new(object, json_string_value(key), value);
	return json_object_get(object, json_string_value(key));
}

const char *judge_remedy(const char *remedy)
{
	if (!strcmp(remedy, "gc"))
		return "ipvlanctl gc --yes releases what it holds";
	if (!strcmp(remedy, "repair"))
		return "ipvlanctl repair restores it";
	if (!strcmp(remedy, "restart"))
		return "restart the pod";
	return remedy;
}

static void judge_note(json_t *problems, const char *level, const char *of, const char *about,
		       const char *text, const char *remedy)
{
	json_array_append_new(problems, json_pack("{s:s, s:s, s:o, s:o, s:o}", "level", level, "of", of,
						  "about", json_text(about), "text", json_text(text),
						  "remedy", json_text(remedy)));
}

static void judge_index_leases(struct judging *all)
{
	const json_t *pool, *lease;
	size_t i, k;

	json_array_foreach(all->pools, i, pool)
		json_array_foreach(json_object_get(pool, "leases"), k, lease) {
			const char *network = scan_text(pool, "network"),
				   *address = scan_text(lease, "address");
			const char *container = scan_text(lease, "container"),
				   *interface = scan_text(lease, "interface");
			json_t *list = judge_keyed(all->held, network, container, interface, NULL);

			judge_keyed(all->leases, network, address, "", json_true());
			if (!list)
				list = judge_keyed(all->held, network, container, interface, json_array());
			json_array_append(list, json_object_get(lease, "address"));
		}
}

static bool judge_in_range(const json_t *ranges, const struct ip *ip)
{
	const json_t *range;
	size_t i;

	json_array_foreach(ranges, i, range) {
		struct ip first, last;

		if (ip_parse(scan_text(range, "first"), &first) &&
		    ip_parse(scan_text(range, "last"), &last) && first.family == ip->family &&
		    ip_compare(&first, ip) <= 0 && ip_compare(ip, &last) <= 0)
			return true;
	}
	return false;
}

/* Returns the range set of the network that has the address, or NULL. */
static json_t *judge_set_of(const struct judging *all, const char *network, const struct ip *ip)
{
	const json_t *pool;
	json_t *set;
	size_t i, k;

	json_array_foreach(all->pools, i, pool)
		if (!strcmp(scan_text(pool, "network"), network))
			json_array_foreach(json_object_get(pool, "rangeSets"), k, set)
				if (judge_in_range(json_array_get(json_object_get(pool, "ranges"), k), ip))
					return set;
	return NULL;
}

static bool judge_was_so(const struct judging *all, const json_t *pod, const char *sentence)
{
	const json_t *problem;
	size_t i;

	json_array_foreach(all->earlier, i, problem)
		if (!strcmp(scan_text(problem, "text"), sentence) &&
		    !strcmp(scan_text(problem, "about"), pod_name(pod).s))
			return true;
	return !all->earlier;
}

/* An ADD or a DEL may be running. So only a fault of both looks counts. */
static void judge_pod_lacks(const struct judging *all, json_t *pod, const char *remedy, json_t *sentence)
{
	const bool lacks = sentence && judge_was_so(all, pod, json_string_value(sentence));

	if (lacks) {
		json_array_append(json_object_get(pod, "problems"), sentence);
		json_object_set_new(pod, "condition", json_string("damaged"));
	}
	if (lacks && strcmp(scan_text(pod, "remedy"), "restart") != 0)
		json_object_set_new(pod, "remedy", json_string(remedy));
	json_decref(sentence);
}

/* The pool may assign an unleased address of a pod to the next pod. */
static void judge_unleased(const struct judging *all, json_t *pod)
{
	const char *network = scan_text(pod, "network");
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(pod, "addresses"), i, entry) {
		const char *text = json_string_value(entry);
		struct prefix address;
		json_t *set;

		if (!prefix_parse(text, &address) ||
		    judge_keyed(all->leases, network, ip_text(&address.ip).s, "", NULL))
			continue;
		set = judge_set_of(all, network, &address.ip);
		if (!set)
			continue;
		json_object_set_new(set, "used",
				    json_integer(json_integer_value(json_object_get(set, "used")) + 1));
		judge_pod_lacks(all, pod, "restart",
				json_sprintf("its address %s is not leased, and another pod may get it",
					     ip_text(&address.ip).s));
	}
}

static void judge_addresses(const struct judging *all, json_t *pod)
{
	const json_t *held = judge_keyed(all->held, scan_text(pod, "network"), scan_text(pod, "container"),
					 scan_text(pod, "interface"), NULL),
		     *leased, *entry;
	size_t i, k;

	json_array_foreach(held, i, leased) {
		const char *text = json_string_value(leased);
		bool found = false;

		json_array_foreach(json_object_get(pod, "addresses"), k, entry) {
			struct prefix address;

			found |= prefix_parse(json_string_value(entry), &address) &&
				 !strcmp(ip_text(&address.ip).s, text);
		}
		if (!found)
			judge_pod_lacks(all, pod, "restart",
					json_sprintf("its interface lacks the address %s", text));
	}
	judge_unleased(all, pod);
}

static void judge_objects(const struct judging *all, json_t *pod)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(pod, "objects"), i, entry)
		if (!json_is_true(json_object_get(entry, "found")))
			judge_pod_lacks(all, pod, "repair",
					json_sprintf("the host lacks \"%s\"", scan_text(entry, "object")));
}

/* For an attachment whose interface does not exist or cannot be seen. */
static void judge_lost(const struct judging *all, json_t *pod)
{
	static const struct {
		const char *state, *condition, *remedy, *sentence;
	} states[] = {
		{ "gone", "lost", "gc", "its network namespace is gone" },
		{ "hidden", "unseen", NULL, NULL },
		{ "unknown", "unknown", NULL, "it is not known whether its network namespace exists" },
	};
	const char *state = scan_text(pod, "state");
	json_t *held = judge_keyed(all->held, scan_text(pod, "network"), scan_text(pod, "container"),
				   scan_text(pod, "interface"), NULL);

	/* its addresses, from the pool's leases */
	json_object_set_new(pod, "addresses", held ? json_deep_copy(held) : json_array());
	if (!strcmp(state, "no interface"))
		judge_pod_lacks(all, pod, "restart", json_string("its interface was deleted"));
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		if (strcmp(state, states[i].state) != 0)
			continue;
		json_object_set_new(pod, "condition", json_string(states[i].condition));
		if (states[i].remedy)
			json_object_set_new(pod, "remedy", json_string(states[i].remedy));
		if (states[i].sentence)
			json_array_append_new(json_object_get(pod, "problems"),
					      json_string(states[i].sentence));
	}
}

static void judge_report(json_t *problems, const json_t *pod)
{
	const char *level = !strcmp(scan_text(pod, "condition"), "damaged") ? "error" : "warning";
	const json_t *sentence;
	size_t i;

	json_array_foreach(json_object_get(pod, "problems"), i, sentence)
		judge_note(problems, level, "pod", pod_name(pod).s, json_string_value(sentence),
			   judge_remedy(scan_text(pod, "remedy")));
}

static bool judge_master_is_down(const json_t *master)
{
	return *scan_text(master, "name") && !json_is_true(json_object_get(master, "up"));
}

/* A master that is down is reported once, not for each pod. */
static void judge_way_out(json_t *pod, const json_t *master)
{
	if (!master || !*scan_text(pod, "container") || !judge_master_is_down(master))
		return;
	json_array_append_new(json_object_get(pod, "problems"),
			      json_sprintf("its master %s is down", scan_text(master, "name")));
	json_object_set_new(pod, "condition", json_string("damaged"));
}

static void judge_pod(json_t *pod, const json_t *master, void *arg)
{
	const struct judging *all = arg;

	json_object_set_new(pod, "condition", json_string("ok"));
	json_object_set_new(pod, "problems", json_array());
	json_object_set_new(pod, "remedy", json_null());
	if (!master) {
		/* a pod that is gone requires no objects */
		judge_lost(all, pod);
	} else if (!*scan_text(pod, "container")) {
		json_object_set_new(pod, "condition", json_string("foreign"));
	} else {
		if (!json_is_true(json_object_get(pod, "up")))
			judge_pod_lacks(all, pod, "restart", json_string("its interface is down"));
		judge_addresses(all, pod);
		judge_objects(all, pod);
	}
	judge_report(all->problems, pod);
	judge_way_out(pod, master);
}

static void judge_master(json_t *problems, const json_t *master)
{
	const json_t *holder = json_object_get(master, "holder");
	const char *name = scan_text(master, "name");
	json_auto_t *remedy = NULL, *text = NULL;

	if (!*name)
		return;
	if (judge_master_is_down(master)) {
		remedy = json_sprintf("ip link set %s up", name);
		judge_note(problems, "error", "master", name, "the master is down: its pods reach nothing",
			   json_string_value(remedy));
	}
	if (!json_is_object(holder))
		return;
	text = json_sprintf("the master is a port of the %s %s, which takes the packets of pods",
			    *scan_text(holder, "kind") ? scan_text(holder, "kind") : "device",
			    scan_text(holder, "name"));
	judge_note(problems, "warning", "master", name, json_string_value(text),
		   "use that device as the master");
}

static void judge_set(json_t *problems, const json_t *pool, const json_t *set)
{
	const long long size = json_integer_value(json_object_get(set, "size"));
	const long long used = json_integer_value(json_object_get(set, "used"));
	json_auto_t *text = NULL;

	if (pools_is_shared(pool) || size - used > size / TIGHT)
		return;
	text = json_sprintf("%lld of %lld addresses of %s are in use", used, size,
			    scan_text(set, "rangeSet"));
	judge_note(problems, "warning", "pool", scan_text(pool, "network"), json_string_value(text),
		   "make the range larger");
}

/* A lease of a pod that is gone counts as free: the next ADD may reuse it. */
static void judge_begin_sets(const struct judging *all)
{
	const json_t *pool;
	json_t *set;
	size_t i, k;

	json_array_foreach(all->pools, i, pool)
		json_array_foreach(json_object_get(pool, "rangeSets"), k, set)
			json_object_set_new(set, "used",
					    json_integer(json_integer_value(json_object_get(set, "leased")) -
							 json_integer_value(json_object_get(set, "dead"))));
}

void judge(json_t *doc, const json_t *earlier)
{
	struct judging all = { .pools = json_object_get(doc, "pools"),
			       .problems = json_array(),
			       .earlier = earlier };
	const json_t *entry, *set;
	size_t i, k;

	all.leases = json_object();
	all.held = json_object();
	judge_begin_sets(&all);
	judge_index_leases(&all);
	json_array_foreach(json_object_get(doc, "masters"), i, entry)
		judge_master(all.problems, entry);
	pods_each_of(doc, judge_pod, &all);
	json_array_foreach(all.pools, i, entry)
		json_array_foreach(json_object_get(entry, "rangeSets"), k, set)
			judge_set(all.problems, entry, set);
	json_object_set_new(doc, "problems", all.problems);
	json_decref(all.leases);
	json_decref(all.held);
}
