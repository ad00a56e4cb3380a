/* SPDX-License-Identifier: Apache-2.0 */
/* ipvlanctl pools */
#include <stdlib.h>
#include <string.h>

#include "cni/ip.h"
#include "cni/json.h"
#include "ctl/call.h"
#include "ctl/commands.h"
#include "ctl/networks.h"
#include "ctl/places.h"
#include "ctl/pools.h"
#include "ctl/scan.h"
#include "ctl/text.h"

static int complain(const struct cni_error *err)
{
	cni_log("ipvlanctl: %s%s%s", err->msg, err->details[0] ? "; " : "", err->details);
	return 1;
}

static void print_range(const json_t *range)
{
	const long long size = json_integer_value(json_object_get(range, "size"));
	const long long leased = json_integer_value(json_object_get(range, "leased"));
	const long long dead = json_integer_value(json_object_get(range, "dead"));
	const long long waiting = json_integer_value(json_object_get(range, "waiting"));
	const double share = size ? (double)leased / (double)size : 1;

	text_put(PLAIN, "  ");
	text_bar(share >= 1 ? RED : GREEN, share);
	text_put(PLAIN, " %3.0f%%  %lld of %lld  %s", 100 * share, leased, size,
		 scan_text(range, "rangeSet"));
	if (dead)
		text_put(YELLOW, "  %lld of pods that are gone", dead);
	if (waiting)
		text_put(PLAIN, "  %lld wait for reuseDelay", waiting);
	text_end();
}

/* A string or a number. */
static const char *cell_of(const json_t *row, const char *key, char number[24])
{
	const json_t *value = json_object_get(row, key);

	if (!json_is_integer(value))
		return scan_text(row, key);
	snprintf(number, 24, "%lld", (long long)json_integer_value(value));
	return number;
}

/* Rows below their titles; keys[i] is the column titles[i]. */
static void print_table(const json_t *rows, const char *const keys[], const char *const titles[], size_t n)
{
	char number[24];
	int wide[8];
	const json_t *row;
	size_t i, k;

	for (k = 0; k < n; k++)
		wide[k] = (int)strlen(titles[k]);
	json_array_foreach(rows, i, row)
		for (k = 0; k < n; k++)
			if ((int)strlen(cell_of(row, keys[k], number)) > wide[k])
				wide[k] = (int)strlen(cell_of(row, keys[k], number));
	text_end();
	for (k = 0; k < n; k++)
		text_put(DIM, "  %-*s", k + 1 < n ? wide[k] : 0, titles[k]);
	text_end();
	json_array_foreach(rows, i, row) {
		for (k = 0; k < n; k++)
			text_put(PLAIN, "  %-*s", k + 1 < n ? wide[k] : 0, cell_of(row, keys[k], number));
		text_end();
	}
}

static void print_cluster(const json_t *cluster)
{
	static const char *const node_keys[] = { "node", "blocks", "seen" };
	static const char *const node_titles[] = { "NODE", "BLOCKS", "LAST SIGN OF LIFE" };
	static const char *const keys[] = { "block", "node", "network", "since" };
	static const char *const titles[] = { "BLOCK", "NODE", "NETWORK", "SINCE" };

	text_end();
	text_put(PLAIN, "  pool %s of a cluster, in blocks of %lld; this is node %s",
		 scan_text(cluster, "pool"),
		 (long long)json_integer_value(json_object_get(cluster, "blockSize")),
		 scan_text(cluster, "node"));
	text_end();
	if (!json_array_size(json_object_get(cluster, "claims")))
		return;
	print_table(json_object_get(cluster, "nodes"), node_keys, node_titles, 3);
	print_table(json_object_get(cluster, "claims"), keys, titles, 4);
}

static void print_pool(const json_t *pool)
{
	static const char *const keys[] = { "address", "container", "interface", "since", "state" };
	static const char *const titles[] = { "ADDRESS", "CONTAINER", "INTERFACE", "SINCE", "STATE" };
	const json_t *range;
	size_t i;

	text_put(BOLD, "%s", scan_text(pool, "network"));
	text_put(DIM, "  %s, leases in %s", networks_place(pool), scan_text(pool, "dataDir"));
	text_end();
	json_array_foreach(json_object_get(pool, "rangeSets"), i, range)
		print_range(range);
	if (json_array_size(json_object_get(pool, "leases")))
		print_table(json_object_get(pool, "leases"), keys, titles, 5);
	if (json_object_get(pool, "cluster"))
		print_cluster(json_object_get(pool, "cluster"));
}

