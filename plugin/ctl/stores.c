/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cni/json.h"
#include "cni/log.h"
#include "ctl/examine.h"
#include "ctl/networks.h"
#include "ctl/places.h"
#include "ctl/pools.h"
#include "ctl/scan.h"

#define DATA_DIR "/var/lib/cni/networks"

const char *stores_dir(const json_t *plugin)
{
	const char *dir = json_string_value(json_field(json_field(plugin, "ipam"), "dataDir"));

	return dir && *dir ? dir : DATA_DIR;
}

const char *stores_name(const json_t *plugin)
{
	const char *pool = json_string_value(json_field(json_field(plugin, "ipam"), "pool"));

	return pool && *pool ? pool : scan_text(plugin, "name");
}

/* Returns the first plugin with a shared pool in that dataDir, and its network: of that store, or NULL: of
 * any. */
static const json_t *stores_find_shared(const json_t *networks, const char *dir, const char *store,
					const json_t **ret)
{
	const json_t *network, *plugin;
	size_t i, k;

	json_array_foreach(networks, i, network)
		json_array_foreach(json_object_get(network, "plugins"), k, plugin)
			if (json_is_object(json_field(json_field(plugin, "ipam"), "cluster")) &&
			    !strcmp(stores_dir(plugin), dir) &&
			    (!store || !strcmp(stores_name(plugin), store))) {
				*ret = network;
				return plugin;
			}
	return NULL;
}

/* Has a network this name, or the store? */
static bool stores_is_known(const json_t *networks, const char *store)
{
	const json_t *network, *plugin;
	size_t i, k;

	if (networks_find(networks, store))
		return true;
	json_array_foreach(networks, i, network)
		json_array_foreach(json_object_get(network, "plugins"), k, plugin)
			if (!strcmp(stores_name(plugin), store))
				return true;
	return false;
}

static bool stores_is_list(const char *file)
{
	const char *dot = strrchr(file, '.');

	return dot && (!strcmp(dot, ".conf") || !strcmp(dot, ".conflist"));
}

/* The configuration with the name of the store, in a directory of its own, in which gc finds nothing else. */
static void stores_report_blocks(struct report *all, const json_t *networks, const char *dir,
				 const json_t *store)
{
	const long long blocks = scan_number(store, "blocks"), leases = scan_number(store, "leases");
	const char *name = scan_text(store, "store");
	const json_t *network = NULL, *plugin = stores_find_shared(networks, dir, NULL, &network);
	const char *file = scan_text(network, "file");
	char remedy[2048];

	if (plugin && stores_is_list(file))
		snprintf(remedy, sizeof(remedy),
			 "if \"%s\" was \"%s\": d=$(mktemp -d) && sed 's/\"%s\"/\"%s\"/g' %s >$d/%s && "
			 "NETCONFPATH=$d ipvlanctl gc --yes",
			 stores_name(plugin), name, stores_name(plugin), name, file, places_name(file));
	else
		snprintf(remedy, sizeof(remedy),
			 "write the configuration that it had into a file of an empty directory DIR: "
			 "NETCONFPATH=DIR ipvlanctl gc --yes");
	report(all, WARNING, "store", remedy,
	       "no configuration has the shared pool of %s/%s: %lld blocks, %lld leases. The blocks stay "
	       "claimed for this node",
	       dir, name, blocks, leases);
}

static void stores_examine(struct report *all, const json_t *networks, const char *dir)
{
	json_auto_t *stores = pools_stores(dir, NULL);
	const json_t *store, *network;
	size_t i;

	report_section(all, dir, "");
	json_array_foreach(stores, i, store) {
		const char *name = scan_text(store, "store");

		if (scan_number(store, "blocks")) {
			if (!stores_find_shared(networks, dir, name, &network))
				stores_report_blocks(all, networks, dir, store);
		} else if (!stores_is_known(networks, name)) {
			report(all, OK, "store", NULL,
			       "no configuration has the leases of %s/%s: %lld. Remove the directory if no "
			       "pod "
			       "has them",
			       dir, name, scan_number(store, "leases"));
		}
	}
}

static void stores_note(void *arg, const char *line)
{
	bool *unreadable = arg;

	(void)line;
	*unreadable = true;
}

void examine_stores(struct report *all)
{
	bool unreadable = false;
	json_auto_t *networks = NULL, *dirs = json_object();
	const json_t *network, *plugin;
	const char *dir;
	json_t *value;
	size_t i, k;

	log_divert(stores_note, &unreadable);
	networks = networks_list(NULL);
	log_divert(NULL, NULL);
	if (unreadable) /* that one may have the store */
		return;
	json_array_foreach(networks, i, network)
		json_array_foreach(json_object_get(network, "plugins"), k, plugin)
			if (pools_is_of(plugin))
				json_object_set_new(dirs, stores_dir(plugin), json_null());
	json_object_foreach(dirs, dir, value)
		stores_examine(all, networks, dir);
}
