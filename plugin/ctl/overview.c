/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/overview.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/json.h"
#include "cni/log.h"
#include "ctl/judge.h"
#include "ctl/networks.h"
#include "ctl/pools.h"
#include "ctl/progress.h"
#include "ctl/scan.h"

int id_shown(const char *container)
{
	return strlen(container) == 64 && strspn(container, "0123456789abcdef") == 64 ? 12 : 253;
}

struct pod_name pod_name(const json_t *pod)
{
	const json_t *workload = json_object_get(pod, "pod"), *place = json_object_get(pod, "namespace");
	const char *space = scan_text(workload, "namespace"), *name = scan_text(workload, "name");
	const char *container = scan_text(pod, "container"), *path = scan_text(place, "path");
	const long long pid = json_integer_value(json_object_get(place, "pid"));
	const char *slash = strrchr(path, '/');
	struct pod_name text;

	if (*name)
		snprintf(text.s, sizeof(text.s), "%s%s%s", space, *space ? "/" : "", name);
	else if (*container)
		snprintf(text.s, sizeof(text.s), "%.*s", id_shown(container), container);
	else if (pid)
		snprintf(text.s, sizeof(text.s), "(pid %lld)", pid);
	else
		snprintf(text.s, sizeof(text.s), "(%.250s)", slash ? slash + 1 : *path ? path : "host");
	return text;
}

struct pod_label pod_label(const json_t *pod)
{
	const bool named = *scan_text(json_object_get(pod, "pod"), "name");
	struct pod_label label;

	snprintf(label.s, sizeof(label.s), "%s %s", named ? "pod" : "container",
		 named ? pod_name(pod).s : scan_text(pod, "container"));
	return label;
}

