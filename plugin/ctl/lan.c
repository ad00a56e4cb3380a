/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lan.h"

#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>

#include "cni/attachment.h"
#include "cni/conflist.h"
#include "cni/json.h"
#include "ctl/places.h"
#include "ctl/podman.h"
#include "ctl/scan.h"
#include "ctl/sweep.h"
#include "net/addr.h"
#include "netavark/network.h"

/* Addresses to ask for, and the size of a range: at most RANGE_MAX, and a share of the subnet. */
#define ASKED_MAX 1024
#define RANGE_MAX 64
#define RANGE_SHARE 8

static void lan_see_address(const struct addr_seen *seen, void *arg)
{
	struct lan *lan = arg;
	struct lan_side *side = seen->address.ip.family == AF_INET ? &lan->v4 : &lan->v6;

	if (seen->link != lan->link.index || seen->scope != RT_SCOPE_UNIVERSE || side->address.ip.family ||
	    (seen->flags & (IFA_F_SECONDARY | IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)))
		return;
	side->address = seen->address;
	side->leased = !(seen->flags & IFA_F_PERMANENT);
}

static void lan_see_default(struct lan *lan, struct lan_side *side, const struct route_seen *route)
{
	if (route->dst.len || route->type != RTN_UNICAST || route->link != lan->link.index ||
	    side->has_default)
		return;
	side->has_default = true;
	side->gateway = route->gw;
}

static void lan_see_route_v4(const struct route_seen *route, void *arg)
{
	struct lan *lan = arg;

	lan_see_default(lan, &lan->v4, route);
}

static void lan_see_route_v6(const struct route_seen *route, void *arg)
{
	struct lan *lan = arg;

	lan_see_default(lan, &lan->v6, route);
}

int lan_read(struct lan *ret, struct rtnl *host, const struct link *link, struct cni_error *err)
{
	*ret = (struct lan){ .host = host, .link = *link };
	if (addr_each(host, lan_see_address, ret, err) < 0 ||
	    route_each(host, AF_INET, RT_TABLE_MAIN, lan_see_route_v4, ret, err) < 0)
		return -1;
	return route_each(host, AF_INET6, RT_TABLE_MAIN, lan_see_route_v6, ret, err);
}

/* Addresses to ask for, each taken or not. */
struct window {
	struct prefix subnet;
	struct ip first;
	size_t n;
	bool taken[ASKED_MAX];
};

static void lan_window_take(struct window *window, const struct ip *from, const struct ip *to)
{
	struct ip ip = window->first;

	for (size_t i = 0; i < window->n; i++, ip = ip_next(&ip))
		if (ip_compare(&ip, from) >= 0 && ip_compare(&ip, to) <= 0)
			window->taken[i] = true;
}

/* Marks a range of another network as taken: the whole subnet, or from start to end. */
static void lan_take_range(struct window *window, const json_t *range)
{
	struct prefix subnet;
	struct ip from, to, ip;

	if (!prefix_parse(scan_text(range, "subnet"), &subnet) || subnet.ip.family != window->first.family)
		return;
	from = prefix_network(&subnet).ip;
	to = prefix_last(&subnet);
	if (ip_parse(scan_text(range, "rangeStart"), &ip))
		from = ip;
	if (ip_parse(scan_text(range, "rangeEnd"), &ip))
		to = ip;
	lan_window_take(window, &from, &to);
}

static void lan_take_ranges(struct window *window, const json_t *ranges)
{
	const json_t *set, *range;
	size_t i, k;

	json_array_foreach(ranges, i, set)
		json_array_foreach(set, k, range)
			lan_take_range(window, range);
}

static void lan_take_podmans(struct window *window)
{
	json_auto_t *podmans = podman_networks();
	const json_t *entry;
	size_t i;

	json_array_foreach(podmans, i, entry) {
		json_auto_t *ranges = network_ranges(json_object_get(entry, "network"));

		lan_take_ranges(window, ranges);
	}
}