/* These networks, or those of these files; without any, all. NULL after a complaint. */
static json_t *networks_of(int n, char **names)
{
	struct cni_error err = { 0 };
	json_t *all = n ? json_array() : networks_list();

	for (int i = 0; i < n; i++) {
		json_auto_t *named = networks_named(names[i], &err);

		json_array_extend(all, named);
	}
	if (!err.msg[0])
		return all;
	json_decref(all);
	complain(&err);
	return NULL;
}

/* All pools of the networks. *status is 1 if one cannot be read, which does not hide the others. */
static json_t *pools_of_all(const json_t *networks, bool ask, int *status)
{
	json_t *all = json_array();
	const json_t *network;
	size_t i;

	json_array_foreach(networks, i, network) {
		struct cni_error err = { 0 };
		json_auto_t *pools = pools_of(network, ask, &err), *own = NULL;

		if (!pools) {
			cni_log("ipvlanctl: network %s in %s: %s", scan_text(network, "name"),
				networks_place(network), err.msg);
			*status = 1;
			own = ask ? pools_of(network, false, NULL) : NULL;
		}
		json_array_extend(all, pools ? pools : own);
	}
	return all;
}

static int list(int n, char **names, bool json)
{
	json_auto_t *networks = networks_of(n, names), *pools = NULL;
	int status = networks ? 0 : 1;
	const json_t *pool;
	size_t i;

	pools = pools_of_all(networks, true, &status);
	if (json && networks) {
		json_dumpf(pools, stdout, JSON_INDENT(4));
		text_end();
		return status;
	}
	json_array_foreach(pools, i, pool) {
		if (i)
			text_end();
		print_pool(pool);
	}
	if (networks && !json_array_size(pools) && !status) {
		text_put(PLAIN, "There is no network with addresses of addrpool or host-local in %s.",
			 n ? "these files" : places_confs());
		text_end();
	}
	return status;
}

/* What is to be released. */
struct wish {
	const char *what; /* an address, or a container */
	struct ip ip;	  /* family 0: a container */
	bool force;
	json_t *networks;
	json_t *scan; /* who lives */
};

static bool is_meant(const struct wish *wish, const json_t *lease)
{
	struct ip ip;

	/* which lists it as well */
	if (!strcmp(scan_text(lease, "state"), "of another network"))
		return false;
	if (!wish->ip.family)
		return !strcmp(scan_text(lease, "container"), wish->what);
	return ip_parse(scan_text(lease, "address"), &ip) && ip_equal(&ip, &wish->ip);
}

/* The leases that are meant, each with its pool: [{pool, lease}], in order. */
static json_t *meant(const struct wish *wish, const json_t *pools)
{
	json_t *all = json_array();
	const json_t *pool, *lease;
	size_t i, k;

	json_array_foreach(pools, i, pool)
		json_array_foreach(json_object_get(pool, "leases"), k, lease)
			if (is_meant(wish, lease))
				json_array_append_new(all,
						      json_pack("{s:O, s:O}", "pool", pool, "lease", lease));
	return all;
}

/* Has a pod that lives an interface of the same name? */
static bool pod_lives(const struct wish *wish, const json_t *lease)
{
	const json_t *master, *pod;
	size_t i, k;

	json_array_foreach(json_object_get(wish->scan, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod)
			if (!strcmp(scan_text(pod, "container"), scan_text(lease, "container")) &&
			    !strcmp(scan_text(pod, "interface"), scan_text(lease, "interface")))
				return true;
	return false;
}

/* CNI_RETRY: who has it may need it. */
static int may_release(const struct wish *wish, const json_t *lease, struct cni_error *err)
{
	const char *state = scan_text(lease, "state");

	if (wish->force)
		return 0;
	if (!strcmp(state, "live") || pod_lives(wish, lease)) {
		cni_fail(err, CNI_RETRY, "%s is in use: the pod of container %s lives",
			 scan_text(lease, "address"), scan_text(lease, "container"));
		return cni_hint(err,
				"delete the pod; with --force the address is released all the same, and the "
				"next pod that gets it is in conflict with this one");
	}
	if (strcmp(state, "unknown") != 0)
		return 0;
	cni_fail(err, CNI_RETRY, "%s may be in use: nothing says whether the pod of container %s lives",
		 scan_text(lease, "address"), scan_text(lease, "container"));
	return cni_hint(err, "make sure that it does not run, and add --force");
}

/* The configuration of the plugin whose addresses they are, of all plugins of its file. */
static const json_t *plugin_of(const json_t *plugins, const char *network)
{
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		const char *type = json_string_value(json_field(json_field(plugin, "ipam"), "type"));
		const char *name = json_string_value(json_field(plugin, "name"));

		if (type && name && !strcmp(name, network) &&
		    (!strcmp(type, "addrpool") || !strcmp(type, "host-local")))
			return plugin;
	}
	return NULL;
}

