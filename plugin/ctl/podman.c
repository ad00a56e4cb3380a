/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/podman.h"

#include <string.h>

#include "cni/json.h"
#include "ctl/places.h"
#include "netavark/network.h"

#define NETWORKS "/etc/containers/networks"
#define DRIVER "ipvlan-netavark"

bool podman_is_network(const json_t *doc)
{
	return !strcmp(network_text(doc, "driver"), DRIVER);
}

json_t *podman_networks(void)
{
	json_auto_t *files = places_list_in(NETWORKS, NULL);
	json_t *all = json_array(), *file;
	size_t i;

	json_array_foreach(files, i, file) {
		json_auto_t *network = json_load_file(json_string_value(file), 0, NULL);

		if (podman_is_network(network))
			json_array_append_new(all, json_pack("{s:O, s:O}", "file", file, "network", network));
	}
	return all;
}

json_t *podman_plugins(const json_t *network, struct cni_error *err)
{
	json_t *conf = network_conf(network, err);

	return conf ? json_pack("[o]", conf) : NULL;
}

void podman_read(const json_t *network, struct ranges *ranges, struct result *routes)
{
	json_auto_t *ipam = NULL;

	if (!network_is_podmans(network))
		return;
	ipam = json_pack("{s:o, s:o*}", "ranges", network_ranges(network), "routes",
			 network_default_routes(network, NULL));
	ranges_read_sets(ranges, ipam);
	result_add_routes(routes, ipam, "routes", NULL);
}
