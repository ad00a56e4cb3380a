/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ether.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/process.h"
#include "ctl/examine.h"
#include "ctl/ping.h"
#include "ctl/progress.h"
#include "net/addr.h"
#include "plugin/probe.h"

#define ASKED_MAX 1024 /* addresses at once */
#define RANGE_MAX 256  /* in a larger range only leased addresses are asked for */
#define WAIT_MS 100
#define ASKS 2
#define HEADER_TEST 128 /* bytes of a packet that passes every link */

struct questions {
	struct answer list[ASKED_MAX];
	size_t n;
};

static void gateways_ask_for(struct questions *all, const struct ip *ip)
{
	for (size_t i = 0; i < all->n; i++)
		if (ip_equal(&all->list[i].ip, ip))
			return;
	if (ip->family && !ip_is_any(ip) && all->n < ASKED_MAX)
		all->list[all->n++] = (struct answer){ .ip = *ip };
}

static bool gateways_is_on_host(struct exam *exam, const struct ip *ip)
{
	return addr_is_local(&exam->host, exam->master.holder, ip, NULL) == FOUND;
}

/* A route of pods without a gateway uses the range's. */
static bool gateways_is_used(const struct exam *exam, const struct address_range *range)
{
	for (size_t i = 0; i < exam->routes.n_routes; i++)
		if (exam->routes.routes[i].dst.ip.family == range->subnet.ip.family &&
		    !exam->routes.routes[i].gw.family)
			return true;
	return range->gateway_given;
}

static void gateways_collect(struct exam *exam, struct questions *ret)
{
	for (size_t i = 0; i < exam->ranges.n; i++)
		if (gateways_is_used(exam, &exam->ranges.list[i]))
			gateways_ask_for(ret, &exam->ranges.list[i].gateway);
	for (size_t i = 0; i < exam->routes.n_routes; i++)
		gateways_ask_for(ret, &exam->routes.routes[i].gw);
}