/*
 * Of a pod that is gone, DEL of all of the network's plugins releases what it had, and looks again whether it
 * is gone. With force the IPAM plugin's DEL alone leaves the pod as it is.
 */
static int release_one(const struct wish *wish, const json_t *found, struct cni_error *err)
{
	const json_t *pool = json_object_get(found, "pool"), *lease = json_object_get(found, "lease");
	const char *network = scan_text(pool, "network");
	const json_t *plugins = json_object_get(networks_find(wish->networks, network), "plugins");
	const json_t *plugin = plugin_of(plugins, network);
	const struct call call = { .container = scan_text(lease, "container"),
				   .netns = "",
				   .ifname = scan_text(lease, "interface") };
	const char *type = json_string_value(json_field(plugin, "type"));

	if (wish->force || !type || strcmp(type, "ipvlan") != 0)
		return call_ipam_del(&call, plugin, err);
	setenv("IPVLANCTL_GC", "1", 1); /* see cni/plugin.h */
	return call_del(&call, plugins, NULL, err);
}

static int release_all(const struct wish *wish, const json_t *all)
{
	struct cni_error err = { 0 };
	const json_t *found;
	size_t i;

	json_array_foreach(all, i, found)
		if (may_release(wish, json_object_get(found, "lease"), &err) < 0)
			return complain(&err);
	json_array_foreach(all, i, found) {
		const json_t *lease = json_object_get(found, "lease");
		const bool is_free = !strcmp(scan_text(lease, "state"), "empty");

		if (!is_free && release_one(wish, found, &err) < 0)
			return complain(&err);
		text_put(PLAIN, "%s  ", scan_text(lease, "address"));
		text_put(GREEN, "%s", is_free ? "is free already" : "released");
		text_put(PLAIN, ", network %s", scan_text(json_object_get(found, "pool"), "network"));
		if (!is_free)
			text_put(PLAIN, ", container %s, interface %s", scan_text(lease, "container"),
				 scan_text(lease, "interface"));
		text_end();
	}
	return 0;
}

/* An address that two networks have leased is two pods' address. */
static int check_found(const struct wish *wish, const json_t *all, struct cni_error *err)
{
	const size_t n = json_array_size(all);

	if (!n) {
		cni_fail(err, CNI_CONFIG, "no network has a lease of %s", wish->what);
		return cni_hint(err, "ipvlanctl pools lists all leases");
	}
	if (n == 1 || !wish->ip.family)
		return 0;
	cni_fail(err, CNI_CONFIG, "%s is leased in %zu networks, \"%s\" and \"%s\" among them", wish->what, n,
		 scan_text(json_object_get(json_array_get(all, 0), "pool"), "network"),
		 scan_text(json_object_get(json_array_get(all, 1), "pool"), "network"));
	return cni_hint(err, "say which one with --network");
}

static int release(const char *what, char *network, bool force)
{
	struct wish wish = { .what = what, .force = force };
	json_auto_t *pools = NULL, *all = NULL;
	struct cni_error err = { 0 };
	int status;

	if (!ip_parse(what, &wish.ip))
		wish.ip.family = 0;
	wish.networks = networks_of(network ? 1 : 0, &network);
	wish.scan = wish.networks ? scan(&err) : NULL;
	status = !wish.networks ? 1 : !wish.scan ? complain(&err) : 0;
	pools = status ? NULL : pools_of_all(wish.networks, false, &status);
	all = meant(&wish, pools);
	if (status == 0)
		status = check_found(&wish, all, &err) < 0 ? complain(&err) : release_all(&wish, all);
	json_decref(wish.scan);
	json_decref(wish.networks);
	return status;
}

static int release_node(const char *name, const char *node, bool really)
{
	struct cni_error err = { 0 };
	json_auto_t *networks = networks_named(name, &err);
	const json_t *network;
	size_t i;

	if (!networks)
		return complain(&err);
	json_array_foreach(networks, i, network)
		if (pools_release_node(network, node, really, &err) < 0)
			return complain(&err);
	return 0;
}

int pools_main(int argc, char **argv)
{
	const bool json = option_take(&argc, argv, "--json"), yes = option_take(&argc, argv, "--yes");
	const bool force = option_take(&argc, argv, "--force");
	char *network = (char *)option_take(&argc, argv, "--network");
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "release") && argc == 3 && !json && !yes)
		return release(argv[2], network, force);
	if (!strcmp(verb, "release-node") && argc == 4 && !json && !network && !force)
		return release_node(argv[2], argv[3], yes);
	if (!strcmp(verb, "release") || !strcmp(verb, "release-node") || yes || force || network)
		return command_refuse("pools");
	return list(argc - 1, argv + 1, json);
}
