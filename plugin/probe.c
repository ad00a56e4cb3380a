/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ether.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/cleanup.h"
#include "cni/process.h"
#include "net/netns.h"

#define PROBES 3
#define INTERVAL_MS 100

/* A socket of one family on the master. */
struct ear {
	int fd, netns;
	const struct link *master;
	struct ether_addr mac;
	sa_family_t family;
};

static struct sockaddr_ll probe_sockaddr(const struct ear *ear)
{
	return (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ear->family == AF_INET ? ETH_P_ARP : ETH_P_IPV6),
		.sll_ifindex = ear->master->index,
		.sll_halen = ETH_ALEN,
	};
}

/* Filters IPv6 packets: only neighbour advertisements pass. */
static int probe_filter_advertisements(int fd)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(struct ip6_hdr, ip6_nxt)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, sizeof(struct ip6_hdr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = { sizeof(steps) / sizeof(*steps), steps };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

static int probe_open_ear(void *arg, struct cni_error *err)
{
	struct ear *ear = arg;
	const struct sockaddr_ll here = probe_sockaddr(ear);
	autoclose int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (ear->family == AF_INET6 && probe_filter_advertisements(fd) < 0) ||
	    bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0)
		return cni_fail(err, CNI_IO, "conflictCheck: cannot listen on %s: %s", ear->master->name,
				errno_text(errno));
	ear->fd = take_fd(&fd);
	return 0;
}

static int probe_send(const struct ear *ear, const void *packet, size_t len, const unsigned char *to)
{
	struct sockaddr_ll there = probe_sockaddr(ear);

	memcpy(there.sll_addr, to, ETH_ALEN);
	return sendto(ear->fd, packet, len, 0, (const struct sockaddr *)&there, sizeof(there)) < 0 ? -1 : 0;
}

