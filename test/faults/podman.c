/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "faults.h"

bool podman_makes(const struct invocation *what)
{
	return !strcmp(what->program, PODMAN_PROGRAM) &&
	       (!strcmp(what->verb, "ADD") || !strcmp(what->verb, "DEL"));
}

/* The network as `podman network create -d ipvlan-netavark -o KEY=VALUE ...` stores it. */
static json_t *network_of(const char *conf)
{
	json_t *keys = json_loads(conf, 0, NULL), *options = json_object(), *value;
	json_t *network = json_pack("{s:O, s:s, s:s, s:O*, s:b, s:[], s:{s:s}}", "name",
				    json_object_get(keys, "name"), "id", "2f259bab93aa", "driver",
				    PODMAN_PROGRAM, "network_interface", json_object_get(keys, "master"),
				    "internal", json_is_true(json_object_get(keys, "internal")), "subnets",
				    "ipam_options", "driver", "none");
	static const char *const no_options[] = { "cniVersion", "name", "type", "master", "internal" };
	const char *key;

	for (size_t i = 0; i < sizeof(no_options) / sizeof(*no_options); i++)
		json_object_del(keys, no_options[i]);
	json_object_foreach(keys, key, value) {
		char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

		json_object_set_new(options, key, json_string(text));
		free(text);
	}
	json_object_set_new(network, "options", options);
	json_decref(keys);
	return network;
}

char *podman_input(const struct invocation *what)
{
	json_t *call = json_pack("{s:s, s:s, s:n, s:{s:s, s:n, s:n, s:n, s:n}, s:o}", "container_id",
				 what->container, "container_name", what->container, "port_mappings",
				 "network_options", "interface_name", "eth0", "static_ips", "static_mac",
				 "aliases", "options", "network", network_of(what->conf));
	char *text = json_dumps(call, JSON_COMPACT);

	json_decref(call);
	return text;
}

char *podman_conf(const char *conf)
{
	json_t *keys = json_loads(conf, 0, NULL);
	char *text;

	json_object_set_new(keys, "type", json_string("ipvlan"));
	text = json_dumps(keys, JSON_COMPACT);
	json_decref(keys);
	return text;
}

/* {"interfaces": {"eth0": {"subnets": [{"ipnet": "10.1.2.3/24"}]}}} */
static json_t *addresses_of(const json_t *status)
{
	const json_t *interface = json_object_get(json_object_get(status, "interfaces"), "eth0"), *subnet;
	json_t *ips = json_array();
	size_t i;

	json_array_foreach(json_object_get(interface, "subnets"), i, subnet)
		json_array_append_new(ips, json_pack("{s:O}", "address", json_object_get(subnet, "ipnet")));
	return ips;
}

void podman_translate(struct outcome *ret)
{
	json_t *answer = json_loads(ret->out, 0, NULL), *error = json_object_get(answer, "error");
	json_t *cni = error ? json_pack("{s:i, s:O}", "code", 1, "msg", error)
			    : json_pack("{s:o}", "ips", addresses_of(answer));
	char *text = json_dumps(cni, JSON_COMPACT);

	if (answer)
		snprintf(ret->out, sizeof(ret->out), "%s", text);
	free(text);
	json_decref(cni);
	json_decref(answer);
}
