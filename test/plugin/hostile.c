/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile LINK KIND [-s SENDER] [-t TARGET] [-m MAC] [-d MAC] [-l MAC] [-v VLAN] [-n]: sends three
 * raw frames, as a pod with CAP_NET_RAW can.
 *
 *	KIND	ipv4 ipv6	a datagram to TARGET
 *		dhcp dhcp6	the same, as the answer of a DHCP server
 *		arp		SENDER announces the MAC address -l
 *		ns na		SENDER asks for TARGET; announces TARGET at -l
 *		ra redirect	a router's
 *		mld		a report of the multicast groups that it is in
 *	-m -d	the frame's own addresses. Default: the link's, all.
 *	-v	with a tag of IEEE 802.1Q
 *	-n	behind a nonce, which comes before the option with the MAC address
 *	-f	as a fragment that is whole
 *
 * Frames that the interface drops are no failure: in l3 all except unicast IP.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES 3

struct frame {
	unsigned char bytes[512];
	size_t len;
};

struct options {
	const char *kind, *sender, *target;
	unsigned char mac[6], to[6], lladdr[6];
	unsigned int vlan;
	bool nonce, fragment;
};

static void put(struct frame *frame, const void *bytes, size_t n)
{
	memcpy(frame->bytes + frame->len, bytes, n);
	frame->len += n;
}

static void put16(struct frame *frame, unsigned int value)
{
	const unsigned short swapped = htons((unsigned short)value);

	put(frame, &swapped, 2);
}

static void put_ip(struct frame *frame, int family, const char *text)
{
	unsigned char bytes[16];

	if (inet_pton(family, text, bytes) != 1) {
		fprintf(stderr, "hostile: %s is not an address\n", text);
		exit(2);
	}
	put(frame, bytes, family == AF_INET ? 4 : 16);
}