void pods_each_of(const json_t *doc, void (*each)(json_t *pod, const json_t *master, void *arg), void *arg)
{
	const json_t *master;
	json_t *pod;
	size_t i, k;

	json_array_foreach(json_object_get(doc, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod)
			each(pod, master, arg);
	json_array_foreach(json_object_get(doc, "lost"), i, pod)
		each(pod, NULL, arg);
}

struct tally {
	const char *condition;
	size_t n;
};

static void overview_tally_pod(json_t *pod, const json_t *master, void *arg)
{
	struct tally *tally = arg;

	(void)master;
	tally->n += !strcmp(scan_text(pod, "condition"), tally->condition);
}

size_t overview_count_pods(const json_t *doc, const char *condition)
{
	struct tally tally = { .condition = condition };

	pods_each_of(doc, overview_tally_pod, &tally);
	return tally.n;
}

size_t overview_count_problems(const json_t *doc, const char *level)
{
	const json_t *problem;
	size_t i, n = 0;

	json_array_foreach(json_object_get(doc, "problems"), i, problem)
		n += !strcmp(scan_text(problem, "level"), level);
	return n;
}

/* Reads the pools of all networks. Skips those that cannot be read. */
static json_t *overview_read_pools(const json_t *networks)
{
	json_t *all = json_array();
	const json_t *network;
	size_t i;

	json_array_foreach(networks, i, network) {
		struct cni_error why = { 0 };
		json_auto_t *pools = pools_of(network, false, &why);

		if (pools)
			json_array_extend(all, pools);
		else
			cni_log("ipvlanctl: network %s in %s: %s", scan_text(network, "name"),
				networks_place(network), why.msg);
	}
	return all;
}

static json_t *overview_network_new(const char *name)
{
	return json_pack("{s:o, s:n, s:n, s:[], s:n, s:n, s:i, s:i, s:n, s:n}", "name", json_text(name),
			 "file", "ipam", "masters", "mode", "flag", "pods", 0, "lost", 0, "free", "size");
}

static json_t *overview_network_find(const json_t *summary, const char *name)
{
	json_t *network;
	size_t i;

	json_array_foreach(summary, i, network)
		if (!strcmp(scan_text(network, "name"), name))
			return network;
	return NULL;
}

static json_t *overview_network_of(json_t *summary, const char *name)
{
	json_t *network = overview_network_find(summary, name);

	if (!network) {
		network = overview_network_new(name);
		json_array_append_new(summary, network);
	}
	return network;
}

static void overview_add_to(json_t *network, const char *key)
{
	json_object_set_new(network, key,
			    json_integer(json_integer_value(json_object_get(network, key)) + 1));
}

static bool overview_lists(const json_t *list, const char *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (!strcmp(json_string_value(entry), text))
			return true;
	return false;
}

/* The masters of pods count more than the file, which may have changed. */
static void overview_summarize_pod(json_t *pod, const json_t *master, void *arg)
{
	const char *name = scan_text(pod, "network"), *device = scan_text(master, "name");
	json_t *network;

	if (!*name)
		return;
	network = overview_network_of(arg, name);
	overview_add_to(network, "pods");
	if (!strcmp(scan_text(pod, "condition"), "lost"))
		overview_add_to(network, "lost");
	if (!master)
		return;
	json_object_set(network, "mode", json_object_get(master, "mode"));
	json_object_set(network, "flag", json_object_get(master, "flag"));
	if (*device && !overview_lists(json_object_get(network, "masters"), device))
		json_array_append_new(json_object_get(network, "masters"), json_text(device));
}

static void overview_summarize_configured(json_t *summary, const json_t *configured)
{
	const json_t *plugin = networks_ipvlan(configured);
	const char *mode = json_string_value(json_field(plugin, "mode"));
	const char *master = json_string_value(json_field(plugin, "master"));
	const char *ipam = json_string_value(json_field(json_field(plugin, "ipam"), "type"));
	const long long vlan = json_integer_value(json_field(plugin, "vlan"));
	json_t *network;

	if (!plugin)
		return;
	network = overview_network_of(summary, scan_text(configured, "name"));
	json_object_set(network, "file", json_object_get(configured, "file"));
	if (ipam)
		json_object_set_new(network, "ipam", json_text(ipam));
	if (json_is_null(json_object_get(network, "mode")))
		json_object_set_new(network, "mode", json_text(mode ? mode : "l2"));
	if (!master || json_array_size(json_object_get(network, "masters")))
		return;
	json_array_append_new(json_object_get(network, "masters"),
			      vlan ? json_sprintf("%s.%lld", master, vlan) : json_text(master));
}

static void overview_summarize_pool(const json_t *summary, const json_t *pool)
{
	json_t *network = overview_network_find(summary, scan_text(pool, "network"));
	const json_t *range;
	size_t i;

	if (!network)
		return;
	json_array_foreach(json_object_get(pool, "rangeSets"), i, range) {
		const json_int_t size = json_integer_value(json_object_get(range, "size"));
		const json_int_t unused = size - json_integer_value(json_object_get(range, "used"));

		/* each pod requires an address of each range set */
		if (!json_is_integer(json_object_get(network, "free")) ||
		    unused < json_integer_value(json_object_get(network, "free"))) {
			json_object_set_new(network, "free", json_integer(unused));
			json_object_set_new(network, "size", json_integer(size));
		}
	}
}

static json_t *overview_summarize(const json_t *doc, const json_t *networks)
{
	json_t *summary = json_array();
	const json_t *entry;
	size_t i;

	pods_each_of(doc, overview_summarize_pod, summary);
	json_array_foreach(networks, i, entry)
		overview_summarize_configured(summary, entry);
	json_array_foreach(json_object_get(doc, "pools"), i, entry)
		overview_summarize_pool(summary, entry);
	return summary;
}

static void overview_keep_warning(void *arg, const char *line)
{
	static const char prefix[] = "ipvlanctl: ";
	const size_t skip = strncmp(line, prefix, sizeof(prefix) - 1) ? 0 : sizeof(prefix) - 1;

	json_array_append_new(arg, json_text(line + skip));
}

static json_t *overview_look(const json_t *earlier, struct cni_error *err)
{
	json_auto_t *networks = NULL, *of_pods = json_array(), *of_pools = json_array();
	char node[256] = "";
	json_t *doc;

	log_divert(overview_keep_warning, of_pods);
	doc = scan(err);
	log_divert(NULL, NULL);
	if (!doc)
		return NULL;
	if (gethostname(node, sizeof(node) - 1) < 0)
		*node = '\0';
	json_object_set_new(doc, "node", json_text(node));
	log_divert(overview_keep_warning, of_pools);
	networks = networks_list(NULL);
	json_object_set_new(doc, "pools", overview_read_pools(networks));
	log_divert(NULL, NULL);
	json_object_set_new(doc, "unread", json_pack("{s:O, s:O}", "pods", of_pods, "pools", of_pools));
	json_object_set(doc, "configurations", networks);
	judge(doc, earlier);
	json_object_set_new(doc, "networks", overview_summarize(doc, networks));
	return doc;
}

/* Calls that run during the first look end before the second. */
#define SECOND_LOOK_US 200000

/* Looks twice if a pod is damaged: an ADD or a DEL may be running. */
json_t *overview_read(struct cni_error *err)
{
	json_auto_t *first = NULL;
	json_t *doc;

	progress("looking at pods and networks");
	first = overview_look(NULL, err);
	if (!first || !overview_count_pods(first, "damaged")) {
		progress_end();
		return json_incref(first);
	}
	usleep(SECOND_LOOK_US);
	doc = overview_look(json_object_get(first, "problems"), err);
	progress_end();
	return doc;
}

struct selection {
	const char *what;
	bool start;    /* what is the start of a container's id */
	json_t *names; /* the networks and masters of the pods that are kept: an object */
	json_t *pods;  /* the names of these pods: an object */
};

static bool overview_is_address(const json_t *addresses, const char *what)
{
	const size_t len = strlen(what);
	const json_t *entry;
	size_t i;

	json_array_foreach(addresses, i, entry) {
		const char *address = json_string_value(entry);

		if (!strncmp(address, what, len) && (!address[len] || address[len] == '/'))
			return true;
	}
	return false;
}

static bool overview_is_named(const json_t *pod, const json_t *master, const char *what)
{
	const char *name = scan_text(json_object_get(pod, "pod"), "name");

	return !strcmp(pod_name(pod).s, what) || (*name && !strcmp(name, what)) ||
	       !strcmp(scan_text(pod, "container"), what) || !strcmp(scan_text(pod, "network"), what) ||
	       !strcmp(scan_text(master, "name"), what) ||
	       overview_is_address(json_object_get(pod, "addresses"), what);
}

static bool overview_is_selected(const json_t *pod, const json_t *master, const struct selection *selection)
{
	if (selection->start)
		return !strncmp(scan_text(pod, "container"), selection->what, strlen(selection->what));
	return overview_is_named(pod, master, selection->what);
}

/* A whole name precedes the start of an id. */
static void overview_look_for_name(json_t *pod, const json_t *master, void *arg)
{
	struct selection *selection = arg;

	selection->start &= !overview_is_named(pod, master, selection->what);
}

static void overview_keep_pods(json_t *pods, const json_t *master, const struct selection *selection)
{
	for (size_t i = json_array_size(pods); i > 0; i--) {
		json_t *pod = json_array_get(pods, i - 1);

		if (!overview_is_selected(pod, master, selection)) {
			json_array_remove(pods, i - 1);
			continue;
		}
		json_object_set_new(selection->names, scan_text(pod, "network"), json_true());
		json_object_set_new(selection->names, scan_text(master, "name"), json_true());
		json_object_set_new(selection->pods, pod_name(pod).s, json_true());
	}
}

/* Keeps the entries whose value at key is in one of the two sets, or is selection->what. */
static void overview_keep_named(json_t *list, const char *key, const struct selection *selection)
{
	for (size_t i = json_array_size(list); i > 0; i--) {
		const char *name = scan_text(json_array_get(list, i - 1), key);

		if (!json_object_get(selection->names, name) && !json_object_get(selection->pods, name) &&
		    strcmp(name, selection->what) != 0)
			json_array_remove(list, i - 1);
	}
}

bool overview_keep(json_t *doc, const char *what)
{
	json_auto_t *names = json_object(), *pods = json_object();
	struct selection selection = { .what = what, .start = true, .names = names, .pods = pods };
	json_t *masters = json_object_get(doc, "masters");

	pods_each_of(doc, overview_look_for_name, &selection);
	for (size_t i = json_array_size(masters); i > 0; i--) {
		const json_t *master = json_array_get(masters, i - 1);
		json_t *on_it = json_object_get(master, "pods");

		overview_keep_pods(on_it, master, &selection);
		if (!json_array_size(on_it) && strcmp(scan_text(master, "name"), what) != 0)
			json_array_remove(masters, i - 1);
	}
	overview_keep_pods(json_object_get(doc, "lost"), NULL, &selection);
	overview_keep_named(json_object_get(doc, "networks"), "name", &selection);
	overview_keep_named(json_object_get(doc, "pools"), "network", &selection);
	overview_keep_named(json_object_get(doc, "problems"), "about", &selection);
	return *what && (json_array_size(masters) || json_array_size(json_object_get(doc, "lost")) ||
			 json_array_size(json_object_get(doc, "networks")));
}
