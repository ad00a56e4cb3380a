/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "cni/json.h"
#include "ctl/examine.h"
#include "net/addr.h"
#include "net/netns.h"

#define ON_HOST_MAX 64

/* The host's addresses of global scope: on the master, or on any link. */
struct host_addresses {
	struct prefix list[ON_HOST_MAX];
	size_t n;
	int link; /* 0: any */
};

static void subnets_keep_address(const struct addr_seen *seen, void *arg)
{
	struct host_addresses *on_host = arg;

	if (on_host->n < ON_HOST_MAX && seen->scope == RT_SCOPE_UNIVERSE &&
	    (!on_host->link || seen->link == on_host->link))
		on_host->list[on_host->n++] = seen->address;
}

static bool subnets_meet(const struct prefix *a, const struct prefix *b)
{
	return a->ip.family == b->ip.family && (prefix_contains(a, &b->ip) || prefix_contains(b, &a->ip));
}

/* Returns the LAN's subnet with the largest overlap. NULL: none overlaps. */
static const struct prefix *subnets_lan_of(const struct host_addresses *on_host, const struct prefix *subnet)
{
	const struct prefix *found = NULL;

	for (size_t i = 0; i < on_host->n; i++) {
		const struct prefix *lan = &on_host->list[i];

		if (subnets_meet(lan, subnet) && lan->len < 8 * ip_size(&lan->ip) &&
		    (!found || lan->len == subnet->len))
			found = lan;
	}
	return found;
}

static void subnets_examine_routed(struct exam *exam, const struct prefix *subnet, const struct prefix *lan)
{
	if (lan && !exam->conf.proxy_arp)
		report(exam->report, WARNING, "subnet",
		       "use another subnet for pods, with a route on the LAN; or l2; or l3s with proxyArp",
		       "%s is the LAN's: in %s nothing answers ARP for pods there", prefix_text(subnet).s,
		       ipvlan_mode_text(exam->conf.mode));
	else if (lan)
		report(exam->report, OK, "subnet", NULL, "%s is the LAN's, and proxyArp answers for pods",
		       prefix_text(subnet).s);
	else
		report(exam->report, OK, "subnet", NULL,
		       "%s is for pods alone: the LAN requires a route to it", prefix_text(subnet).s);
}

/* In l2 pods are hosts of the LAN. If their subnet is another one, examine_gateways() asks its gateway
 * whether it is on the same LAN. */
static void subnets_examine_on_link(struct exam *exam, const struct prefix *subnet, const struct prefix *lan)
{
	const struct prefix network = lan ? prefix_network(lan) : *subnet;
	char remedy[128];

	snprintf(remedy, sizeof(remedy),
		 exam->podman ? "--subnet %s, with --ip-range"
			      : "\"subnet\": \"%s\", with \"rangeStart\" and \"rangeEnd\"",
		 prefix_text(&network).s);
	if (lan && subnet->len > lan->len)
		report(exam->report, WARNING, "subnet", remedy,
		       "%s is a part of the LAN's subnet %s: pods reach the rest of the LAN only through a "
		       "gateway",
		       prefix_text(subnet).s, prefix_text(&network).s);
	else if (lan && subnet->len < lan->len)
		report(exam->report, WARNING, "subnet", remedy,
		       "%s is more than the LAN's subnet %s: pods look for the rest of it on the LAN",
		       prefix_text(subnet).s, prefix_text(&network).s);
	else if (lan)
		report(exam->report, OK, "subnet", NULL, "%s is the LAN's", prefix_text(subnet).s);
	else
		report(exam->report, OK, "subnet", NULL, "%s is not a subnet of the host on %s",
		       prefix_text(subnet).s, exam->master.name);
}

void examine_ranges(struct exam *exam)
{
	const struct address_range *range = &exam->ranges.backwards;

	if (range->start.family)
		report(exam->report, ERROR, "pool", "exchange them", "rangeStart %s is after rangeEnd %s",
		       ip_text(&range->start).s, ip_text(&range->end).s);
}

static bool subnets_is_first_address(const struct ranges *ranges, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (prefix_equal(&ranges->list[k].subnet, &ranges->list[i].subnet))
			return false;
	return true;
}

