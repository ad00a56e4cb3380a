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

static int leases_complain(const struct cni_error *err)
{
	cni_log("ipvlanctl: %s%s%s", err->msg, err->details[0] ? "; " : "", err->details);
	return 1;
}

static void leases_print_range(const json_t *pool, const json_t *range)
{
	const long long size = json_integer_value(json_object_get(range, "size"));
	const long long leased = json_integer_value(json_object_get(range, "leased"));
	const long long dead = json_integer_value(json_object_get(range, "dead"));
	const long long waiting = json_integer_value(json_object_get(range, "waiting"));
	const double share = pools_share(leased, size);

	text_put(PLAIN, "  ");
	text_bar(share >= 1 && !pools_is_shared(pool) ? RED : GREEN, share);
	text_put(PLAIN, " %3.0f%%  %lld of %lld  %s", 100 * share, leased, size,
		 scan_text(range, "rangeSet"));
	if (dead)
		text_put(YELLOW, "  %lld of pods that are gone", dead);
	if (waiting)
		text_put(PLAIN, "  %lld in reuseDelay", waiting);
	text_end();
}

/* A string or a number. */
static const char *leases_cell_of(const json_t *row, const char *key, char number[24])
{
	const json_t *value = json_object_get(row, key);

	if (!json_is_integer(value))
		return scan_text(row, key);
	snprintf(number, 24, "%lld", (long long)json_integer_value(value));
	return number;
}

/* Prints titles and rows. Column i has the title titles[i] and the values of keys[i]. */
static void leases_print_table(const json_t *rows, const char *const keys[], const char *const titles[],
			       size_t n)
{
	char number[24];
	int wide[8];
	const json_t *row;
	size_t i, k;

	for (k = 0; k < n; k++)
		wide[k] = (int)strlen(titles[k]);
	json_array_foreach(rows, i, row)
		for (k = 0; k < n; k++)
			if ((int)strlen(leases_cell_of(row, keys[k], number)) > wide[k])
				wide[k] = (int)strlen(leases_cell_of(row, keys[k], number));
	text_end();
	for (k = 0; k < n; k++)
		text_put(DIM, "  %-*s", k + 1 < n ? wide[k] : 0, titles[k]);
	text_end();
	json_array_foreach(rows, i, row) {
		for (k = 0; k < n; k++)
			text_put(PLAIN, "  %-*s", k + 1 < n ? wide[k] : 0,
				 leases_cell_of(row, keys[k], number));
		text_end();
	}
}

static void leases_print_cluster(const json_t *cluster)
{
	static const char *const node_keys[] = { "node", "blocks", "seen" };
	static const char *const node_titles[] = { "NODE", "BLOCKS", "LAST SIGN OF LIFE" };
	static const char *const keys[] = { "block", "node", "network", "since" };
	static const char *const titles[] = { "BLOCK", "NODE", "NETWORK", "SINCE" };

	text_end();
	text_put(PLAIN, "  pool %s of a cluster, in blocks of %lld; this node is %s",
		 scan_text(cluster, "pool"),
		 (long long)json_integer_value(json_object_get(cluster, "blockSize")),
		 scan_text(cluster, "node"));
	text_end();
	if (!json_array_size(json_object_get(cluster, "claims")))
		return;
	leases_print_table(json_object_get(cluster, "nodes"), node_keys, node_titles, 3);
	leases_print_table(json_object_get(cluster, "claims"), keys, titles, 4);
}

static void leases_print_pool(const json_t *pool)
{
	static const char *const keys[] = { "address", "container", "interface", "since", "state" };
	static const char *const titles[] = { "ADDRESS", "CONTAINER", "INTERFACE", "SINCE", "STATE" };
	const json_t *range;
	size_t i;

	text_put(BOLD, "%s", scan_text(pool, "network"));
	text_put(DIM, "  %s, leases in %s", networks_place(pool), scan_text(pool, "dataDir"));
	text_end();
	json_array_foreach(json_object_get(pool, "rangeSets"), i, range)
		leases_print_range(pool, range);
	if (json_array_size(json_object_get(pool, "leases")))
		leases_print_table(json_object_get(pool, "leases"), keys, titles, 5);
	if (json_object_get(pool, "cluster"))
		leases_print_cluster(json_object_get(pool, "cluster"));
}

/* Returns the named networks, or those of named files; without names all, and *whole is false if some cannot
 * be read. NULL: it has printed an error. */
static json_t *leases_networks_of(int n, char **names, bool *whole)
{
	struct cni_error err = { 0 };
	json_t *all = n ? json_array() : networks_list(whole);

	for (int i = 0; i < n; i++) {
		json_auto_t *named = networks_named(names[i], &err);

		json_array_extend(all, named);
	}
	if (!err.msg[0])
		return all;
	json_decref(all);
	leases_complain(&err);
	return NULL;
}

