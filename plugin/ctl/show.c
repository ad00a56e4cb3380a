#include <string.h>

#include "cni/error.h"
#include "ctl/commands.h"
#include "ctl/draw.h"
#include "ctl/places.h"
#include "ctl/pools.h"
#include "ctl/scan.h"
#include "ctl/text.h"

/* A pool is nearly full. */
#define TIGHT 0.9

static long long number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* The id of a container is 64 hexadecimal digits; people know it by its first twelve. */
static int shown(const char *container)
{
	return strlen(container) == 64 && strspn(container, "0123456789abcdef") == 64 ? 12 : 1000;
}

static void put_list(const json_t *list, const char *before)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		text_put(PLAIN, "%s%s", i ? ", " : before, json_string_value(entry));
}

static void put_place(const json_t *pod)
{
	const json_t *place = json_object_get(pod, "namespace");
	const char *path = scan_text(place, "path");

	if (number(place, "pid"))
		text_put(DIM, "namespace of pid %lld", number(place, "pid"));
	else if (*path)
		text_put(DIM, "%s", path);
	else if (json_object_get(pod, "state"))
		text_put(DIM, "namespace %lld", number(place, "inode"));
	else
		text_put(DIM, "the host's own namespace");
}

/* What the plugin has made on the host for one pod. The anchor stands with the master. */
static void print_objects(const struct branch *branch, const json_t *pod)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(pod, "objects"), i, entry) {
		const bool found = json_is_true(json_object_get(entry, "found"));
		const char *text = scan_text(entry, "object");

		if (found && !strncmp(text, "anchor ", strlen("anchor ")))
			continue;
		text_below(branch, false);
		if (found)
			text_put(GREEN, "ok       ");
		else
			text_put(RED, "missing  ");
		text_put(PLAIN, "%s", text);
		text_end();
	}
}

static void print_pod(const struct branch *branch, const json_t *pod)
{
	const char *container = scan_text(pod, "container");

	text_entry(branch);
	if (*container) {
		text_put(BOLD, "%.*s", shown(container), container);
		text_put(PLAIN, " %s, network %s", scan_text(pod, "interface"), scan_text(pod, "network"));
	} else {
		text_put(BOLD, "%s", scan_text(pod, "interface"));
		text_put(YELLOW, " not in this plugin's ledger");
	}
	if (!json_is_true(json_object_get(pod, "up")))
		text_put(RED, " down");
	text_end();
	text_below(branch, false);
	put_place(pod);
	put_list(json_object_get(pod, "addresses"), "  ");
	put_list(json_object_get(pod, "defaultRoutes"), "  default via ");
	text_end();
	print_objects(branch, pod);
}

