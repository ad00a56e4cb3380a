/* SPDX-License-Identifier: Apache-2.0 */
/* The output of `ipvlanctl show`: one screen for a machine. */
#include "ctl/show.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/overview.h"
#include "ctl/pools.h"
#include "ctl/report.h"
#include "ctl/scan.h"
#include "ctl/table.h"

/* More free addresses are printed as "many". */
#define PLENTY 1000000LL
#define DAY_S 86400LL

struct show_age show_age(long long seconds)
{
	struct show_age age;

	if (seconds < 60)
		snprintf(age.s, sizeof(age.s), "%llds", seconds);
	else if (seconds < 3600)
		snprintf(age.s, sizeof(age.s), "%lldm", seconds / 60);
	else if (seconds < DAY_S)
		snprintf(age.s, sizeof(age.s), "%lldh", seconds / 3600);
	else
		snprintf(age.s, sizeof(age.s), "%lldd", seconds / DAY_S);
	return age;
}

enum paint show_paint(const char *condition)
{
	if (!strcmp(condition, "ok"))
		return GREEN;
	if (!strcmp(condition, "damaged"))
		return RED;
	return !strcmp(condition, "foreign") || !strcmp(condition, "unseen") ? DIM : YELLOW;
}

static void show_table_print_counts(const json_t *doc)
{
	const size_t ok = overview_count_pods(doc, "ok"), foreign = overview_count_pods(doc, "foreign");
	const size_t warnings = overview_count_problems(doc, "warning"),
		     errors = overview_count_problems(doc, "error");

	text_put(BOLD, "%s", *scan_text(doc, "node") ? scan_text(doc, "node") : "this machine");
	text_put(PLAIN, ":  ");
	text_put(GREEN, "%zu pod%s ok", ok, ok == 1 ? "" : "s");
	text_put(PLAIN, "  ");
	text_put(warnings ? YELLOW : PLAIN, "%zu warning%s", warnings, warnings == 1 ? "" : "s");
	text_put(PLAIN, "  ");
	text_put(errors ? RED : PLAIN, "%zu error%s", errors, errors == 1 ? "" : "s");
	if (foreign)
		text_put(DIM, "  %zu of other programs", foreign);
	text_end();
}

static void show_table_put_free(struct table *table, const json_t *pool, const json_t *set)
{
	const long long size = json_integer_value(json_object_get(set, "size"));
	const long long unused = size - json_integer_value(json_object_get(set, "used"));
	const bool tight = (double)unused <= (1 - SHOW_TIGHT) * (double)size && !pools_is_shared(pool);

	if (unused >= PLENTY)
		table_put(table, PLAIN, "plenty");
	else
		table_put(table, !tight ? PLAIN : unused <= 0 ? RED : YELLOW, "%lld/%lld", unused, size);
	table_put(table, PLAIN, "%s", scan_text(set, "rangeSet"));
}

/* Prints a line for each range set of a network. Only the first has the other columns. */
static void show_table_put_sets(struct table *table, const json_t *doc, const json_t *network)
{
	const json_t *pool, *set;
	size_t i, k, n = 0;

	json_array_foreach(json_object_get(doc, "pools"), i, pool) {
		if (strcmp(scan_text(pool, "network"), scan_text(network, "name")) != 0)
			continue;
		json_array_foreach(json_object_get(pool, "rangeSets"), k, set) {
			for (int blank = 0; n && blank < 4; blank++)
				table_put(table, PLAIN, "%s", "");
			show_table_put_free(table, pool, set);
			n++;
		}
	}
	if (n)
		return;
	table_put(table, PLAIN, "-");
	table_put(table, DIM, "%s%s", *scan_text(network, "ipam") ? "addresses of " : "",
		  scan_text(network, "ipam"));
}

static void show_table_put_network(struct table *table, const json_t *doc, const json_t *network)
{
	const long long pods = json_integer_value(json_object_get(network, "pods"));
	const long long lost = json_integer_value(json_object_get(network, "lost"));
	const json_t *masters = json_object_get(network, "masters");
	const char *flag = scan_text(network, "flag");

	table_put(table, BOLD, "%s", scan_text(network, "name"));
	table_put(table, PLAIN, "%s%s",
		  json_array_size(masters) ? json_string_value(json_array_get(masters, 0)) : "-",
		  json_array_size(masters) > 1 ? ", ..." : "");
	table_put(table, PLAIN, "%s%s%s", scan_text(network, "mode"), *flag ? " " : "", flag);
	if (lost)
		table_put(table, YELLOW, "%lld (%lld lost)", pods, lost);
	else
		table_put(table, PLAIN, "%lld", pods);
	show_table_put_sets(table, doc, network);
}