static void lan_take_networks(struct window *window)
{
	json_auto_t *files = places_list(NULL);
	const json_t *file, *plugin;
	size_t i, k;

	json_array_foreach(files, i, file) {
		json_auto_t *plugins = conflist_read(json_string_value(file), NULL);

		json_array_foreach(plugins, k, plugin) {
			const json_t *ipam = json_field(plugin, "ipam");

			lan_take_range(window, ipam);
			lan_take_ranges(window, json_field(ipam, "ranges"));
		}
	}
	lan_take_podmans(window);
}

/* The upper end of the subnet, without its first and last address. */
static struct window *lan_window_open(const struct lan_side *side)
{
	struct window *window = calloc(1, sizeof(*window));
	struct ip network, last;
	uint64_t n;

	if (!window)
		abort();
	window->subnet = prefix_network(&side->address);
	network = window->subnet.ip;
	last = prefix_last(&window->subnet);
	n = ip_distance(&network, &last) + 1;
	window->n = n > ASKED_MAX ? ASKED_MAX : (size_t)n;
	window->first = ip_add(&network, n - window->n);
	lan_window_take(window, &network, &network);
	lan_window_take(window, &last, &last);
	if (side->gateway.family)
		lan_window_take(window, &side->gateway, &side->gateway);
	return window;
}

static bool lan_is_free(const struct window *window, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++)
		if (window->taken[i])
			return false;
	return true;
}

/* Finds the highest free block of the largest size possible. */
static bool lan_find_block(const struct window *window, size_t size, size_t *from, size_t *n)
{
	for (*n = size; *n; *n /= 2)
		for (size_t end = window->n / *n * *n; end; end -= *n)
			if (lan_is_free(window, end - *n, *n)) {
				*from = end - *n;
				return true;
			}
	return false;
}

static size_t lan_range_size(uint64_t addresses)
{
	size_t size = RANGE_MAX;

	while (size > 1 && size > addresses / RANGE_SHARE)
		size /= 2;
	return size;
}

static int lan_check_subnet(const struct lan *lan, struct cni_error *err)
{
	const struct prefix *address = &lan->v4.address;

	if (!address->ip.family) {
		cni_fail(err, CNI_CONFIG, "%s has no IPv4 address", lan->link.name);
		return cni_hint(err, "add one, name another link with --master, or let the host "
				     "masquerade: --mode l3s");
	}
	if (address->len <= 30)
		return 0;
	cni_fail(err, CNI_CONFIG, "%s has only %s: its subnet has no address for pods", lan->link.name,
		 prefix_text(address).s);
	return cni_hint(
		err,
		"use a subnet for pods: --mode l3s, with the host's address outside; or --mode l3, with a "
		"route to this host in the LAN's router");
}

static int lan_ask_window(struct lan *lan, struct window *window, struct cni_error *err)
{
	bool answered[ASKED_MAX] = { false };

	if (sweep(&lan->link, &window->first, window->n, answered, err) < 0)
		return -1;
	lan->v4.asked = window->n;
	for (size_t i = 0; i < window->n; i++) {
		lan->v4.taken += answered[i];
		window->taken[i] |= answered[i];
	}
	return 0;
}

static void lan_take_host_address(const struct addr_seen *seen, void *window)
{
	if (seen->address.ip.family == AF_INET)
		lan_window_take(window, &seen->address.ip, &seen->address.ip);
}

static int lan_window_choose(struct lan *lan, struct window *window, struct cni_error *err)
{
	const struct ip last = prefix_last(&window->subnet);
	size_t from, n;

	lan_take_networks(window);
	if (addr_each(lan->host, lan_take_host_address, window, err) < 0 ||
	    lan_ask_window(lan, window, err) < 0)
		return -1;
	if (!lan_find_block(window, lan_range_size(ip_distance(&window->subnet.ip, &last) + 1), &from, &n)) {
		cni_fail(err, CNI_CONFIG, "no address of %s is free", prefix_text(&window->subnet).s);
		return cni_hint(
			err, "each of the last %zu is the host's, another network's, or answers on the LAN",
			window->n);
	}
	lan->v4.from = ip_add(&window->first, from);
	lan->v4.to = ip_add(&window->first, from + n - 1);
	return 0;
}

