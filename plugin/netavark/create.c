/* SPDX-License-Identifier: Apache-2.0 */
#include "netavark/create.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <strings.h>

#include "cni/cleanup.h"
#include "cni/ip.h"
#include "cni/json.h"
#include "cni/keys.h"
#include "cni/log.h"
#include "net/addr.h"
#include "netavark/network.h"
#include "plugin/conf.h"
#include "plugin/master.h"

/* Options of Docker's and Podman's own ipvlan, with our names. */
static const struct {
	const char *theirs, *ours;
} names[] = {
	{ "ipvlan_mode", "mode" },
	{ "ipvlan_flag", "flag" },
	{ "com.docker.network.driver.mtu", "mtu" },
};

/* Keys for which `podman network create` has flags, or that a runtime adds. */
static const struct {
	const char *key, *remedy;
} reserved[] = {
	{ "internal", "use --internal" },
	{ "cniVersion", "it is not an option of a network" },
	{ "name", "it is not an option of a network" },
	{ "type", "it is not an option of a network" },
	{ "args", "it is not an option of a network" },
	{ "capabilities", "it is not an option of a network" },
	{ "runtimeConfig", "it is not an option of a network" },
	{ "prevResult", "it is not an option of a network" },
};

static int create_rename(json_t *options, struct cni_error *err)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		json_t *value = json_object_get(options, names[i].theirs);

		if (!value)
			continue;
		if (json_object_get(options, names[i].ours))
			return cni_fail(err, CNI_CONFIG, "options %s and %s are the same", names[i].theirs,
					names[i].ours);
		json_object_set(options, names[i].ours, value);
		json_object_del(options, names[i].theirs);
	}
	return 0;
}

static int create_check_reserved(const json_t *options, struct cni_error *err)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (json_field(options, reserved[i].key)) {
			cni_fail(err, CNI_CONFIG, "option %s is not allowed", reserved[i].key);
			return cni_hint(err, "%s", reserved[i].remedy);
		}
	return 0;
}

/* The plugin ignores case in the names of keys, but these options are read before. */
static int create_check_case(const json_t *options, struct cni_error *err)
{
	static const char *const exact[] = {
		"parent", "master", "ipam", "routes", "dns", "metric", "linkInContainer", "no_default_route"
	};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)options, key, value)
		for (size_t i = 0; i < sizeof(exact) / sizeof(*exact); i++)
			if (!strcasecmp(key, exact[i]) && strcmp(key, exact[i]) != 0)
				return cni_fail(err, CNI_CONFIG, "option %s must be written %s", key,
						exact[i]);
	return 0;
}

/* -o parent=eth0, -o master=eth0 and --interface-name eth0 are the same. */
static int create_settle_master(json_t *network, json_t *options, struct cni_error *err)
{
	static const char *const keys[] = { "parent", "master" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		json_t *value = json_object_get(options, keys[i]),
		       *known = json_field(network, "network_interface");

		if (!value)
			continue;
		if (json_string_length(known) && !json_equal(known, value))
			return cni_fail(err, CNI_CONFIG, "two masters are given, %s and %s",
					json_string_value(known), json_string_value(value));
		json_object_set(network, "network_interface", value);
		json_object_del(options, keys[i]);
	}
	return 0;
}

/* --dns: Podman would reject it later, since it has no name server for the network. The key dns replaces it.
 */
static int create_settle_dns(json_t *network, json_t *options, struct cni_error *err)
{
	json_t *servers = json_field(network, "network_dns_servers");
	json_auto_t *dns = NULL;
	autofree char *text = NULL;

	json_object_set_new(network, "dns_enabled", json_false());
	if (!json_array_size(servers))
		return 0;
	if (json_object_get(options, "dns"))
		return cni_fail(err, CNI_CONFIG, "--dns and the option dns are the same");
	dns = json_pack("{s:O}", "nameservers", servers);
	text = json_dumps(dns, 0);
	json_object_set_new(options, "dns", json_string(text));
	json_object_del(network, "network_dns_servers");
	return 0;
}

/* The gateways of the host's default routes on a link. */
struct gateways {
	int link;
	struct ip list[2];
	size_t n;
};

static void create_see_route(const struct route_seen *seen, void *arg)
{
	struct gateways *gateways = arg;

	if (!seen->dst.len && seen->link == gateways->link && seen->gw.family && gateways->n < 2 &&
	    (!gateways->n || gateways->list[0].family != seen->gw.family))
		gateways->list[gateways->n++] = seen->gw;
}

/* Without a gateway Podman uses the first address of the subnet, which may not be a router. */
static void create_fill_gateways(json_t *network, const struct gateways *gateways)
{
	struct prefix prefix;
	json_t *subnet;
	size_t i;

	json_array_foreach(json_field(network, "subnets"), i, subnet) {
		const char *text = json_string_value(json_field(subnet, "subnet"));

		if (json_field(subnet, "gateway") || !prefix_parse(text ? text : "", &prefix))
			continue;
		for (size_t k = 0; k < gateways->n; k++)
			if (prefix_contains(&prefix, &gateways->list[k]))
				json_object_set_new(subnet, "gateway",
						    json_string(ip_text(&gateways->list[k]).s));
	}
}