static void show_table_print_networks(const json_t *doc)
{
	struct table table = { .heads = { "NETWORK", "MASTER", "MODE", "PODS", "FREE", "POOL" },
			       .columns = 6,
			       .room = 5 };
	const json_t *network;
	size_t i;

	json_array_foreach(json_object_get(doc, "networks"), i, network)
		show_table_put_network(&table, doc, network);
	if (table.n)
		text_end();
	table_print(&table);
}

/* Without the length of the prefix, which is that of the network. */
static void show_table_put_address(struct table *table, const json_t *addresses, size_t i)
{
	const char *text =
		i < json_array_size(addresses) ? json_string_value(json_array_get(addresses, i)) : "-";

	table_put(table, PLAIN, "%.*s", (int)strcspn(text, "/"), text);
}

static void show_table_put_state(struct table *table, const json_t *pod)
{
	const char *condition = scan_text(pod, "condition"), *remedy = scan_text(pod, "remedy");

	table_put(table, show_paint(condition), "%s%s%s",
		  !strcmp(condition, "foreign") ? "other program" : condition, *remedy ? " -> " : "", remedy);
}

/* The name of the pod's namespace, by which people may know the pod; "": none, or one that a runtime made
 * from the container. */
static const char *show_table_namespace_name(const json_t *pod)
{
	const char *path = scan_text(json_object_get(pod, "namespace"), "path");
	const char *name = strncmp(path, "/run/netns/", 11) ? "" : path + 11;

	if (*scan_text(json_object_get(pod, "pod"), "name") || !strcmp(name, scan_text(pod, "container")) ||
	    !*scan_text(pod, "container") || !strncmp(name, "cni-", 4) || !strncmp(name, "netns-", 6))
		return "";
	return name;
}

/* A tree's lines join the pods of a network. */
static void show_table_put_pod(struct table *table, const json_t *pod, bool last)
{
	const json_t *addresses = json_object_get(pod, "addresses"), *age = json_object_get(pod, "age");
	const char *network = scan_text(pod, "network"), *place = show_table_namespace_name(pod);

	table_put(table, PLAIN, "%s %s %s%s%s", last ? "`-" : "|-", pod_name(pod).s,
		  scan_text(pod, "interface"), *place ? " in " : "", place);
	table_put(table, PLAIN, "%s", *network ? network : "-");
	show_table_put_address(table, addresses, 0);
	table_put(table, PLAIN, "%s", json_is_integer(age) ? show_age(json_integer_value(age)).s : "-");
	show_table_put_state(table, pod);
	for (size_t i = 1; i < json_array_size(addresses); i++)
		for (size_t column = 0; column < table->columns; column++)
			if (column == 2)
				show_table_put_address(table, addresses, i);
			else
				table_put(table, PLAIN, "%s", !column && !last ? "|" : "");
}

struct pod_list {
	json_t **pods;
	size_t n, space;
};

static void show_table_list_pod(json_t *pod, const json_t *master, void *arg)
{
	struct pod_list *list = arg;

	(void)master;
	if (list->n == list->space) {
		list->space = 2 * list->space + 64;
		list->pods = realloc(list->pods, list->space * sizeof(json_t *));
		if (!list->pods)
			abort();
	}
	list->pods[list->n++] = pod;
}

static int show_table_by_network_and_name(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const char *first = scan_text(x, "network"), *second = scan_text(y, "network");
	int order = strcmp(first, second);

	if (order && (!*first || !*second)) /* those of other programs come last */
		order = *first ? -1 : 1;
	return order ? order : strverscmp(pod_name(x).s, pod_name(y).s);
}

static void show_table_print_pods(const json_t *doc)
{
	struct table table = { .heads = { "   POD, INTERFACE", "NETWORK", "ADDRESS", "AGE", "STATE" },
			       .columns = 5 };
	struct pod_list list = { .n = 0 };

	pods_each_of(doc, show_table_list_pod, &list);
	if (list.n) {
		qsort(list.pods, list.n, sizeof(json_t *), show_table_by_network_and_name);
		text_end();
	}
	for (size_t i = 0; i < list.n; i++)
		show_table_put_pod(&table, list.pods[i],
				   i + 1 == list.n || strcmp(scan_text(list.pods[i], "network"),
							     scan_text(list.pods[i + 1], "network")) != 0);
	table_print(&table);
	free(list.pods);
}

void show_problems(const json_t *doc)
{
	const json_t *problems = json_object_get(doc, "problems"), *problem;
	struct report all = { .worst = OK };
	size_t i;

	if (json_array_size(problems))
		text_end();
	json_array_foreach(problems, i, problem)
		report(&all, !strcmp(scan_text(problem, "level"), "error") ? ERROR : WARNING,
		       scan_text(problem, "about"), scan_text(problem, "remedy"), "%s",
		       scan_text(problem, "text"));
}

void show_table(const json_t *doc)
{
	show_table_print_counts(doc);
	show_table_print_networks(doc);
	show_table_print_pods(doc);
	show_problems(doc);
}
