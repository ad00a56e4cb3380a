/* SPDX-License-Identifier: Apache-2.0 */
#include "netavark/container.h"

#include <string.h>

#include "cni/ip.h"
#include "cni/json.h"
#include "cni/log.h"
#include "netavark/network.h"

/* Returns the subnet of the network that has the address, and its prefix in *ret; NULL: there is none. */
static const json_t *container_subnet_of(const json_t *network, const struct ip *ip, struct prefix *ret)
{
	const json_t *subnet;
	size_t i;

	json_array_foreach(json_field(network, "subnets"), i, subnet)
		if (prefix_parse(network_text(subnet, "subnet"), ret) && prefix_contains(ret, ip))
			return subnet;
	return NULL;
}

static int container_add_address(json_t *result, const json_t *network, const char *text,
				 struct cni_error *err)
{
	struct prefix address;
	const json_t *subnet, *gateway;
	json_t *route;
	struct ip ip;

	if (!ip_parse(text, &ip))
		return cni_fail(err, CNI_CONFIG, "static_ips: \"%s\" is not an address", text);
	subnet = container_subnet_of(network, &ip, &address);
	if (!subnet)
		return cni_fail(err, CNI_CONFIG, "%s is in no subnet of network %s", text,
				network_text(network, "name"));
	address.ip = ip;
	gateway = json_field(subnet, "gateway");
	json_array_append_new(json_object_get(result, "ips"),
			      json_pack("{s:s, s:O*}", "address", prefix_text(&address).s, "gateway",
					gateway));
	route = gateway ? network_default_route(network, ip.family, err) : NULL;
	if (route)
		json_array_append_new(json_object_get(result, "routes"), route);
	return *err->msg ? -1 : 0;
}

/* Passes Podman's addresses in prevResult, like those of a plugin before ipvlan. */
static int container_add_podmans(json_t *conf, const json_t *network, const json_t *ips,
				 struct cni_error *err)
{
	json_t *result = json_pack("{s:s, s:[], s:[]}", "cniVersion", "1.1.0", "ips", "routes");
	const json_t *entry;
	size_t i;

	json_object_set_new(conf, "prevResult", result);
	if (!json_array_size(ips) && json_array_size(json_field(network, "subnets"))) {
		cni_fail(err, CNI_CONFIG, "network %s has subnets, but the call has no address",
			 network_text(network, "name"));
		return cni_hint(err, "Podman assigns addresses if ipam_options.driver is host-local");
	}
	json_array_foreach(ips, i, entry)
		if (container_add_address(result, network,
					  json_string_value(entry) ? json_string_value(entry) : "", err) < 0)
			return -1;
	return 0;
}

int container_add(json_t *conf, const json_t *call, struct cni_error *err)
{
	const json_t *options = json_field(call, "network_options"), *ips = json_field(options, "static_ips");
	const json_t *network = json_field(call, "network");
	json_t *unknown = json_field(options, "options");

	if (json_object_size(unknown)) {
		cni_fail(err, CNI_CONFIG, "option %s cannot be set for one container",
			 json_object_iter_key(json_object_iter(unknown)));
		return cni_hint(err, "set it for all containers of network %s: podman network create -o",
				network_text(network, "name"));
	}
	json_object_set_new(conf, "runtimeConfig",
			    json_pack("{s:O*, s:O*}", "mac", json_field(options, "static_mac"), "ips", ips));
	return network_is_podmans(network) ? container_add_podmans(conf, network, ips, err) : 0;
}

/* Podman always adds an alias: the start of the container's id. */
static bool container_is_implied_alias(const json_t *call, const char *alias)
{
	return !strncmp(network_text(call, "container_id"), alias, strlen(alias)) ||
	       !strcmp(network_text(call, "container_name"), alias);
}

void container_warn(const json_t *call)
{
	const json_t *aliases = json_field(json_field(call, "network_options"), "aliases"), *alias;
	const char *network = network_text(json_field(call, "network"), "name");
	size_t i;

	if (json_array_size(json_field(call, "port_mappings")))
		cni_log("network %s publishes no ports: other hosts reach the container at its own "
			"address, at each port that it listens on",
			network);
	json_array_foreach(aliases, i, alias)
		if (!container_is_implied_alias(call,
						json_string_value(alias) ? json_string_value(alias) : ""))
			cni_log("network %s has no name server: the alias %s has no effect", network,
				json_string_value(alias));
}

static json_t *container_interface_of(const json_t *result, const char *ifname)
{
	json_t *interface;
	size_t i;

	json_array_foreach(json_object_get(result, "interfaces"), i, interface)
		if (!strcmp(network_text(interface, "name"), ifname))
			return interface;
	return NULL;
}

static json_t *container_search_domains(const json_t *dns)
{
	const json_t *domain = json_object_get(dns, "domain");
	json_t *list = json_array();

	if (domain)
		json_array_append(list, (json_t *)domain);
	json_array_extend(list, json_object_get(dns, "search"));
	return list;
}

/* netavark reads addresses alone: it would fail, and not call teardown. */
static json_t *container_name_servers(const json_t *dns)
{
	json_t *list = json_array(), *server;
	struct ip ip;
	size_t i;

	json_array_foreach(json_object_get(dns, "nameservers"), i, server) {
		const char *text = json_string_value(server);

		if (text && ip_parse(text, &ip))
			json_array_append(list, server);
		else
			cni_log("ignored: the name server \"%s\", which is not an IP address",
				text ? text : "?");
	}
	return list;
}

json_t *container_status(const json_t *result, const char *ifname)
{
	const json_t *dns = json_object_get(result, "dns"), *ip;
	json_t *subnets = json_array();
	size_t i;

	json_array_foreach(json_object_get(result, "ips"), i, ip)
		json_array_append_new(subnets,
				      json_pack("{s:O, s:O*}", "ipnet", json_object_get(ip, "address"),
						"gateway", json_object_get(ip, "gateway")));
	return json_pack("{s:{s:{s:O, s:o}}, s:o, s:o}", "interfaces", ifname, "mac_address",
			 json_object_get(container_interface_of(result, ifname), "mac"), "subnets", subnets,
			 "dns_server_ips", container_name_servers(dns), "dns_search_domains",
			 container_search_domains(dns));
}