/* Returns the pools of the networks. Skips unreadable ones, and sets *status to 1. */
static json_t *leases_pools_of_all(const json_t *networks, bool ask, int *status)
{
	json_t *all = json_array();
	const json_t *network;
	size_t i;

	json_array_foreach(networks, i, network) {
		struct cni_error err = { 0 };
		json_auto_t *pools = pools_of(network, ask, &err), *local = NULL;

		if (!pools) {
			cni_log("ipvlanctl: network %s in %s: %s", scan_text(network, "name"),
				networks_place(network), err.msg);
			*status = 1;
			local = ask ? pools_of(network, false, NULL) : NULL;
		}
		json_array_extend(all, pools ? pools : local);
	}
	return all;
}

static int leases_list(int n, char **names, bool json)
{
	bool whole = true;
	json_auto_t *networks = leases_networks_of(n, names, &whole), *pools = NULL;
	int status = networks && whole ? 0 : 1;
	const json_t *pool;
	size_t i;

	pools = leases_pools_of_all(networks, true, &status);
	if (json && networks) {
		json_dumpf(pools, stdout, JSON_INDENT(4));
		text_end();
		return status;
	}
	json_array_foreach(pools, i, pool) {
		if (i)
			text_end();
		leases_print_pool(pool);
	}
	if (networks && !json_array_size(pools) && !status) {
		text_put(PLAIN, "There is no network with addresses of addrpool or host-local in %s.",
			 n ? "these files" : places_confs());
		text_end();
	}
	return status;
}

/* The leases to release. */
struct selection {
	const char *what; /* an address, or a container */
	struct ip ip;	  /* family 0: a container */
	bool force;
	json_t *networks;
	json_t *scan; /* the existing pods */
};

static bool leases_is_meant(const struct selection *selection, const json_t *lease)
{
	struct ip ip;

	/* the other network lists it too */
	if (!strcmp(scan_text(lease, "state"), "of another network"))
		return false;
	if (!selection->ip.family)
		return !strcmp(scan_text(lease, "container"), selection->what);
	return ip_parse(scan_text(lease, "address"), &ip) && ip_equal(&ip, &selection->ip);
}

/* Returns the leases to release, each with its pool: [{pool, lease}], in order. */
static json_t *leases_selected(const struct selection *selection, const json_t *pools)
{
	json_t *all = json_array();
	const json_t *pool, *lease;
	size_t i, k;

	json_array_foreach(pools, i, pool)
		json_array_foreach(json_object_get(pool, "leases"), k, lease)
			if (leases_is_meant(selection, lease))
				json_array_append_new(all,
						      json_pack("{s:O, s:O}", "pool", pool, "lease", lease));
	return all;
}

