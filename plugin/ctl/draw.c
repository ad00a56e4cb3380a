/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/ip.h"
#include "cni/json.h"
#include "ctl/overview.h"
#include "ctl/scan.h"
#include "ctl/text.h"

/* If a network has more pods, one node stands for those that are ok. */
#define SINGLE_MAX 20

static const struct look {
	const char *condition, *style, *fill, *line;
} looks[] = {
	{ "ok", "rounded,filled", "#dff3e4", "#2e8b57" },
	{ "damaged", "rounded,filled,bold", "#f9d2d0", "#c0392b" },
	{ "lost", "rounded,filled,dashed", "#fdebd0", "#d68910" },
	{ "unknown", "rounded,filled,dashed", "#eeeeee", "#7f8c8d" },
	{ "unseen", "rounded,filled,dashed", "#eeeeee", "#7f8c8d" },
	{ "foreign", "rounded,filled,dashed", "#ffffff", "#7f8c8d" },
};
#define LOOKS (sizeof(looks) / sizeof(*looks))

static const struct look *draw_look_of(const char *condition)
{
	for (size_t i = 0; i < LOOKS; i++)
		if (!strcmp(looks[i].condition, condition))
			return &looks[i];
	return &looks[3];
}

/* Prints inside a label, and also escapes the characters that end one. */
__attribute__((format(printf, 1, 2))) static void put_label(const char *format, ...)
{
	autofree char *text = NULL, *safe = NULL;
	va_list args;

	va_start(args, format);
	text = text_format(format, args);
	va_end(args);
	safe = text_escape(text);
	for (const char *c = safe; *c; c++) {
		if (*c == '"' || *c == '\\')
			putchar('\\');
		putchar(*c);
	}
}

static void draw_put_lines(const json_t *list, const char *before)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry) {
		printf("\\n");
		put_label("%s%.*s", before, (int)strcspn(json_string_value(entry), "/"),
			  json_string_value(entry));
	}
}

/* The pods of one network on one master. */
struct group {
	const json_t *doc, *master; /* master NULL: unknown */
	const char *network;	    /* "": the interfaces of other programs */
	size_t number;		    /* of all groups */
	size_t pods, folded;
	bool fold;
	const struct look *only; /* the pods in this condition */
};

static bool draw_is_home(const json_t *master)
{
	return *scan_text(master, "name") && !*scan_text(master, "namespace");
}

/* A lost pod is drawn at the master of its network's other pods, or else at that of the configuration. */
static const json_t *draw_master_of_lost(const json_t *doc, const char *name)
{
	const json_t *network, *master, *wanted = NULL;
	size_t i;

	json_array_foreach(json_object_get(doc, "networks"), i, network)
		if (!strcmp(scan_text(network, "name"), name))
			wanted = json_array_get(json_object_get(network, "masters"), 0);
	json_array_foreach(json_object_get(doc, "masters"), i, master)
		if (wanted && draw_is_home(master) &&
		    !strcmp(scan_text(master, "name"), json_string_value(wanted)))
			return master;
	return NULL;
}

static bool draw_is_in(const json_t *pod, const json_t *master, const struct group *group)
{
	const char *network = scan_text(pod, "network");

	if (strcmp(network, group->network) != 0)
		return false;
	return (master ? master : draw_master_of_lost(group->doc, network)) == group->master;
}

static void draw_count_pod(json_t *pod, const json_t *master, void *arg)
{
	struct group *group = arg;

	group->pods += draw_is_in(pod, master, group);
}

static void draw_node(const struct group *group, size_t i, const struct look *look)
{
	printf("\t\t\tpod%zu_%zu [style=\"%s\", fillcolor=\"%s\", color=\"%s\", label=\"", group->number, i,
	       look->style, look->fill, look->line);
}

static void draw_edge(const struct group *group, size_t i, const struct look *look)
{
	if (group->master)
		printf("\tmaster%lld_%lld -- pod%zu_%zu [color=\"%s\"%s];\n",
		       scan_number(group->master, "namespaceInode"), scan_number(group->master, "index"),
		       group->number, i, look->line, strstr(look->style, "dashed") ? ", style=dashed" : "");
}

static void draw_pod(const struct group *group, const json_t *pod, const struct look *look)
{
	const char *remedy = scan_text(pod, "remedy");

	draw_node(group, group->pods, look);
	put_label("%s", pod_name(pod).s);
	if (!*scan_text(pod, "container")) {
		printf("\\n");
		put_label("%s, of another program", scan_text(pod, "interface"));
	}
	draw_put_lines(json_object_get(pod, "addresses"), "");
	if (strcmp(look->condition, "ok") != 0 && strcmp(look->condition, "foreign") != 0) {
		printf("\\n");
		put_label("%s%s%s", look->condition, *remedy ? ": " : "", remedy);
	}
	printf("\"];\n");
}