void examine_subnets(struct exam *exam)
{
	struct host_addresses on_host = { .link = exam->master.index };

	addr_each(&exam->host, subnets_keep_address, &on_host, NULL);
	for (size_t i = 0; i < exam->ranges.n && !exam->conf.internal; i++) {
		const struct prefix *subnet = &exam->ranges.list[i].subnet,
				    *lan = subnets_lan_of(&on_host, subnet);

		exam->is_foreign[i] = on_host.n && !lan;
		if (!subnets_is_first_address(&exam->ranges, i))
			continue;
		if (subnet->ip.family == AF_INET6 && !netns_has_ipv6())
			report(exam->report, ERROR, "subnet", "start the machine without ipv6.disable=1",
			       "%s: this kernel has no IPv6", prefix_text(subnet).s);
		else if (exam->conf.mode != IPVLAN_MODE_L2)
			subnets_examine_routed(exam, subnet, lan);
		else
			subnets_examine_on_link(exam, subnet, lan);
	}
}

/* ADD fails if a pod gets an address of the host. */
void examine_addresses(struct exam *exam)
{
	const bool addrpool = !strcmp(exam->conf.ipam ? exam->conf.ipam : "", "addrpool");
	struct host_addresses on_host = { .link = 0 };
	char remedy[128];

	if (exam->conf.link_in_container)
		return;
	addr_each(&exam->host, subnets_keep_address, &on_host, NULL);
	for (size_t i = 0; i < on_host.n; i++) {
		const struct ip *ip = &on_host.list[i].ip;
		const struct address_range *range = ranges_give(&exam->ranges, ip);

		if (!range)
			continue;
		if (addrpool)
			snprintf(remedy, sizeof(remedy), "\"exclude\": [\"%s\"] in ipam", ip_text(ip).s);
		else
			snprintf(remedy, sizeof(remedy), "use a range without it: %s",
				 exam->podman ? "--ip-range" : "\"rangeStart\" and \"rangeEnd\" in ipam");
		report(exam->report, WARNING, "pool", remedy,
		       "%s is an address of this host, in the range %s: the ADD that gets it fails",
		       ip_text(ip).s, range_text(range).s);
	}
}

/* The plugin sbr makes default routes from the gateways in the result. */
static bool subnets_has_plugin(const struct exam *exam, const char *type)
{
	const json_t *plugin;
	size_t i;

	json_array_foreach(exam->plugins, i, plugin) {
		const char *text = json_string_value(json_field(plugin, "type"));

		if (text && !strcmp(text, type))
			return true;
	}
	return false;
}

static void subnets_examine_routes_of(struct exam *exam, int family)
{
	const char *dst = family == AF_INET ? "0.0.0.0/0" : "::/0";
	bool any = false, given = false, routes = false, leads = false;
	char remedy[128];

	for (size_t i = 0; i < exam->ranges.n; i++) {
		any |= exam->ranges.list[i].subnet.ip.family == family;
		given |= exam->ranges.list[i].subnet.ip.family == family &&
			 exam->ranges.list[i].gateway_given && exam->ranges.list[i].gateway.family;
	}
	for (size_t i = 0; i < exam->routes.n_routes; i++) {
		const struct prefix *to = &exam->routes.routes[i].dst;

		routes |= to->ip.family == family;
		leads |= to->ip.family == family && !to->len;
	}
	if (!any)
		return;
	snprintf(remedy, sizeof(remedy), "\"routes\": [{\"dst\": \"%s\"}] in ipam", dst);
	if (leads)
		report(exam->report, OK, "routes", NULL, "pods have a default route, %s", dst);
	else if (given && !routes && !subnets_has_plugin(exam, "sbr"))
		report(exam->report, WARNING, "routes", remedy,
		       "pods have no default route of %s: \"gateway\" alone makes none",
		       family == AF_INET ? "IPv4" : "IPv6");
	else
		report(exam->report, OK, "routes", NULL, "pods have no default route of %s",
		       family == AF_INET ? "IPv4" : "IPv6");
}

void examine_routes(struct exam *exam)
{
	if (exam->conf.internal)
		return;
	subnets_examine_routes_of(exam, AF_INET);
	subnets_examine_routes_of(exam, AF_INET6);
}