int lan_choose(struct lan *lan, struct cni_error *err)
{
	struct window *window;
	int rc;

	if (lan_check_subnet(lan, err) < 0)
		return -1;
	window = lan_window_open(&lan->v4);
	rc = lan_window_choose(lan, window, err);
	free(window);
	return rc;
}

static int lan_read_range(struct lan_side *side, const char *range, struct cni_error *err)
{
	const char *dash = strchr(range, '-');
	char from[64] = "";
	int rc = -1;

	if (dash && dash - range < (int)sizeof(from)) {
		memcpy(from, range, (size_t)(dash - range));
		rc = ip_parse(from, &side->from) && ip_parse(dash + 1, &side->to) ? 0 : -1;
	}
	if (rc < 0 || ip_compare(&side->from, &side->to) > 0) {
		cni_fail(err, CNI_CONFIG, "\"%s\" is not a range of addresses", range);
		return cni_hint(err, "write it as FIRST-LAST, for instance 192.168.1.200-192.168.1.220");
	}
	if (side->from.family == AF_INET && prefix_contains(&side->address, &side->from) &&
	    prefix_contains(&side->address, &side->to))
		return 0;
	return cni_fail(err, CNI_CONFIG, "%s is not in the subnet of %s", range,
			prefix_text(&side->address).s);
}

int lan_check_range(struct lan *lan, const char *range, struct cni_error *err)
{
	bool answered[ASKED_MAX] = { false };
	struct lan_side *side = &lan->v4;
	uint64_t n;

	if (lan_check_subnet(lan, err) < 0 || lan_read_range(side, range, err) < 0)
		return -1;
	n = ip_distance(&side->from, &side->to) + 1;
	side->asked = n > ASKED_MAX ? ASKED_MAX : (size_t)n;
	if (sweep(&lan->link, &side->from, side->asked, answered, err) < 0)
		return -1;
	for (size_t i = 0; i < side->asked; i++) {
		const struct ip ip = ip_add(&side->from, i);

		side->taken += answered[i];
		if (answered[i])
			cni_log("ipvlanctl: a host of the LAN has %s, which is in the range", ip_text(&ip).s);
	}
	return 0;
}

void lan_choose_v6(struct lan *lan, const char *name)
{
	struct prefix subnet = prefix_network(&lan->v6.address);
	const uint64_t hash = attachment_hash(lan->link.mac, name);

	/* 1xyz:...: no EUI-64 address, and a privacy address only by chance */
	subnet.ip.bytes[12] = (unsigned char)(0x10 | (hash >> 8 & 0xf));
	subnet.ip.bytes[13] = (unsigned char)hash;
	lan->v6.from = ip_next(&subnet.ip);
	lan->v6.to = subnet.ip;
	lan->v6.to.bytes[14] = lan->v6.to.bytes[15] = 0xff;
}

struct meeting {
	struct prefix subnet;
	bool met;
};

static void lan_see_overlap(const struct route_seen *route, void *arg)
{
	struct meeting *meeting = arg;

	if (route->dst.len && (prefix_contains(&route->dst, &meeting->subnet.ip) ||
			       prefix_contains(&meeting->subnet, &route->dst.ip)))
		meeting->met = true;
}

bool lan_private_subnet(struct rtnl *host, struct prefix *ret)
{
	struct meeting meeting = { .met = true };

	for (unsigned char i = 200; meeting.met && i < 250; i++) {
		meeting.subnet = (struct prefix){ { AF_INET, { 10, i, 0, 0 } }, 24 };
		meeting.met = false;
		if (route_each(host, AF_INET, 0, lan_see_overlap, &meeting, NULL) < 0)
			return false;
	}
	*ret = meeting.subnet;
	return !meeting.met;
}