static void draw_member(json_t *pod, const json_t *master, void *arg)
{
	struct group *group = arg;
	const struct look *look = draw_look_of(scan_text(pod, "condition"));

	if (!draw_is_in(pod, master, group) || look != group->only)
		return;
	if (group->fold && (!strcmp(look->condition, "ok") || group->pods >= SINGLE_MAX)) {
		group->folded++;
		return;
	}
	draw_pod(group, pod, look);
	group->pods++;
}

/* Draws the pods in one condition, and one node for all that are too many. */
static size_t draw_members(struct group *group, const struct look *look, size_t first)
{
	group->only = look;
	group->folded = 0;
	group->pods = first;
	pods_each_of(group->doc, draw_member, group);
	if (!group->folded)
		return group->pods;
	draw_node(group, group->pods, look);
	printf("%zu pods %s\", fontsize=16, margin=\"0.3,0.25\", peripheries=2];\n", group->folded,
	       look->condition);
	return group->pods + 1;
}

static void draw_head(const struct group *group)
{
	const json_t *network;
	size_t i;

	printf("\t\tsubgraph cluster_%zu {\n\t\t\tlabel=\"", group->number);
	if (*group->network)
		put_label("network %s", group->network);
	else
		printf("other programs");
	json_array_foreach(json_object_get(group->doc, "networks"), i, network) {
		if (!*group->network || strcmp(scan_text(network, "name"), group->network) != 0)
			continue;
		printf("\\n");
		put_label("%s %s, %zu pod%s", scan_text(network, "mode"), scan_text(network, "flag"),
			  group->pods, group->pods == 1 ? "" : "s");
		if (json_is_integer(json_object_get(network, "free")))
			printf(", %lld of %lld addresses free", scan_number(network, "free"),
			       scan_number(network, "size"));
	}
	printf("\";\n\t\t\tstyle=\"rounded,filled\"; fillcolor=\"#ffffff\"; color=\"#b0b8c0\";\n");
}

static void draw_group(struct group *group)
{
	size_t ends[LOOKS + 1] = { 0 };

	group->pods = 0;
	pods_each_of(group->doc, draw_count_pod, group);
	if (!group->pods)
		return;
	group->fold = group->pods > SINGLE_MAX;
	draw_head(group);
	for (size_t i = 0; i < LOOKS; i++)
		ends[i + 1] = draw_members(group, &looks[i], ends[i]);
	printf("\t\t}\n");
	for (size_t i = 0; i < LOOKS; i++)
		for (size_t k = ends[i]; k < ends[i + 1]; k++)
			draw_edge(group, k, &looks[i]);
	group->number++;
}

/* Draws each network of the master, then the interfaces of other programs. */
static void draw_groups(const json_t *doc, const json_t *master, size_t *groups)
{
	struct group group = { .doc = doc, .master = master, .number = *groups };
	const json_t *network;
	size_t i;

	json_array_foreach(json_object_get(doc, "networks"), i, network) {
		group.network = scan_text(network, "name");
		draw_group(&group);
	}
	group.network = "";
	draw_group(&group);
	*groups = group.number;
}

static void draw_device(const char *id, const char *fill, const char *line)
{
	printf("\t\t%s [shape=box, style=\"filled\", fillcolor=\"%s\", color=\"%s\", margin=\"0.2,0.12\", "
	       "fontsize=13, label=\"",
	       id, fill, line);
}

static void draw_master(const json_t *master)
{
	const char *name = scan_text(master, "name"), *place = scan_text(master, "namespace");
	const bool up = !*name || json_is_true(json_object_get(master, "up"));
	const long long vlan = scan_number(master, "vlan");
	char id[64];

	snprintf(id, sizeof(id), "master%lld_%lld", scan_number(master, "namespaceInode"),
		 scan_number(master, "index"));
	draw_device(id,
		    !up	   ? "#f9d2d0"
		    : vlan ? "#eae0f5"
			   : "#dce8f7",
		    !up	   ? "#c0392b"
		    : vlan ? "#7d5ba6"
			   : "#34679a");
	put_label("%s", *name ? name : "a link of another namespace");
	if (vlan)
		printf("\\nVLAN %lld", vlan);
	if (*place) {
		printf("\\nin ");
		put_label("%s", place);
	}
	if (!strcmp(scan_text(master, "kind"), "dummy"))
		printf("\\nfor these pods alone");
	if (!up)
		printf("\\ndown");
	draw_put_lines(json_object_get(master, "addresses"), "");
	printf("\"];\n");
}

/* Prints the subnet of an address. */
static void draw_put_subnet(const char *text)
{
	struct prefix prefix;

	if (!prefix_parse(text, &prefix))
		return;
	prefix = prefix_network(&prefix);
	printf("\\n%s", prefix_text(&prefix).s);
}

