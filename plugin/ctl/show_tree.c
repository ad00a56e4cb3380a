/* SPDX-License-Identifier: Apache-2.0 */
/* The output of `ipvlanctl show -v`: all details of each pod. */
#include "ctl/show.h"

#include <string.h>

#include "ctl/overview.h"
#include "ctl/pools.h"
#include "ctl/scan.h"
#include "ctl/text.h"

static void show_tree_put_list(const json_t *list, const char *before)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		text_put(PLAIN, "%s%s", i ? ", " : before, json_string_value(entry));
}

static void show_tree_put_place(const json_t *pod)
{
	const json_t *place = json_object_get(pod, "namespace");
	const char *path = scan_text(place, "path");

	if (scan_number(place, "pid"))
		text_put(DIM, "namespace of pid %lld", scan_number(place, "pid"));
	else if (*path)
		text_put(DIM, "%s", path);
	else if (json_object_get(pod, "state"))
		text_put(DIM, "namespace %lld", scan_number(place, "inode"));
	else
		text_put(DIM, "the namespace of the host");
}

static void show_tree_put_default_routes(const json_t *routes)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(routes, i, entry) {
		const char *gateway = json_string_value(entry);

		if (!strcmp(gateway, "on the link"))
			text_put(PLAIN, "  default route without a gateway");
		else
			text_put(PLAIN, "  default via %s", gateway);
	}
}

/* The anchor is printed with the master. */
static bool show_tree_is_shown(const json_t *object)
{
	return strncmp(scan_text(object, "object"), "anchor ", strlen("anchor ")) != 0;
}

/* Prints the plugin's objects on the host for one pod: the existing ones on one line, each missing one on its
 * own line. */
static void show_tree_print_objects(const struct branch *branch, const json_t *pod)
{
	const json_t *entry;
	size_t i, n = 0;

	json_array_foreach(json_object_get(pod, "objects"), i, entry) {
		if (!json_is_true(json_object_get(entry, "found")) || !show_tree_is_shown(entry))
			continue;
		if (!n)
			text_below(branch, false);
		if (!n)
			text_put(GREEN, "ok       ");
		text_put(PLAIN, "%s%s", n++ ? ", " : "", scan_text(entry, "object"));
	}
	if (n)
		text_end();
	json_array_foreach(json_object_get(pod, "objects"), i, entry) {
		if (json_is_true(json_object_get(entry, "found")))
			continue;
		text_below(branch, false);
		text_put(RED, "missing  ");
		text_put(PLAIN, "%s", scan_text(entry, "object"));
		text_end();
	}
}

static void show_tree_put_workload(const json_t *pod)
{
	const char *container = scan_text(pod, "container");
	const struct pod_name name = pod_name(pod);

	text_put(BOLD, "%s", name.s);
	text_put(PLAIN, " %s, network %s", scan_text(pod, "interface"), scan_text(pod, "network"));
	if (strncmp(name.s, container, strlen(name.s)) != 0)
		text_put(PLAIN, ", container %.*s", id_shown(container), container);
	if (json_is_integer(json_object_get(pod, "age")))
		text_put(PLAIN, ", for %s", show_age(scan_number(pod, "age")).s);
}

static void show_tree_print_problems(const struct branch *branch, const json_t *pod)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(pod, "problems"), i, entry) {
		if (!strncmp(json_string_value(entry), "the host lacks", strlen("the host lacks")))
			continue; /* show_tree_print_objects() prints it */
		text_below(branch, false);
		text_put(show_paint(scan_text(pod, "condition")), "%-8s", scan_text(pod, "condition"));
		text_put(PLAIN, " %s", json_string_value(entry));
		text_end();
	}
}

/* Prints the packets that the pod has sent and received through its master, if they are counted. */
static void show_tree_print_traffic(const struct branch *branch, const json_t *pod)
{
	const json_t *traffic = json_object_get(pod, "traffic"), *out = json_object_get(traffic, "out"),
		     *in = json_object_get(traffic, "in");

	if (!traffic)
		return;
	text_below(branch, false);
	text_put(PLAIN, "out %lld packets, %lld bytes  in %lld packets, %lld bytes",
		 scan_number(out, "packets"), scan_number(out, "bytes"), scan_number(in, "packets"),
		 scan_number(in, "bytes"));
	if (scan_number(out, "late") || scan_number(in, "late"))
		text_put(YELLOW, "  too fast and dropped: %lld out, %lld in", scan_number(out, "late"),
			 scan_number(in, "late"));
	if (scan_number(out, "denied") || scan_number(in, "denied"))
		text_put(YELLOW, "  denied: %lld out, %lld in", scan_number(out, "denied"),
			 scan_number(in, "denied"));
	text_end();
}

static void show_tree_print_pod(const struct branch *branch, const json_t *pod)
{
	text_entry(branch);
	if (*scan_text(pod, "container")) {
		show_tree_put_workload(pod);
	} else {
		text_put(BOLD, "%s", scan_text(pod, "interface"));
		text_put(YELLOW, " is of another program, or the plugin's records of it are lost");
	}
	if (json_is_false(json_object_get(pod, "up")))
		text_put(RED, ", down");
	text_end();
	text_below(branch, false);
	show_tree_put_place(pod);
	show_tree_put_list(json_object_get(pod, "addresses"), "  ");
	show_tree_put_default_routes(json_object_get(pod, "defaultRoutes"));
	text_end();
	show_tree_print_traffic(branch, pod);
	show_tree_print_problems(branch, pod);
	show_tree_print_objects(branch, pod);
}