/* Adds the master, and the gateways of subnets of its LAN, from the host's default routes. */
static int create_fill_from_host(json_t *network, struct rtnl *nl, struct cni_error *err)
{
	const char *name = json_string_value(json_field(network, "network_interface"));
	struct gateways gateways = { .n = 0 };
	struct link master;

	if (master_find(nl, name && *name ? name : NULL, &master, err) < 0)
		return -1;
	json_object_set_new(network, "network_interface", json_text(master.name));
	gateways.link = master.index;
	if (route_each(nl, AF_INET, RT_TABLE_MAIN, create_see_route, &gateways, err) < 0 ||
	    route_each(nl, AF_INET6, RT_TABLE_MAIN, create_see_route, &gateways, err) < 0)
		return -1;
	create_fill_gateways(network, &gateways);
	return 0;
}

static int create_fill(json_t *network, struct cni_error *err)
{
	const char *inside = network_option(network, "linkInContainer");
	struct rtnl nl;
	int rc;

	if (inside && !strcmp(inside, "true")) {
		if (*network_text(network, "network_interface"))
			return 0;
		cni_fail(err, CNI_CONFIG, "linkInContainer requires the name of the master in the container");
		return cni_hint(err, "use -o parent=NAME");
	}
	if (json_is_true(json_field(network, "internal")))
		return 0;
	if (rtnl_open(&nl, -1, err) < 0)
		return -1;
	rc = create_fill_from_host(network, &nl, err);
	rtnl_close(&nl);
	return rc;
}

static bool create_has_ipv6(const json_t *network)
{
	const json_t *subnet;
	size_t i;

	json_array_foreach(json_field(network, "subnets"), i, subnet) {
		const char *text = json_string_value(json_field(subnet, "subnet"));

		if (text && strchr(text, ':'))
			return true;
	}
	return false;
}

/* Podman assigns addresses if its IPAM driver is host-local, the default. Sets "none" if there is an option
 * ipam. */
static int create_settle_ipam(json_t *network, struct cni_error *err)
{
	json_t *options = json_field(network, "ipam_options");

	if (network_option(network, "ipam")) {
		if (!options)
			json_object_set_new(network, "ipam_options", options = json_object());
		json_object_set_new(options, "driver", json_string("none"));
	}
	if (!network_is_podmans(network))
		return 0;
	if (!json_array_size(json_field(network, "subnets"))) {
		cni_fail(err, CNI_CONFIG, "the network has no subnet");
		return cni_hint(
			err,
			"use --subnet, with --gateway and --ip-range; or --ipam-driver none for "
			"interfaces without addresses. In l2 the subnet is the LAN's, and its DHCP server "
			"and other hosts must not use the range");
	}
	if (json_is_true(json_field(network, "ipv6_enabled")) && !create_has_ipv6(network))
		return cni_fail(err, CNI_CONFIG, "--ipv6 requires a --subnet of IPv6");
	return 0;
}

int create_complete(json_t *network, struct cni_error *err)
{
	json_t *options = json_field(network, "options");

	if (!options)
		json_object_set_new(network, "options", options = json_object());
	if (!json_is_object(options))
		return cni_fail(err, CNI_CONFIG, "options must be an object");
	if (create_check_reserved(options, err) < 0 || create_check_case(options, err) < 0 ||
	    create_rename(options, err) < 0 || create_settle_master(network, options, err) < 0 ||
	    create_settle_dns(network, options, err) < 0 || create_settle_ipam(network, err) < 0)
		return -1;
	return create_fill(network, err);
}

static void create_fail_unknown(void *arg, const struct unknown_key *unknown)
{
	cni_fail(arg, CNI_CONFIG, "%s", unknown_key_text(unknown, "").s);
}

#define IGNORED "ignored: "

/* setup would ignore the key with a warning in a log. create fails instead. */
static void create_fail_ignored(void *arg, const char *line)
{
	cni_fail(arg, CNI_CONFIG, "%s",
		 !strncmp(line, IGNORED, strlen(IGNORED)) ? line + strlen(IGNORED) : line);
}

static int create_check_conf(const json_t *json, struct cni_error *err)
{
	struct request req = { .command = "ADD" };
	struct conf conf;
	int rc;

	keys_unknown(json, create_fail_unknown, err);
	if (*err->msg || request_read_conf(&req, (json_t *)json, err) < 0)
		return -1;
	log_divert(create_fail_ignored, err);
	log_check(json);
	rc = conf_read(&conf, &req, err);
	if (rc == 0)
		conf_free(&conf);
	log_divert(NULL, NULL);
	return rc < 0 || *err->msg ? -1 : 0;
}

json_t *create_check(const json_t *network, struct cni_error *err)
{
	json_auto_t *conf = network_conf(network, err);

	if (!conf || create_check_conf(conf, err) < 0)
		return NULL;
	json_decref(network_default_route(network, AF_INET, err)); /* checks the option metric */
	return *err->msg ? NULL : json_incref(conf);
}
