/* SPDX-License-Identifier: Apache-2.0 */
#include "netavark/network.h"

#include <sys/socket.h>

#include <string.h>

#include "cni/json.h"

#define PRIORITY_MAX 0xffffffffLL

/* The options that this program itself reads, as netavark's own ipvlan does. */
static const char *const driver_options[] = { "metric", "no_default_route" };

static bool network_is_driver_option(const char *key)
{
	for (size_t i = 0; i < sizeof(driver_options) / sizeof(*driver_options); i++)
		if (!strcmp(driver_options[i], key))
			return true;
	return false;
}

const char *network_option(const json_t *network, const char *key)
{
	return json_string_value(json_object_get(json_field(network, "options"), key));
}

const char *network_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_field(object, key));

	return text ? text : "";
}

/* Returns JSON, or the text. NULL: the text begins as a list or an object, and is not JSON. */
static json_t *network_option_value(const char *key, const char *text, struct cni_error *err)
{
	struct cni_error why = { 0 };
	json_t *value = json_read(text, strlen(text), &why);

	if (value || (*text != '[' && *text != '{'))
		return value ? value : json_string(text);
	cni_fail(err, CNI_CONFIG, "option %s is not JSON: %s", key, why.msg);
	return NULL;
}

static int network_add_options(json_t *conf, const json_t *network, struct cni_error *err)
{
	json_t *value, *meant;
	const char *key;

	json_object_foreach(json_field(network, "options"), key, value) {
		if (network_is_driver_option(key))
			continue;
		meant = network_option_value(key, json_string_value(value) ? json_string_value(value) : "",
					     err);
		if (!meant)
			return -1;
		json_object_set_new(conf, key, meant);
	}
	return 0;
}

static int network_add_routes(json_t *conf, const json_t *network, struct cni_error *err)
{
	json_t *list = json_object_get(conf, "routes");
	const json_t *routes = json_field(network, "routes"), *route;
	size_t i;

	if (json_array_size(routes) && !list)
		json_object_set_new(conf, "routes", list = json_array());
	json_array_foreach(routes, i, route) {
		const char *type = network_text(route, "route_type");

		if (*type && strcmp(type, "unicast") != 0) {
			cni_fail(err, CNI_CONFIG, "route to %s: type %s is not supported",
				 network_text(route, "destination"), type);
			return cni_hint(err, "of Podman's types, ipvlan-netavark supports only \"unicast\"");
		}
		json_array_append_new(list,
				      json_pack("{s:O?, s:O?, s:O*}", "dst", json_field(route, "destination"),
						"gw", json_field(route, "gateway"), "priority",
						json_field(route, "metric")));
	}
	return 0;
}

static bool network_has_no_default_route(const json_t *network)
{
	const char *text = network_option(network, "no_default_route");

	return json_is_true(json_field(network, "internal")) ||
	       (text && (!strcmp(text, "true") || !strcmp(text, "1")));
}

json_t *network_default_route(const json_t *network, int family, struct cni_error *err)
{
	const char *metric = network_option(network, "metric");
	json_auto_t *priority = NULL;

	if (network_has_no_default_route(network))
		return NULL;
	priority = metric ? network_option_value("metric", metric, err) : NULL;
	if (metric && (!json_is_integer(priority) || json_integer_value(priority) < 0 ||
		       json_integer_value(priority) > PRIORITY_MAX)) {
		cni_fail(err, CNI_CONFIG, "option metric must be a number from 0 to %lld, not \"%s\"",
			 PRIORITY_MAX, metric);
		return NULL;
	}
	return json_pack("{s:s, s:O*}", "dst", family == AF_INET ? "0.0.0.0/0" : "::/0", "priority",
			 priority);
}