/* Returns the largest usual packet size that reaches the gateway; 0: none does. */
static unsigned int gateway_largest(const struct ip *gw, unsigned int mtu)
{
	static const unsigned int usual[] = {
		8950, 8000, 4096, 1500, 1492, 1480, 1450, 1400, 1350, 1280, 576
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (usual[i] < mtu && ping_large(-1, gw, usual[i], NULL) == FOUND)
			return usual[i];
	return 0;
}

/* Tries more than once, since a packet may get lost. */
static bool gateway_takes(const struct ip *gw, unsigned int mtu)
{
	for (int tries = 0; tries < 2; tries++)
		if (ping_large(-1, gw, mtu, NULL) == FOUND)
			return true;
	return false;
}

/* If only small packets pass, connections open, and then hang. */
static void gateways_examine_size(struct exam *exam, const struct ip *gw)
{
	const unsigned int mtu = exam->conf.mtu ? exam->conf.mtu : exam->master.mtu;
	char remedy[160] = "let the LAN carry them, or set a smaller \"mtu\"";
	unsigned int passes;

	progress("sending large packets to the gateway");
	if (ping_large(-1, gw, HEADER_TEST, NULL) != FOUND)
		return; /* the gateway filters them, or the host has no address in its subnet */
	if (gateway_takes(gw, mtu)) {
		report(exam->report, OK, "path MTU", NULL, "%u bytes reach %s", mtu, ip_text(gw).s);
		return;
	}
	passes = gateway_largest(gw, mtu);
	if (passes)
		snprintf(remedy, sizeof(remedy), "let the LAN carry them, or set \"mtu\": %u", passes);
	report(exam->report, WARNING, "path MTU", remedy,
	       "packets of %u bytes do not reach %s on \"%s\", but small ones do", mtu, ip_text(gw).s,
	       exam->master.name);
}

/* Returns the range whose subnet has the gateway, or -1. */
static int gateways_range_of(const struct exam *exam, const struct ip *gw)
{
	for (size_t i = 0; i < exam->ranges.n; i++)
		if (prefix_contains(&exam->ranges.list[i].subnet, gw))
			return (int)i;
	return -1;
}

static void gateways_report_dead(struct exam *exam, const struct ip *gw)
{
	const int i = gateways_range_of(exam, gw);
	const char *name = exam->master.name;

	if (i >= 0 && exam->is_foreign[i])
		report(exam->report, WARNING, "gateway",
		       "check the subnet: the LAN's is that of the host's addresses on the master",
		       "%s does not answer on \"%s\", and %s is not a subnet of the LAN", ip_text(gw).s, name,
		       prefix_text(&exam->ranges.list[i].subnet).s);
	else
		report(exam->report, WARNING, "gateway",
		       "check that it is up and on this LAN, or name another one by \"gateway\" in the "
		       "range or \"gw\" in a route",
		       "%s does not answer on \"%s\"", ip_text(gw).s, name);
}

static void gateways_examine_one(struct exam *exam, const struct answer *gateway)
{
	const struct ip_str text = ip_text(&gateway->ip);

	if (gateways_is_on_host(exam, &gateway->ip)) {
		report(exam->report, exam->conf.host_access ? OK : WARNING, "gateway",
		       exam->conf.host_access ? NULL : "\"hostAccess\": true, or name the LAN's router",
		       "%s is this host%s", text.s,
		       exam->conf.host_access ? "" : ", which pods reach only with hostAccess");
	} else if (!gateway->answered) {
		gateways_report_dead(exam, &gateway->ip);
	} else {
		report(exam->report, OK, "gateway", NULL, "%s answers", text.s);
		gateways_examine_size(exam, &gateway->ip);
	}
}

/* Asks by ARP or neighbour solicitation, which filters of echo requests do not affect. */
void examine_gateways(struct exam *exam)
{
	struct questions asked = { .n = 0 };
	struct cni_error err = { 0 };

	if (exam->conf.mode != IPVLAN_MODE_L2 || exam->conf.internal)
		return;
	gateways_collect(exam, &asked);
	progress("asking the gateways");
	if (probe_ask(&exam->master, -1, asked.list, asked.n, asked.n, &err) < 0) {
		report_error(exam->report, WARNING, "gateway", &err);
		return;
	}
	for (size_t i = 0; i < asked.n; i++)
		gateways_examine_one(exam, &asked.list[i]);
}

static const json_t *gateways_lease_of(const struct exam *exam, const struct ip *ip)
{
	const json_t *pool, *lease;
	size_t i, k;
	struct ip leased;

	json_array_foreach(exam->pools, i, pool)
		json_array_foreach(json_object_get(pool, "leases"), k, lease) {
			const char *text = json_string_value(json_object_get(lease, "address"));

			if (text && ip_parse(text, &leased) && ip_equal(&leased, ip))
				return lease;
		}
	return NULL;
}

static void gateways_collect_leases(const struct exam *exam, struct questions *ret)
{
	const json_t *pool, *lease;
	size_t i, k;
	struct ip ip;

	json_array_foreach(exam->pools, i, pool)
		json_array_foreach(json_object_get(pool, "leases"), k, lease) {
			const char *text = json_string_value(json_object_get(lease, "address"));

			if (text && ip_parse(text, &ip))
				gateways_ask_for(ret, &ip);
		}
}

/* Other nodes may have the other addresses of a shared pool. */
static bool gateways_is_shared(const struct exam *exam)
{
	return json_field(json_field(exam->plugin, "ipam"), "cluster");
}

static void gateways_collect_range(struct exam *exam, const struct address_range *range,
				   struct questions *ret)
{
	struct ip ip = range->start;

	if (ip_distance(&range->start, &range->end) >= RANGE_MAX)
		return;
	for (int i = 0; i < RANGE_MAX && ip_compare(&ip, &range->end) <= 0; i++, ip = ip_next(&ip))
		if (ranges_give(&exam->ranges, &ip) && !gateways_is_on_host(exam, &ip))
			gateways_ask_for(ret, &ip);
}

static void gateways_report_neighbour(struct exam *exam, const struct answer *neighbour)
{
	const json_t *lease = gateways_lease_of(exam, &neighbour->ip);
	const char *container = json_string_value(json_object_get(lease, "container"));
	char remedy[192];

	snprintf(remedy, sizeof(remedy),
		 "give that host another address, or exclude this one from the pool%s",
		 exam->conf.conflict_check ? ""
					   : "; with \"conflictCheck\": \"probe\" ADD asks for the address");
	if (lease)
		report(exam->report, ERROR, "LAN", remedy,
		       "%s is leased by container %s, and a host of the LAN has it as well: %s answers",
		       ip_text(&neighbour->ip).s, container ? container : "", answer_mac(neighbour).s);
	else
		report(exam->report, WARNING, "LAN", remedy,
		       "%s is in the range, and a host of the LAN has it: %s answers",
		       ip_text(&neighbour->ip).s, answer_mac(neighbour).s);
}

void examine_neighbours(struct exam *exam)
{
	struct questions *asked = calloc(1, sizeof(*asked));
	struct cni_error err = { 0 };
	size_t taken = 0;

	if (!asked || exam->conf.internal || (exam->conf.mode != IPVLAN_MODE_L2 && !exam->conf.proxy_arp)) {
		free(asked);
		return;
	}
	gateways_collect_leases(exam, asked);
	for (size_t i = 0; i < exam->ranges.n && !gateways_is_shared(exam); i++)
		gateways_collect_range(exam, &exam->ranges.list[i], asked);
	progress("asking the LAN for the pool's addresses");
	if (probe_ask(&exam->master, -1, asked->list, asked->n, asked->n, &err) < 0)
		report_error(exam->report, WARNING, "LAN", &err);
	for (size_t i = 0; i < asked->n; i++)
		if (asked->list[i].answered) {
			gateways_report_neighbour(exam, &asked->list[i]);
			taken++;
		}
	if (!taken && !err.code && asked->n)
		report(exam->report, OK, "LAN", NULL, "no other host has one of %zu addresses of the pool",
		       asked->n);
	free(asked);
}

static int gateways_open_arp(const struct link *link, struct sockaddr_ll *here)
{
	autoclose int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*here = (struct sockaddr_ll){ .sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ARP),
				      .sll_ifindex = link->index,
				      .sll_halen = ETH_ALEN };
	memset(here->sll_addr, 0xff, ETH_ALEN);
	if (fd < 0 || bind(fd, (const struct sockaddr *)here, sizeof(*here)) < 0)
		return -1;
	return take_fd(&fd);
}

