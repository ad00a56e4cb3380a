/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/networks.h"

#include <string.h>
#include <unistd.h>

#include "cni/json.h"
#include "ctl/cache.h"
#include "ctl/definitions.h"
#include "ctl/places.h"
#include "ctl/podman.h"
#include "ctl/scan.h"

const json_t *networks_find(const json_t *networks, const char *name)
{
	const json_t *network;
	size_t i;

	json_array_foreach(networks, i, network)
		if (!strcmp(scan_text(network, "name"), name))
			return network;
	return NULL;
}

const json_t *networks_ipvlan(const json_t *network)
{
	const json_t *plugin;
	size_t i;

	json_array_foreach(json_object_get(network, "plugins"), i, plugin) {
		const char *type = json_string_value(json_field(plugin, "type"));

		if (type && !strcmp(type, "ipvlan"))
			return plugin;
	}
	return NULL;
}

const char *networks_place(const json_t *network)
{
	const char *file = scan_text(network, "file");

	return *file ? file : "a runtime's cache";
}

/* Adds the network of a file, or those of a List of NetworkAttachmentDefinitions. */
static void networks_add(json_t *all, const char *file, const json_t *plugins)
{
	json_auto_t *added = json_array();
	json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		const char *name = json_string_value(json_field(plugin, "name"));

		if (!name || networks_find(all, name))
			continue;
		if (!networks_find(added, name))
			json_array_append_new(added,
					      json_pack("{s:s, s:o, s:[]}", "name", name, "file",
							file ? json_text(file) : json_null(), "plugins"));
		json_array_append(json_object_get(networks_find(added, name), "plugins"), plugin);
	}
	json_array_extend(all, added);
}

static int networks_add_file(json_t *all, const char *file, struct cni_error *err)
{
	json_auto_t *plugins = definitions_read(file, err);

	if (!plugins)
		return -1;
	networks_add(all, file, plugins);
	return 0;
}

static bool networks_add_podmans(json_t *all)
{
	json_auto_t *podmans = podman_networks();
	const json_t *entry;
	bool whole = true;
	size_t i;

	json_array_foreach(podmans, i, entry) {
		struct cni_error why = { 0 };
		json_auto_t *plugins = podman_plugins(json_object_get(entry, "network"), &why);

		if (plugins)
			networks_add(all, scan_text(entry, "file"), plugins);
		else
			cni_log("ipvlanctl: %s: %s", scan_text(entry, "file"), why.msg);
		whole &= plugins != NULL;
	}
	return whole;
}

json_t *networks_list(bool *whole)
{
	struct cni_error why = { 0 };
	json_auto_t *files = places_list(&why), *cache = cache_read();
	json_t *all = json_array();
	const json_t *file, *entry;
	bool all_read = files;
	size_t i;

	if (!files)
		cni_log("ipvlanctl: %s", why.msg);
	json_array_foreach(files, i, file) {
		why = (struct cni_error){ 0 };
		if (networks_add_file(all, json_string_value(file), &why) == 0)
			continue;
		cni_log("ipvlanctl: %s: %s", json_string_value(file), why.msg);
		all_read = false;
	}
	all_read &= networks_add_podmans(all);
	if (whole)
		*whole = all_read;
	json_array_foreach(cache, i, entry)
		networks_add(all, NULL, json_object_get(entry, "plugins"));
	return all;
}

json_t *networks_named(const char *name, struct cni_error *err)
{
	json_auto_t *all = networks_list(NULL);
	const json_t *network = networks_find(all, name);
	json_t *named = network ? json_pack("[O]", network) : json_array();

	if (network)
		return named;
	if (access(name, F_OK) < 0) {
		cni_fail(err, CNI_CONFIG, "there is no network \"%s\" in %s, and no file of that name", name,
			 places_confs());
		cni_hint(err, "ipvlanctl pools lists the networks that have pools");
	} else if (networks_add_file(named, name, err) == 0) {
		return named;
	}
	json_decref(named);
	return NULL;
}
