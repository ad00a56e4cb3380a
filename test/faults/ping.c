/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"

#define ROUNDS 40 /* of questions */
#define FEW_ROUNDS 2
#define PAUSE_MS 40

/* A host that asks and is asked: the host, a pod; the LAN's host only answers. */
struct one {
	char name[32];
	struct in_addr four;
	struct in6_addr six;
	int sock[2]; /* by family, or -1 */
};

static struct one all[REACH_MAX];
static int n_all;

static int raw(int family, int protocol)
{
	return socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
}

static bool is_global(const struct in6_addr *address)
{
	return !IN6_IS_ADDR_LINKLOCAL(address) && !IN6_IS_ADDR_LOOPBACK(address);
}

static void note_addresses(struct one *one)
{
	struct ifaddrs *list = NULL;

	getifaddrs(&list);
	for (const struct ifaddrs *at = list; at; at = at->ifa_next) {
		const void *address = at->ifa_addr;

		if (!address || (at->ifa_flags & IFF_LOOPBACK))
			continue;
		if (at->ifa_addr->sa_family == AF_INET && !one->four.s_addr)
			one->four = ((const struct sockaddr_in *)address)->sin_addr;
		else if (at->ifa_addr->sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&one->six) &&
			 is_global(&((const struct sockaddr_in6 *)address)->sin6_addr))
			one->six = ((const struct sockaddr_in6 *)address)->sin6_addr;
	}
	freeifaddrs(list);
}

/* In the namespace of that one. */
static void note_one(const char *name, void *arg)
{
	struct one *one = &all[n_all];

	(void)arg;
	if (n_all == REACH_MAX)
		return;
	n_all++;
	*one = (struct one){ .sock = { raw(AF_INET, IPPROTO_ICMP), raw(AF_INET6, IPPROTO_ICMPV6) } };
	snprintf(one->name, sizeof(one->name), "%s", name);
	note_addresses(one);
}

static void note_lan(void)
{
	struct one *lan = &all[n_all++];

	*lan = (struct one){ .name = "the LAN", .sock = { -1, -1 } };
	inet_pton(AF_INET, "10.138.36.66", &lan->four);
	inet_pton(AF_INET6, "fd00:36::66", &lan->six);
}

static void note_all(void)
{
	n_all = 0;
	note_one("the host", NULL);
	each_pod(note_one, NULL);
	if (n_all < REACH_MAX)
		note_lan();
}

static uint16_t checksum(const struct icmphdr *echo)
{
	uint16_t words[sizeof(*echo) / sizeof(uint16_t)];
	uint32_t sum = 0;

	memcpy(words, echo, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		sum += words[i];
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static void ask_four(int from, int to)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = all[to].four };
	struct icmphdr echo = { .type = ICMP_ECHO, .un.echo = { (uint16_t)from, (uint16_t)to } };

	echo.checksum = checksum(&echo);
	if (address.sin_addr.s_addr)
		sendto(all[from].sock[0], &echo, sizeof(echo), 0, (const void *)&address, sizeof(address));
}

static void ask_six(int from, int to)
{
	const struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = all[to].six };
	struct icmp6_hdr echo = { .icmp6_type = ICMP6_ECHO_REQUEST };

	echo.icmp6_id = (uint16_t)from;
	echo.icmp6_seq = (uint16_t)to;
	if (!IN6_IS_ADDR_UNSPECIFIED(&all[to].six))
		sendto(all[from].sock[1], &echo, sizeof(echo), 0, (const void *)&address, sizeof(address));
}

static void hear_four(int from, struct reach *ret)
{
	struct {
		struct iphdr ip;
		struct icmphdr echo;
	} reply;

	while (recv(all[from].sock[0], &reply, sizeof(reply), MSG_TRUNC) > 0)
		if (reply.echo.type == ICMP_ECHOREPLY && reply.echo.un.echo.id == from &&
		    reply.echo.un.echo.sequence < n_all)
			ret->from[from][reply.echo.un.echo.sequence][0] = true;
}

static void hear_six(int from, struct reach *ret)
{
	struct icmp6_hdr echo;

	while (recv(all[from].sock[1], &echo, sizeof(echo), MSG_TRUNC) > 0)
		if (echo.icmp6_type == ICMP6_ECHO_REPLY && echo.icmp6_id == from && echo.icmp6_seq < n_all)
			ret->from[from][echo.icmp6_seq][1] = true;
}

/* Asks those that have not answered yet. Returns their number. */
static int ask_all(const struct reach *wanted, const struct reach *is)
{
	static void (*const ask[])(int from, int to) = { ask_four, ask_six };
	int n = 0;

	for (int from = 0; from < n_all; from++)
		for (int to = 0; to < n_all; to++)
			for (int six = 0; six < 2; six++) {
				if (from == to || is->from[from][to][six] ||
				    (wanted && !wanted->from[from][to][six]))
					continue;
				n++;
				ask[six](from, to);
			}
	return n;
}

static int count(const struct reach *is)
{
	int n = 0;

	for (int from = 0; from < n_all; from++)
		for (int to = 0; to < n_all; to++)
			n += is->from[from][to][0] + is->from[from][to][1];
	return n;
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until so many have answered, or until the pause has ended. */
static void hear_all(int n, struct reach *ret)
{
	struct pollfd socks[REACH_MAX][2];
	const long end = milliseconds() + PAUSE_MS;
	long left = PAUSE_MS;

	for (int i = 0; i < n_all; i++)
		for (int six = 0; six < 2; six++)
			socks[i][six] = (struct pollfd){ all[i].sock[six], POLLIN, 0 };
	while (left > 0 && count(ret) < n) {
		poll(socks[0], (nfds_t)n_all * 2, (int)left);
		for (int i = 0; i < n_all; i++) {
			hear_four(i, ret);
			hear_six(i, ret);
		}
		left = end - milliseconds();
	}
}

void reach(const struct reach *wanted, struct reach *ret)
{
	*ret = (struct reach){ 0 };
	note_all();
	for (int round = 0; round < (wanted ? ROUNDS : FEW_ROUNDS); round++) {
		const int already = count(ret), asked = ask_all(wanted, ret);

		if (!asked)
			break;
		hear_all(already + asked, ret);
	}
	for (int i = 0; i < n_all; i++)
		for (int family = 0; family < 2; family++)
			if (all[i].sock[family] >= 0)
				close(all[i].sock[family]);
}

const char *reach_missing(const struct reach *wanted, const struct reach *is)
{
	static char text[128];

	for (int from = 0; from < n_all; from++)
		for (int to = 0; to < n_all; to++)
			for (int six = 0; six < 2; six++) {
				if (!wanted->from[from][to][six] || is->from[from][to][six])
					continue;
				snprintf(text, sizeof(text), "%s does not reach %s by %s", all[from].name,
					 all[to].name, six ? "IPv6" : "IPv4");
				return text;
			}
	return NULL;
}