static void show_tree_put_host_side(const json_t *master)
{
	const char *parent = scan_text(master, "parent");

	if (scan_number(master, "vlan"))
		text_put(PLAIN, ", VLAN %lld%s%s", scan_number(master, "vlan"), *parent ? " of " : "",
			 parent);
	if (json_array_size(json_object_get(master, "addresses")))
		show_tree_put_list(json_object_get(master, "addresses"), ", the host has ");
	if (json_array_size(json_object_get(master, "gateways")))
		show_tree_put_list(json_object_get(master, "gateways"), ", its gateway is ");
}

static void show_tree_print_head(const json_t *master)
{
	const json_t *anchor = json_object_get(master, "anchor"), *holder = json_object_get(master, "holder");
	const char *name = scan_text(master, "name"), *place = scan_text(master, "namespace");

	if (*name)
		text_put(BOLD, "%s", name);
	else
		text_put(BOLD, "link %lld of an unknown namespace", scan_number(master, "index"));
	if (*place)
		text_put(PLAIN, " in %s", place);
	text_put(PLAIN, "  %s %s", scan_text(master, "mode"), scan_text(master, "flag"));
	if (scan_number(master, "mtu"))
		text_put(PLAIN, ", MTU %lld", scan_number(master, "mtu"));
	show_tree_put_host_side(master);
	if (json_is_object(anchor))
		text_put(PLAIN, ", anchor %s (%s)", scan_text(anchor, "name"),
			 json_is_true(json_object_get(anchor, "up")) ? "up" : "down");
	if (json_is_object(holder))
		text_put(YELLOW, ", a port of the %s %s",
			 *scan_text(holder, "kind") ? scan_text(holder, "kind") : "device",
			 scan_text(holder, "name"));
	if (*name && !json_is_true(json_object_get(master, "up")))
		text_put(RED, ", down");
	text_end();
}

/* Prints the packets that antiSpoof has dropped on the master, by reason. */
static void show_tree_print_drops(const json_t *master)
{
	const json_t *packets;
	const char *reason;
	size_t n = 0;

	json_object_foreach(json_object_get(master, "dropped"), reason, packets) {
		if (!json_integer_value(packets))
			continue;
		text_put(n ? PLAIN : YELLOW, "%s", n ? ", " : "  dropped ");
		n++;
		text_put(PLAIN, "%lld %s", (long long)json_integer_value(packets), reason);
	}
	if (n)
		text_end();
}

/* Prints the drops of allow and deny on the master, by network and rule. */
static void show_tree_print_denials(const json_t *master)
{
	const json_t *denied, *packets;
	const char *rule;
	size_t i;

	json_array_foreach(json_object_get(master, "denied"), i, denied)
		json_object_foreach(json_object_get(denied, "rules"), rule, packets)
			if (json_integer_value(packets)) {
				text_put(YELLOW, "  denied ");
				text_put(PLAIN, "%lld by %s of network %s",
					 (long long)json_integer_value(packets), rule,
					 scan_text(denied, "network"));
				text_end();
			}
}

static void show_tree_print_pods(const json_t *pods)
{
	const json_t *pod;
	size_t i;

	json_array_foreach(pods, i, pod) {
		const struct branch branch = { .last = i + 1 == json_array_size(pods) };

		show_tree_print_pod(&branch, pod);
	}
}

static void show_tree_print_master(const json_t *master)
{
	const json_t *pods = json_object_get(master, "pods");

	show_tree_print_head(master);
	show_tree_print_drops(master);
	show_tree_print_denials(master);
	show_tree_print_pods(pods);
	if (json_array_size(pods))
		return;
	text_entry(&(struct branch){ .last = true });
	text_put(DIM, "no pods");
	text_end();
}

static void show_tree_print_lost(const json_t *lost)
{
	if (!json_array_size(lost))
		return;
	text_put(BOLD, "pods without an interface");
	text_end();
	show_tree_print_pods(lost);
	text_end();
}

static void show_tree_print_range(const json_t *pool, const json_t *range, int wide)
{
	const long long size = scan_number(range, "size"), used = scan_number(range, "used");
	const double share = pools_share(used, size);
	const bool tight = share >= SHOW_TIGHT && !pools_is_shared(pool);

	text_put(PLAIN, "  %-*s  ", wide, scan_text(pool, "network"));
	text_bar(!tight ? GREEN : share >= 1 ? RED : YELLOW, share);
	text_put(PLAIN, " %3.0f%%  %lld of %lld  %s", 100 * share, used, size, scan_text(range, "rangeSet"));
	if (scan_number(range, "dead"))
		text_put(YELLOW, "  and %lld of pods that are gone", scan_number(range, "dead"));
	text_end();
}

static void show_tree_print_pools(const json_t *pools)
{
	const json_t *pool, *range;
	int wide = 7;
	size_t i, k;

	if (!json_array_size(pools))
		return;
	text_put(BOLD, "address pools");
	text_end();
	json_array_foreach(pools, i, pool)
		if ((int)strlen(scan_text(pool, "network")) > wide)
			wide = (int)strlen(scan_text(pool, "network"));
	json_array_foreach(pools, i, pool)
		json_array_foreach(json_object_get(pool, "rangeSets"), k, range)
			show_tree_print_range(pool, range, wide);
}

void show_tree(const json_t *doc)
{
	const json_t *masters = json_object_get(doc, "masters"), *master;
	size_t i;

	json_array_foreach(masters, i, master) {
		show_tree_print_master(master);
		text_end();
	}
	show_tree_print_lost(json_object_get(doc, "lost"));
	show_tree_print_pools(json_object_get(doc, "pools"));
	show_problems(doc);
}