static void print_head(const json_t *master)
{
	const json_t *anchor = json_object_get(master, "anchor"), *holder = json_object_get(master, "holder");
	const char *name = scan_text(master, "name"), *place = scan_text(master, "namespace");

	if (*name)
		text_put(BOLD, "%s", name);
	else
		text_put(BOLD, "link %lld of a namespace that is not known here", number(master, "index"));
	if (*place)
		text_put(PLAIN, " in %s", place);
	text_put(PLAIN, "  %s %s", scan_text(master, "mode"), scan_text(master, "flag"));
	if (number(master, "mtu"))
		text_put(PLAIN, ", MTU %lld", number(master, "mtu"));
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

static void print_master(const json_t *master)
{
	const json_t *pods = json_object_get(master, "pods"), *pod;
	size_t i;

	print_head(master);
	json_array_foreach(pods, i, pod) {
		const struct branch branch = { .last = i + 1 == json_array_size(pods) };

		print_pod(&branch, pod);
	}
	if (!json_array_size(pods)) {
		text_entry(&(struct branch){ .last = true });
		text_put(DIM, "no pods");
		text_end();
	}
}

/* Why an attachment has no interface. */
static const char *explanation(const char *state)
{
	if (!strcmp(state, "gone"))
		return "its namespace is gone: ipvlanctl gc gives back what it holds";
	if (!strcmp(state, "no interface"))
		return "its namespace lives, the interface is gone";
	if (!strcmp(state, "hidden"))
		return "its namespace lives where it cannot be looked into";
	return "nobody can say whether its namespace lives";
}

static void print_lost(const json_t *lost)
{
	const json_t *pod;
	size_t i;

	if (!json_array_size(lost))
		return;
	text_put(BOLD, "attachments without an interface");
	text_end();
	json_array_foreach(lost, i, pod) {
		const struct branch branch = { .last = i + 1 == json_array_size(lost) };
		const char *container = scan_text(pod, "container");

		text_entry(&branch);
		text_put(BOLD, "%.*s", shown(container), container);
		text_put(PLAIN, " %s, network %s: ", scan_text(pod, "interface"), scan_text(pod, "network"));
		text_put(YELLOW, "%s", explanation(scan_text(pod, "state")));
		text_end();
		text_below(&branch, false);
		put_place(pod);
		text_end();
		print_objects(&branch, pod);
	}
	text_end();
}

static void print_range(const char *network, const json_t *range, int wide)
{
	const long long size = number(range, "size"), leased = number(range, "leased");
	const double share = size ? (double)leased / (double)size : 1;

	text_put(PLAIN, "  %-*s  ", wide, network);
	text_bar(share >= 1 ? RED : share >= TIGHT ? YELLOW : GREEN, share);
	text_put(PLAIN, " %3.0f%%  %lld of %lld  %s", 100 * share, leased, size,
		 scan_text(range, "rangeSet"));
	if (number(range, "dead"))
		text_put(YELLOW, "  %lld of them by nobody any more", number(range, "dead"));
	text_end();
}

static void print_pools(const json_t *pools)
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
			print_range(scan_text(pool, "network"), range, wide);
}

static void print_text(const json_t *doc)
{
	const json_t *masters = json_object_get(doc, "masters"), *master;
	size_t i;

	json_array_foreach(masters, i, master) {
		print_master(master);
		text_end();
	}
	if (!json_array_size(masters)) {
		text_put(PLAIN, "There is no ipvlan interface.");
		text_end();
		text_end();
	}
	print_lost(json_object_get(doc, "lost"));
	print_pools(json_object_get(doc, "pools"));
}

/* What cannot be read is said, and does not keep the rest from being shown. */
static json_t *all_pools(void)
{
	struct cni_error why = { 0 };
	json_auto_t *files = places_list(&why);
	json_t *all = json_array();
	const json_t *file;
	size_t i;

	if (!files)
		cni_log("ipvlanctl: %s", why.msg);
	json_array_foreach(files, i, file) {
		json_auto_t *pools = NULL;

		why = (struct cni_error){ 0 };
		pools = pools_of(json_string_value(file), &why);
		if (pools)
			json_array_extend(all, pools);
		else
			cni_log("ipvlanctl: pools of %s: %s", json_string_value(file), why.msg);
	}
	return all;
}

int show_main(int argc, char **argv)
{
	const char *form = argc > 1 ? argv[1] : "";
	struct cni_error err = { 0 };
	json_auto_t *doc = NULL;

	if (argc > 2 || (*form && strcmp(form, "--json") != 0 && strcmp(form, "--dot") != 0)) {
		fputs("usage: ipvlanctl show [--json | --dot]\n", stderr);
		return EXIT_USAGE;
	}
	doc = scan(&err);
	if (!doc) {
		cni_log("ipvlanctl: %s", err.msg);
		return 1;
	}
	json_object_set_new(doc, "pools", all_pools());
	if (!strcmp(form, "--json")) {
		json_dumpf(doc, stdout, JSON_INDENT(4));
		text_end();
	} else if (*form) {
		draw(doc);
	} else {
		print_text(doc);
	}
	return 0;
}