/* Has an existing pod an interface of the same name? */
static bool leases_pod_lives(const struct selection *selection, const json_t *lease)
{
	const json_t *master, *pod;
	size_t i, k;

	json_array_foreach(json_object_get(selection->scan, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod)
			if (!strcmp(scan_text(pod, "container"), scan_text(lease, "container")) &&
			    !strcmp(scan_text(pod, "interface"), scan_text(lease, "interface")))
				return true;
	return false;
}

/* CNI_RETRY: a pod uses the address, or may use it. */
static int leases_may_release(const struct selection *selection, const json_t *lease, struct cni_error *err)
{
	const char *state = scan_text(lease, "state");

	if (selection->force)
		return 0;
	if (!strcmp(state, "live") || leases_pod_lives(selection, lease)) {
		cni_fail(err, CNI_RETRY, "%s is in use: the pod of container %s exists",
			 scan_text(lease, "address"), scan_text(lease, "container"));
		return cni_hint(err, "delete the pod; --force releases the address anyway, and the "
				     "next pod that gets it conflicts with this one");
	}
	if (strcmp(state, "unknown") != 0)
		return 0;
	cni_fail(err, CNI_RETRY, "%s may be in use: it is not known whether the pod of container %s exists",
		 scan_text(lease, "address"), scan_text(lease, "container"));
	return cni_hint(err, "check that it does not run, and add --force");
}

/* Returns the configuration of the network's plugin among the plugins of its file. */
static const json_t *leases_plugin_of(const json_t *plugins, const char *network)
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
 * If the pod is gone, DEL of all plugins of the network releases its objects, after another check that it is
 * gone. With force only DEL of the IPAM plugin is called, which does not change the pod.
 */
static int leases_release_one(const struct selection *selection, const json_t *found, struct cni_error *err)
{
	const json_t *pool = json_object_get(found, "pool"), *lease = json_object_get(found, "lease");
	const char *network = scan_text(pool, "network");
	const json_t *plugins = json_object_get(networks_find(selection->networks, network), "plugins");
	const json_t *plugin = leases_plugin_of(plugins, network);
	const struct call call = { .container = scan_text(lease, "container"),
				   .netns = "",
				   .ifname = scan_text(lease, "interface") };
	const char *type = json_string_value(json_field(plugin, "type"));

	if (selection->force || !type || strcmp(type, "ipvlan") != 0)
		return call_ipam_del(&call, plugin, err);
	return call_del_gone(&call, plugins, err);
}

static int leases_release_all(const struct selection *selection, const json_t *all)
{
	struct cni_error err = { 0 };
	const json_t *found;
	size_t i;

	json_array_foreach(all, i, found)
		if (leases_may_release(selection, json_object_get(found, "lease"), &err) < 0)
			return leases_complain(&err);
	json_array_foreach(all, i, found) {
		const json_t *lease = json_object_get(found, "lease");
		const bool is_free = !strcmp(scan_text(lease, "state"), "empty");

		if (!is_free && leases_release_one(selection, found, &err) < 0)
			return leases_complain(&err);
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

/* If two networks have leased the address, it belongs to two pods. */
static int leases_check_found(const struct selection *selection, const json_t *all, struct cni_error *err)
{
	const size_t n = json_array_size(all);

	if (!n) {
		cni_fail(err, CNI_CONFIG, "no network has leased %s", selection->what);
		return cni_hint(err, "ipvlanctl pools lists all leases");
	}
	if (n == 1 || !selection->ip.family)
		return 0;
	cni_fail(err, CNI_CONFIG, "%s is leased in %zu networks, \"%s\" and \"%s\" among them",
		 selection->what, n, scan_text(json_object_get(json_array_get(all, 0), "pool"), "network"),
		 scan_text(json_object_get(json_array_get(all, 1), "pool"), "network"));
	return cni_hint(err, "name one with --network");
}

static int leases_release(const char *what, char *network, bool force)
{
	struct selection selection = { .what = what, .force = force };
	json_auto_t *pools = NULL, *all = NULL;
	struct cni_error err = { 0 };
	int status;

	if (!ip_parse(what, &selection.ip))
		selection.ip.family = 0;
	selection.networks = leases_networks_of(network ? 1 : 0, &network, NULL);
	selection.scan = selection.networks ? scan(&err) : NULL;
	status = !selection.networks ? 1 : !selection.scan ? leases_complain(&err) : 0;
	pools = status ? NULL : leases_pools_of_all(selection.networks, false, &status);
	all = leases_selected(&selection, pools);
	if (status == 0)
		status = leases_check_found(&selection, all, &err) < 0 ? leases_complain(&err)
								       : leases_release_all(&selection, all);
	json_decref(selection.scan);
	json_decref(selection.networks);
	return status;
}

/* Runs a command of addrpool for each network of this name. */
static int leases_command(const char *name, const char *const *arguments)
{
	struct cni_error err = { 0 };
	json_auto_t *networks = networks_named(name, &err);
	const json_t *network;
	size_t i;

	if (!networks)
		return leases_complain(&err);
	json_array_foreach(networks, i, network)
		if (pools_command(network, arguments, &err) < 0)
			return leases_complain(&err);
	return 0;
}

static int leases_release_node(const char *name, const char *node, bool really)
{
	const char *const arguments[] = { "release-node", really ? "--yes" : node, really ? node : NULL,
					  NULL };

	return leases_command(name, arguments);
}

static int leases_confirm(const char *name)
{
	const char *const arguments[] = { "confirm", NULL };

	return leases_command(name, arguments);
}

/* The verbs about identities. False: it is none, or has other arguments. */
static bool leases_identities_main(int argc, char **argv, bool json, bool forget, int *status)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "identities") && argc == 3 && !forget) {
		const char *const list[] = { verb, json ? "--json" : NULL, NULL };

		*status = leases_command(argv[2], list);
		return true;
	}
	if (!strcmp(verb, "reserve") && argc == 5 && !json && !forget) {
		const char *const reserve[] = { verb, argv[3], argv[4], NULL };

		*status = leases_command(argv[2], reserve);
		return true;
	}
	if (!strcmp(verb, "release-identity") && argc == 4 && !json) {
		const char *const release[] = { verb, forget ? "--forget" : argv[3], forget ? argv[3] : NULL,
						NULL };

		*status = leases_command(argv[2], release);
		return true;
	}
	return false;
}

static bool leases_is_about_identities(const char *verb)
{
	return !strcmp(verb, "identities") || !strcmp(verb, "reserve") || !strcmp(verb, "release-identity");
}

int pools_main(int argc, char **argv)
{
	const bool json = option_take(&argc, argv, "--json"), yes = option_take(&argc, argv, "--yes");
	const bool force = option_take(&argc, argv, "--force"), forget = option_take(&argc, argv, "--forget");
	char *network = (char *)option_take(&argc, argv, "--network");
	const char *verb = argc > 1 ? argv[1] : "";
	int status;

	if (!yes && !force && !network && leases_identities_main(argc, argv, json, forget, &status))
		return status;
	if (leases_is_about_identities(verb) || forget)
		return command_misuse("pools");
	if (!strcmp(verb, "confirm"))
		return argc == 3 && !json && !yes && !force && !network ? leases_confirm(argv[2])
									: command_misuse("pools");
	if (!strcmp(verb, "release") && argc == 3 && !json && !yes)
		return leases_release(argv[2], network, force);
	if (!strcmp(verb, "release-node") && argc == 4 && !json && !network && !force)
		return leases_release_node(argv[2], argv[3], yes);
	if (!strcmp(verb, "release") || !strcmp(verb, "release-node") || yes || force || network)
		return command_misuse("pools");
	return leases_list(argc - 1, argv + 1, json);
}