static unsigned int sum(const unsigned char *bytes, size_t n, unsigned int start)
{
	for (size_t i = 0; i < n; i++)
		start += i % 2 ? bytes[i] : (unsigned int)bytes[i] << 8;
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

static void put_ether(struct frame *frame, const struct options *o, unsigned int protocol)
{
	put(frame, o->to, 6);
	put(frame, o->mac, 6);
	if (o->vlan) {
		put16(frame, ETHERTYPE_VLAN);
		put16(frame, o->vlan);
	}
	put16(frame, protocol);
}

/* Ports are 4242, or those of a DHCP server and its client. */
static void put_udp(struct frame *frame, const struct options *o)
{
	const bool dhcp6 = !strcmp(o->kind, "dhcp6"), dhcp = !strcmp(o->kind, "dhcp");

	put16(frame, dhcp6 ? 547 : dhcp ? 67 : 4242);
	put16(frame, dhcp6 ? 546 : dhcp ? 68 : 4242);
	put16(frame, 8 + 7);
	put16(frame, 0);
	put(frame, "hostile", 7);
}

static void put_ipv4(struct frame *frame, const struct options *o)
{
	const size_t start = frame->len;
	unsigned int check;

	put(frame, "\x45\0", 2);
	put16(frame, 20 + 8 + 7);
	put(frame, "\0\0\0\0\x40\x11\0\0", 8);
	put_ip(frame, AF_INET, o->sender);
	put_ip(frame, AF_INET, o->target);
	check = ~sum(frame->bytes + start, 20, 0);
	frame->bytes[start + 10] = (unsigned char)(check >> 8);
	frame->bytes[start + 11] = (unsigned char)check;
	put_udp(frame, o);
}

static void put_arp(struct frame *frame, const struct options *o)
{
	put(frame, "\0\1\x08\0\6\4\0\1", 8);
	put(frame, o->lladdr, 6);
	put_ip(frame, AF_INET, o->sender);
	put(frame, "\0\0\0\0\0\0", 6);
	put_ip(frame, AF_INET, o->target);
}

static void put_option(struct frame *frame, unsigned char type, const unsigned char *lladdr)
{
	const unsigned char head[] = { type, 1 };

	put(frame, head, 2);
	put(frame, lladdr, 6);
}

/* Writes the part after the IPv6 header, and returns its type. */
static unsigned char put_inside(struct frame *frame, const struct options *o)
{
	const bool ns = !strcmp(o->kind, "ns"), na = !strcmp(o->kind, "na"), ra = !strcmp(o->kind, "ra");

	if (!strcmp(o->kind, "ipv6") || !strcmp(o->kind, "dhcp6")) {
		put_udp(frame, o);
		return IPPROTO_UDP;
	}
	if (ns || na) {
		put(frame, ns ? "\x87\0\0\0\0\0\0\0" : "\x88\0\0\0\x20\0\0\0", 8);
		put_ip(frame, AF_INET6, o->target);
		if (o->nonce)
			put_option(frame, 14, (const unsigned char *)"nonce!");
		put_option(frame, ns ? 1 : 2, o->lladdr);
	} else if (ra) {
		put(frame, "\x86\0\0\0\x40\0\x07\x08\0\0\0\0\0\0\0\0", 16);
		put_option(frame, 1, o->lladdr);
	} else if (!strcmp(o->kind, "redirect")) {
		put(frame, "\x89\0\0\0\0\0\0\0", 8);
		put_ip(frame, AF_INET6, o->target);
		put_ip(frame, AF_INET6, o->target);
	} else {
		put(frame, "\x8f\0\0\0\0\0\0\1\4\0\0\0", 12);
		put_ip(frame, AF_INET6, "ff02::1:ff00:1");
	}
	return IPPROTO_ICMPV6;
}

static void put_ipv6(struct frame *frame, const struct options *o)
{
	const bool datagram = !strcmp(o->kind, "ipv6");
	struct frame inside = { .len = 0 };
	const unsigned char type = put_inside(&inside, o);
	const unsigned char next[] = { o->fragment ? IPPROTO_FRAGMENT : type, 255 };
	unsigned char *addresses = frame->bytes + frame->len + 8;
	const size_t at = type == IPPROTO_UDP ? 6 : 2;
	unsigned int check;

	put(frame, "\x60\0\0\0", 4);
	put16(frame, (unsigned int)inside.len + (o->fragment ? 8 : 0));
	put(frame, next, 2);
	put_ip(frame, AF_INET6, o->sender);
	put_ip(frame, AF_INET6, datagram ? o->target : "ff02::1");
	if (o->fragment) {
		const unsigned char head[8] = { type, 0, 0, 0, 0, 0, 0, 7 };

		put(frame, head, sizeof(head));
	}
	check = ~sum(inside.bytes, inside.len, sum(addresses, 32, type + (unsigned int)inside.len));
	inside.bytes[at] = (unsigned char)(check >> 8);
	inside.bytes[at + 1] = (unsigned char)check;
	put(frame, inside.bytes, inside.len);
}

static void build(struct frame *frame, const struct options *o)
{
	if (!strcmp(o->kind, "arp")) {
		put_ether(frame, o, ETHERTYPE_ARP);
		put_arp(frame, o);
	} else if (!strcmp(o->kind, "ipv4") || !strcmp(o->kind, "dhcp")) {
		put_ether(frame, o, ETHERTYPE_IP);
		put_ipv4(frame, o);
	} else {
		put_ether(frame, o, ETHERTYPE_IPV6);
		put_ipv6(frame, o);
	}
}

static void read_mac(unsigned char mac[6], const char *text)
{
	struct ether_addr address;

	if (!ether_aton_r(text, &address))
		exit(2);
	memcpy(mac, address.ether_addr_octet, sizeof(address.ether_addr_octet));
}

static void read_options(struct options *o, int argc, char **argv)
{
	for (int c; (c = getopt(argc, argv, "s:t:m:d:l:v:nf")) != -1;) {
		switch (c) {
		case 's':
			o->sender = optarg;
			break;
		case 't':
			o->target = optarg;
			break;
		case 'm':
			read_mac(o->mac, optarg);
			break;
		case 'd':
			read_mac(o->to, optarg);
			break;
		case 'l':
			read_mac(o->lladdr, optarg);
			break;
		case 'v':
			o->vlan = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			o->nonce = true;
			break;
		case 'f':
			o->fragment = true;
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct options o = { .to = { 255, 255, 255, 255, 255, 255 } };
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct ifreq ifr = { .ifr_flags = 0 };
	struct frame frame = { .len = 0 };

	if (argc < 3) {
		fputs("hostile LINK KIND [-s SENDER] [-t TARGET] [-m MAC] [-d MAC] [-l MAC] [-v VLAN] [-n] "
		      "[-f]\n",
		      stderr);
		return 2;
	}
	o.kind = argv[2];
	o.sender = o.target =
		strchr(o.kind, '4') || !strcmp(o.kind, "arp") || !strcmp(o.kind, "dhcp") ? "0.0.0.0" : "::";
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[1]);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) < 0) {
		perror("hostile");
		return 1;
	}
	memcpy(o.mac, ifr.ifr_hwaddr.sa_data, 6);
	memcpy(o.lladdr, o.mac, 6);
	read_options(&o, argc - 2, argv + 2);
	build(&frame, &o);
	link.sll_ifindex = (int)if_nametoindex(argv[1]);
	memcpy(link.sll_addr, frame.bytes, 6);
	link.sll_protocol = (unsigned short)(frame.bytes[12] | frame.bytes[13] << 8);
	for (int i = 0; i < FRAMES; i++)
		if (sendto(fd, frame.bytes, frame.len, 0, (const struct sockaddr *)&link, sizeof(link)) < 0 &&
		    errno != ENOBUFS) {
			perror("hostile");
			return 1;
		}
	return close(fd) < 0;
}