static json_t *network_range_of(const json_t *subnet)
{
	const json_t *lease = json_field(subnet, "lease_range"), *gateway = json_field(subnet, "gateway");

	return json_pack("[{s:O?, s:O*, s:O*, s:o}]", "subnet", json_field(subnet, "subnet"), "rangeStart",
			 json_field(lease, "start_ip"), "rangeEnd", json_field(lease, "end_ip"), "gateway",
			 json_is_string(gateway) ? json_incref((json_t *)gateway) : json_string("none"));
}

json_t *network_ranges(const json_t *network)
{
	json_t *ranges = json_array();
	const json_t *subnet;
	size_t i;

	json_array_foreach(json_field(network, "subnets"), i, subnet)
		json_array_append_new(ranges, network_range_of(subnet));
	return ranges;
}

json_t *network_default_routes(const json_t *network, struct cni_error *err)
{
	json_t *routes = json_array(), *route;
	struct cni_error why = { 0 };
	bool has[2] = { false, false };
	const json_t *subnet;
	size_t i;

	json_array_foreach(json_field(network, "subnets"), i, subnet)
		has[strchr(network_text(subnet, "subnet"), ':') != NULL] = true;
	for (i = 0; i < 2; i++)
		if (has[i] && (route = network_default_route(network, i ? AF_INET6 : AF_INET, &why)))
			json_array_append_new(routes, route);
	if (!*why.msg)
		return routes;
	json_decref(routes);
	cni_fail_as(err, &why);
	return NULL;
}

/* A container gets one address of each subnet, as from Podman itself. */
static int network_add_ranges(json_t *ipam, const json_t *network, struct cni_error *err)
{
	json_t *routes = network_default_routes(network, err);

	if (!routes)
		return -1;
	json_object_set_new(ipam, "ranges", network_ranges(network));
	if (!json_field(ipam, "routes"))
		json_object_set(ipam, "routes", routes);
	json_decref(routes);
	return 0;
}

/* "addrpool" is the same as {"type": "addrpool"}. */
static int network_settle_ipam(json_t *conf, const json_t *network, struct cni_error *err)
{
	const char *driver = network_text(json_field(network, "ipam_options"), "driver");
	const json_t *given = json_object_get(conf, "ipam");
	json_t *ipam;

	if (!given && strcmp(driver, "dhcp") != 0)
		return 0;
	if (given && !json_is_string(given) && !json_is_object(given))
		return cni_fail(err, CNI_CONFIG, "option ipam must be the name of a plugin, or an object");
	ipam = json_is_object(given) ? json_copy((json_t *)given)
				     : json_pack("{s:s}", "type", given ? json_string_value(given) : driver);
	if (!json_field(ipam, "type"))
		json_object_set_new(ipam, "type", json_string("addrpool"));
	json_object_set_new(conf, "ipam", ipam);
	if (json_field(ipam, "ranges") || !json_array_size(json_field(network, "subnets")))
		return 0;
	return network_add_ranges(ipam, network, err);
}

json_t *network_bare_conf(const json_t *network)
{
	return json_pack("{s:s, s:s, s:s}", "cniVersion", "1.1.0", "type", "ipvlan", "name",
			 network_text(network, "name"));
}

json_t *network_conf(const json_t *network, struct cni_error *err)
{
	json_auto_t *conf = json_object(), *bare = network_bare_conf(network);
	const char *master = network_text(network, "network_interface");

	if (network_add_options(conf, network, err) < 0 || network_settle_ipam(conf, network, err) < 0 ||
	    network_add_routes(conf, network, err) < 0)
		return NULL;
	if (*master)
		json_object_set_new(conf, "master", json_string(master));
	if (json_is_true(json_field(network, "internal")))
		json_object_set_new(conf, "internal", json_true());
	json_object_update(conf, bare);
	return json_incref(conf);
}

bool network_is_podmans(const json_t *network)
{
	const char *driver = network_text(json_field(network, "ipam_options"), "driver");

	return !network_option(network, "ipam") && (!*driver || !strcmp(driver, "host-local"));
}
