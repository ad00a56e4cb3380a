/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/reach.h"

#include <linux/if_link.h>
#include <stdio.h>

#include "net/addr.h"
#include "net/netns.h"
#include "plugin/guard.h"

static bool reach_is_near(const struct result *given, const struct ip *ip)
{
	for (size_t i = 0; i < given->n_ips; i++)
		if (prefix_contains(&given->ips[i].address, ip))
			return true;
	return false;
}

/*
 * In l2 a pod asks for the other pods of its subnet on the link, but with vepa they do not answer.
 * So the pod gets no subnet, but a route to it through the reflector.
 */
static int reach_reflect_in_pod(const struct conf *conf, struct result *given, struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		struct prefix *address = &given->ips[i].address;
		const struct ip *reflector = conf_reflector(conf, address->ip.family);
		struct cni_route route = { .table = -1, .scope = -1 };

		if (!reflector)
			continue;
		route.dst = prefix_network(address);
		route.gw = *reflector;
		*address = prefix_host(&address->ip);
		if (result_add_route(given, &route, err) < 0)
			return -1;
	}
	return 0;
}

/* A reflector in the pods' subnet redirects them to each other (RFC 1122 3.2.2.2), but they cannot
 * reach each other directly. */
static void reach_ignore_redirects(const struct iface *iface)
{
	struct sysctl sysctls[] = {
		{ "ipv4/conf/all/accept_redirects", "0" },
		{ "", "0" },
		{ "", "0" },
	};

	snprintf(sysctls[1].name, sizeof(sysctls[1].name), "ipv4/conf/%s/accept_redirects",
		 iface->req->ifname);
	snprintf(sysctls[2].name, sizeof(sysctls[2].name), "ipv6/conf/%s/accept_redirects",
		 iface->req->ifname);
	netns_sysctl(iface->netns, sysctls, netns_has_ipv6() ? 3 : 2);
}

/* The same, with the addresses that router advertisements add later. */
static bool reach_will_have_family(const struct conf *conf, const struct result *given, sa_family_t family)
{
	return result_has_family(given, family) || (family == AF_INET6 && conf->accept_ra);
}

/* Reads the host's addresses on the master, and adds routes to them without a gateway. */
static int reach_find_host(struct iface *iface, const struct conf *conf, struct result *given,
			   struct cni_error *err)
{
	if (guard_check_access(&iface->master, iface->link.ipvlan_flags, conf, err) < 0 ||
	    host_ips_read(&iface->hosts, &iface->host, iface->master.index, err) < 0)
		return -1;
	for (size_t i = 0; i < iface->hosts.n; i++) {
		const struct ip *host = &iface->hosts.ips[i];
		struct cni_route route = { .table = -1, .scope = RT_SCOPE_LINK };

		if (!reach_will_have_family(conf, given, host->family) || reach_is_near(given, host))
			continue;
		route.dst = prefix_host(host);
		if (result_add_route(given, &route, err) < 0)
			return -1;
	}
	return 0;
}

/* Only a warning: with static neighbours or routes the LAN can reach the pod. */
static int reach_warn_of_silence(struct iface *iface, const struct conf *conf, const struct result *given,
				 struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct prefix *address = &given->ips[i].address;
		struct ip host;
		enum found found =
			addr_main(iface->home, iface->master.index, address->ip.family, &host, err);

		if (found == FOUND_FAILED)
			return -1;
		if (found == FOUND && prefix_contains(address, &host))
			cni_log("%s is in the subnet of %s, but in %s no host answers for it: the LAN "
				"cannot reach it",
				ip_text(&address->ip).s, iface->master.name, ipvlan_mode_text(conf->mode));
	}
	return 0;
}

/* An internal network leads nowhere. */
static void reach_drop_default_routes(struct result *given)
{
	size_t kept = 0;

	for (size_t i = 0; i < given->n_routes; i++)
		if (given->routes[i].dst.len)
			given->routes[kept++] = given->routes[i];
	given->n_routes = kept;
}

int reach_pod(struct iface *iface, const struct conf *conf, struct result *given, struct cni_error *err)
{
	if (conf->internal)
		reach_drop_default_routes(given);
	if (conf->mode != IPVLAN_MODE_L2 && !conf->proxy_arp &&
	    reach_warn_of_silence(iface, conf, given, err) < 0)
		return -1;
	if (conf->host_access && reach_find_host(iface, conf, given, err) < 0)
		return -1;
	if (!conf->n_reflectors)
		return 0;
	reach_ignore_redirects(iface);
	return conf->mode == IPVLAN_MODE_L2 ? reach_reflect_in_pod(conf, given, err) : 0;
}