static void draw_lan(const json_t *master)
{
	const json_t *address;
	size_t i;

	printf("\tlan%lld [shape=ellipse, style=\"filled\", fillcolor=\"#fff6d5\", color=\"#b58900\", "
	       "fontsize=13, label=\"LAN",
	       scan_number(master, "index"));
	json_array_foreach(json_object_get(master, "addresses"), i, address)
		draw_put_subnet(json_string_value(address));
	draw_put_lines(json_object_get(master, "gateways"), "gateway ");
	printf("\"];\n\tlan%lld -- master%lld_%lld [penwidth=2];\n", scan_number(master, "index"),
	       scan_number(master, "namespaceInode"), scan_number(master, "index"));
}

static const json_t *draw_find_master(const json_t *doc, const char *name)
{
	const json_t *master;
	size_t i;

	json_array_foreach(json_object_get(doc, "masters"), i, master)
		if (draw_is_home(master) && !strcmp(scan_text(master, "name"), name))
			return master;
	return NULL;
}

static json_t *draw_parents_of(const json_t *doc)
{
	json_t *parents = json_object();
	const json_t *master;
	size_t i;

	json_array_foreach(json_object_get(doc, "masters"), i, master) {
		const char *parent = scan_text(master, "parent");

		if (*parent && !draw_find_master(doc, parent) && !json_object_get(parents, parent))
			json_object_set_new(parents, parent,
					    json_integer((json_int_t)json_object_size(parents)));
	}
	return parents;
}

/* Draws the devices below VLANs, if the devices have no pods. */
static void draw_parents(json_t *parents)
{
	const char *name;
	json_t *parent;
	char id[64];

	json_object_foreach(parents, name, parent) {
		snprintf(id, sizeof(id), "parent%lld", json_integer_value(parent));
		draw_device(id, "#dce8f7", "#34679a");
		put_label("%s", name);
		printf("\"];\n");
	}
}

static void draw_vlan(const json_t *doc, const json_t *master, const json_t *parents)
{
	const json_t *parent = draw_find_master(doc, scan_text(master, "parent"));

	if (parent)
		printf("\tmaster%lld_%lld", scan_number(parent, "namespaceInode"),
		       scan_number(parent, "index"));
	else
		printf("\tparent%lld", scan_number(parents, scan_text(master, "parent")));
	printf(" -- master%lld_%lld [penwidth=2];\n", scan_number(master, "namespaceInode"),
	       scan_number(master, "index"));
}

static void draw_lans(const json_t *masters, const json_t *parents)
{
	const json_t *master;
	size_t i;

	json_array_foreach(masters, i, master)
		if (draw_is_home(master) && !scan_number(master, "vlan") &&
		    strcmp(scan_text(master, "kind"), "dummy") != 0)
			draw_lan(master);
	for (i = 0; i < json_object_size(parents); i++)
		printf("\tlan_parent%zu [shape=ellipse, style=\"filled\", fillcolor=\"#fff6d5\", "
		       "color=\"#b58900\", fontsize=13, label=\"LAN\"];\n\tlan_parent%zu -- parent%zu "
		       "[penwidth=2];\n",
		       i, i, i);
}

static void draw_title(const json_t *doc)
{
	const size_t pods = overview_count_pods(doc, "ok"), errors = overview_count_problems(doc, "error"),
		     warnings = overview_count_problems(doc, "warning");

	printf("graph ipvlan {\n\trankdir=LR; labelloc=t; fontsize=20; fontname=\"Helvetica\"; pad=0.4;\n"
	       "\tnodesep=0.12; ranksep=0.9; splines=true; compound=true;\n"
	       "\tnode [shape=box, fontname=\"Helvetica\", fontsize=11, height=0.3, margin=\"0.14,0.06\"];\n"
	       "\tedge [fontname=\"Helvetica\", fontsize=10, color=\"#607080\"];\n\tlabel=\"");
	put_label("%s: %zu pod%s ok, %zu warning%s, %zu error%s", scan_text(doc, "node"), pods,
		  pods == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", errors, errors == 1 ? "" : "s");
	printf("\";\n");
}

void draw(const json_t *doc)
{
	const json_t *masters = json_object_get(doc, "masters"), *master;
	json_auto_t *parents = draw_parents_of(doc);
	size_t i, groups = 0;

	draw_title(doc);
	printf("\tsubgraph cluster_host {\n\t\tlabel=\"");
	put_label("host %s", scan_text(doc, "node"));
	printf("\"; fontsize=15; style=\"rounded,filled\"; fillcolor=\"#f4f6f8\"; color=\"#8090a0\";\n");
	json_array_foreach(masters, i, master) {
		draw_master(master);
		draw_groups(doc, master, &groups);
	}
	draw_groups(doc, NULL, &groups);
	draw_parents(parents);
	json_array_foreach(masters, i, master)
		if (*scan_text(master, "parent"))
			draw_vlan(doc, master, parents);
	printf("\t}\n");
	draw_lans(masters, parents);
	printf("}\n");
}