static int probe_ask_arp(const struct ear *ear, const struct ip *ip)
{
	static const unsigned char everybody[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct ether_arp arp = {
		.ea_hdr = { htons(ARPHRD_ETHER), htons(ETH_P_IP), ETH_ALEN, 4, htons(ARPOP_REQUEST) },
	};

	memcpy(arp.arp_sha, &ear->mac, ETH_ALEN);
	memcpy(arp.arp_tpa, ip->bytes, 4);
	return probe_send(ear, &arp, sizeof(arp), everybody);
}

/* The checksum (RFC 1071) of the pseudo header (RFC 8200 8.1) and the message. */
static uint16_t probe_checksum(const struct ip6_hdr *ip, const void *message, size_t len)
{
	const unsigned char *bytes = message;
	uint32_t sum = (uint32_t)len + IPPROTO_ICMPV6;

	for (size_t i = 0; i < 16; i += 2)
		sum += (uint32_t)(ip->ip6_src.s6_addr[i] << 8 | ip->ip6_src.s6_addr[i + 1]) +
		       (uint32_t)(ip->ip6_dst.s6_addr[i] << 8 | ip->ip6_dst.s6_addr[i + 1]);
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static int probe_ask_neighbours(const struct ear *ear, const struct ip *ip)
{
	struct {
		struct ip6_hdr ip;
		struct nd_neighbor_solicit ask;
	} packet = {
		.ip = { .ip6_plen = htons(sizeof(packet.ask)), .ip6_nxt = IPPROTO_ICMPV6, .ip6_hlim = 255 },
		.ask = { .nd_ns_type = ND_NEIGHBOR_SOLICIT },
	};
	/* the solicited-node group of the address, RFC 4291 2.7.1, and its MAC address */
	unsigned char group[16] = { 0xff, 2, [11] = 1, [12] = 0xff }, mac[ETH_ALEN] = { 0x33, 0x33, 0xff };

	packet.ip.ip6_vfc = 6 << 4; /* is in a union with other members */
	memcpy(group + 13, ip->bytes + 13, 3);
	memcpy(mac + 3, ip->bytes + 13, 3);
	memcpy(&packet.ip.ip6_dst, group, sizeof(group));
	memcpy(&packet.ask.nd_ns_target, ip->bytes, 16);
	packet.ask.nd_ns_cksum = probe_checksum(&packet.ip, &packet.ask, sizeof(packet.ask));
	return probe_send(ear, &packet, sizeof(packet), mac);
}

/* Asks for the addresses without an answer. */
static int probe_ask_all(const struct ear *ear, const struct answer *answers, size_t n, struct cni_error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct ip *ip = &answers[i].ip;

		if (!answers[i].answered && ip->family == ear->family &&
		    (ip->family == AF_INET ? probe_ask_arp(ear, ip) : probe_ask_neighbours(ear, ip)) < 0)
			return cni_fail(err, CNI_IO, "conflictCheck: cannot send on %s: %s",
					ear->master->name, errno_text(errno));
	}
	return 0;
}

/* The address that the sender of the packet has; family 0: none. */
static struct ip probe_claimed(const struct ear *ear, const void *packet, size_t len)
{
	struct ip ip = { .family = 0 };

	if (ear->family == AF_INET && len >= sizeof(struct ether_arp)) {
		const struct ether_arp *arp = packet;

		ip.family = AF_INET;
		memcpy(ip.bytes, arp->arp_spa, 4);
		/* a host that probes for an address will take it */
		if (ip_is_any(&ip))
			memcpy(ip.bytes, arp->arp_tpa, 4);
	}
	if (ear->family == AF_INET6 && len >= sizeof(struct ip6_hdr) + sizeof(struct nd_neighbor_advert)) {
		const struct nd_neighbor_advert *answer =
			(const void *)((const char *)packet + sizeof(struct ip6_hdr));

		ip.family = AF_INET6;
		memcpy(ip.bytes, &answer->nd_na_target, 16);
	}
	return ip;
}

/* Reads the packets that have arrived, and keeps the MAC addresses of their senders. Ignores
 * packets with the MAC address of the master, which this host and its pods have. Returns how many
 * addresses were answered for the first time. */
static size_t probe_listen_once(const struct ear *ear, struct answer *answers, size_t n)
{
	struct sockaddr_ll from = { .sll_family = AF_PACKET };
	socklen_t size = sizeof(from);
	char packet[256] __attribute__((aligned(8)));
	size_t heard = 0;
	ssize_t len;

	while ((len = recvfrom(ear->fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &size)) >= 0) {
		const struct ip ip = probe_claimed(ear, packet, (size_t)len);

		for (size_t i = 0; ip.family && i < n; i++) {
			if (answers[i].answered || !ip_equal(&ip, &answers[i].ip) ||
			    !memcmp(from.sll_addr, &ear->mac, ETH_ALEN))
				continue;
			memcpy(answers[i].mac, from.sll_addr, ETH_ALEN);
			answers[i].answered = true;
			heard++;
		}
		size = sizeof(from);
	}
	return heard;
}

/* Listens for one interval, or until enough addresses are answered. */
static size_t probe_listen_all(const struct ear ears[2], struct answer *answers, size_t n, size_t enough)
{
	struct pollfd fds[] = { { ears[0].fd, POLLIN, 0 }, { ears[1].fd, POLLIN, 0 } };
	const long long end = process_now_ms() + INTERVAL_MS;
	size_t heard = 0;

	for (long long left = INTERVAL_MS; left > 0 && heard < enough; left = end - process_now_ms()) {
		poll(fds, 2, (int)left);
		for (size_t i = 0; i < 2; i++)
			if (fds[i].revents)
				heard += probe_listen_once(&ears[i], answers, n);
	}
	return heard;
}

static int probe_all(const struct ear ears[2], struct answer *answers, size_t n, size_t enough,
		     struct cni_error *err)
{
	size_t heard = 0;

	for (int i = 0; i < PROBES && heard < enough; i++) {
		for (size_t k = 0; k < 2; k++)
			if (ears[k].fd >= 0 && probe_ask_all(&ears[k], answers, n, err) < 0)
				return -1;
		heard += probe_listen_all(ears, answers, n, enough - heard);
	}
	return 0;
}

int probe_ask(const struct link *master, int netns, struct answer *answers, size_t n, size_t enough,
	      struct cni_error *err)
{
	struct ear ears[] = {
		{ .fd = -1, .master = master, .family = AF_INET },
		{ .fd = -1, .master = master, .family = AF_INET6 },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 2; i++) {
		bool any = false;

		for (size_t k = 0; k < n; k++)
			any |= answers[k].ip.family == ears[i].family;
		ether_aton_r(master->mac, &ears[i].mac);
		rc = any ? netns_run(netns, probe_open_ear, &ears[i], err) : 0;
	}
	if (rc == 0 && n)
		rc = probe_all(ears, answers, n, enough, err);
	cleanup_close(&ears[0].fd);
	cleanup_close(&ears[1].fd);
	return rc;
}

struct mac_text answer_mac(const struct answer *answer)
{
	const unsigned char *mac = answer->mac;
	struct mac_text text;

	snprintf(text.s, sizeof(text.s), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return text;
}

static int probe_report(const struct link *master, const struct answer *answer, struct cni_error *err)
{
	cni_fail(err, CNI_CONFLICT, "address %s is in use on the LAN of \"%s\"", ip_text(&answer->ip).s,
		 master->name);
	return cni_hint(
		err,
		"%s answered for it; exclude it from the range of the IPAM plugin, which has released it",
		answer_mac(answer).s);
}

int probe_addresses(const struct link *master, int netns, const struct result *given, struct cni_error *err)
{
	autofree struct answer *answers = calloc(given->n_ips + 1, sizeof(*answers));

	if (!answers)
		return cni_fail(err, CNI_RETRY, "out of memory");
	for (size_t i = 0; i < given->n_ips; i++)
		answers[i].ip = given->ips[i].address.ip;
	if (probe_ask(master, netns, answers, given->n_ips, 1, err) < 0)
		return -1;
	for (size_t i = 0; i < given->n_ips; i++)
		if (answers[i].answered)
			return probe_report(master, &answers[i], err);
	return 0;
}