/* Sends an ARP probe (RFC 5227) for 0.0.0.0, which no host has, and which changes no host's cache. */
static void gateways_send_probe(int fd, const struct sockaddr_ll *to, const struct ether_addr *mac)
{
	struct ether_arp arp = {
		.ea_hdr = { htons(ARPHRD_ETHER), htons(ETH_P_IP), ETH_ALEN, 4, htons(ARPOP_REQUEST) },
	};

	memcpy(arp.arp_sha, mac, ETH_ALEN);
	sendto(fd, &arp, sizeof(arp), 0, (const struct sockaddr *)to, sizeof(*to));
}

static bool gateways_lan_hears(int fd, const struct ether_addr *mac)
{
	struct sockaddr_ll from = { .sll_family = AF_PACKET };
	socklen_t size = sizeof(from);
	struct ether_arp arp;

	while (recvfrom(fd, &arp, sizeof(arp), 0, (struct sockaddr *)&from, &size) == sizeof(arp)) {
		if (from.sll_pkttype != PACKET_OUTGOING && !memcmp(arp.arp_sha, mac, ETH_ALEN))
			return true;
		size = sizeof(from);
	}
	return false;
}

bool lan_is_shared(const struct link *a, const struct link *b)
{
	struct sockaddr_ll from, to;
	autoclose int mouth = gateways_open_arp(a, &from), ear = gateways_open_arp(b, &to);
	const long long end = process_now_ms() + (long long)ASKS * WAIT_MS;
	struct pollfd wait = { .fd = ear, .events = POLLIN };
	struct ether_addr mac;

	if (mouth < 0 || ear < 0 || !ether_aton_r(a->mac, &mac))
		return false;
	for (int i = 0; i < ASKS; i++) {
		gateways_send_probe(mouth, &from, &mac);
		while (process_now_ms() < end - (ASKS - 1 - i) * (long long)WAIT_MS) {
			poll(&wait, 1, WAIT_MS / 4);
			if (gateways_lan_hears(ear, &mac))
				return true;
		}
	}
	return false;
}
