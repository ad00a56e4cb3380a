/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ping.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <linux/neighbour.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "net/netns.h"
#include "net/rtnl.h"

#define TRIES 3
#define INTERVAL_MS 1000.0

/* The same eight bytes in both families, RFC 792 and RFC 4443 4.1. */
struct echo {
	uint8_t type, code;
	uint16_t checksum, id, sequence;
};

struct talk {
	struct ip to;
	int fd;
	struct echo ask;
	size_t padding; /* zeros after it, which do not change the checksum */
};

static double ping_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int ping_say_hello(void *arg, struct cni_error *err)
{
	struct talk *talk = arg;
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const bool v4 = talk->to.family == AF_INET;
	const int probe = IP_PMTUDISC_PROBE; /* IPV6_PMTUDISC_PROBE is the same number */
	autoclose int fd =
		socket(talk->to.family, SOCK_RAW | SOCK_CLOEXEC, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	memcpy(v4 ? (void *)&in.sin_addr : (void *)&in6.sin6_addr, talk->to.bytes, ip_size(&talk->to));
	if (fd < 0 || connect(fd, v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
			      v4 ? sizeof(in) : sizeof(in6)) < 0)
		return cni_fail(err, CNI_IO, "%s: %s", ip_text(&talk->to).s, errno_text(errno));
	/* ignores the path MTU that the kernel has cached */
	if (setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &probe,
		       sizeof(probe)) < 0)
		return cni_fail(err, CNI_IO, "%s: %s", ip_text(&talk->to).s, errno_text(errno));
	talk->fd = take_fd(&fd);
	return 0;
}

/* RFC 1071. For ICMPv6 the kernel computes it. */
static uint16_t ping_checksum(const struct echo *echo)
{
	uint16_t words[sizeof(*echo) / 2];
	uint32_t sum = 0;

	memcpy(words, echo, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static bool ping_is_answer(const struct talk *talk, const unsigned char *packet, ssize_t len)
{
	const bool v4 = talk->to.family == AF_INET;
	const size_t head =
		v4 && len > 0 ? (packet[0] & 0xfU) * 4 : 0; /* raw IPv4 packets include the header */
	struct echo echo;

	if (len < (ssize_t)(head + sizeof(echo)))
		return false;
	memcpy(&echo, packet + head, sizeof(echo));
	return echo.type == (v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) && echo.id == talk->ask.id &&
	       echo.sequence == talk->ask.sequence;
}

/* Receives until the time is over. Ignores other packets. */
static bool ping_hear(const struct talk *talk, double until)
{
	for (;;) {
		const double left = until - ping_now();
		struct pollfd wait = { .fd = talk->fd, .events = POLLIN };
		unsigned char packet[512];

		if (left <= 0)
			return false;
		if (poll(&wait, 1, (int)left + 1) > 0 &&
		    ping_is_answer(talk, packet, recv(talk->fd, packet, sizeof(packet), MSG_DONTWAIT)))
			return true;
	}
}

static int ping_ask(const struct talk *talk)
{
	static char zeros[PING_SIZE_MAX];
	struct iovec parts[] = { { (void *)&talk->ask, sizeof(talk->ask) }, { zeros, talk->padding } };

	return writev(talk->fd, parts, 2) < 0 ? errno : 0;
}

static enum found ping_converse(int netns, const struct ip *to, size_t padding, int tries, double *ms,
				struct cni_error *err)
{
	struct talk talk = { .to = *to, .fd = -1, .padding = padding };
	int error = 0;
	bool heard = false;

	talk.ask.type = to->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	talk.ask.id = htons((uint16_t)getpid());
	if (netns_run(netns, ping_say_hello, &talk, err) < 0)
		return FOUND_FAILED;
	for (int i = 0; !heard && i < tries; i++) {
		const double start = ping_now();

		talk.ask.sequence = htons((uint16_t)i);
		talk.ask.checksum = 0;
		if (to->family == AF_INET)
			talk.ask.checksum = ping_checksum(&talk.ask);
		error = ping_ask(&talk);
		heard = ping_hear(&talk, start + INTERVAL_MS);
		*ms = ping_now() - start;
	}
	close(talk.fd);
	if (!heard && error)
		return cni_fail(err, CNI_IO, "%s: %s", ip_text(to).s, errno_text(error));
	return heard ? FOUND : FOUND_NOT;
}

enum found ping(int netns, const struct ip *to, double *ms, struct cni_error *err)
{
	return ping_converse(netns, to, 0, TRIES, ms, err);
}

enum found ping_large(int netns, const struct ip *to, size_t size, struct cni_error *err)
{
	const size_t heads = (to->family == AF_INET ? 20 : 40) + sizeof(struct echo);
	double ms;

	return ping_converse(netns, to, size > heads ? size - heads : 0, 1, &ms, err);
}

struct question {
	const struct ip *ip;
	bool answered;
};

static void ping_see_neighbour(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	struct question *question = arg;
	const struct nlattr *attr;

	if (nd->ndm_family != question->ip->family ||
	    !(nd->ndm_state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)))
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*nd))
		if (mnl_attr_get_type(attr) == NDA_DST &&
		    mnl_attr_get_payload_len(attr) == ip_size(question->ip) &&
		    !memcmp(mnl_attr_get_payload(attr), question->ip->bytes, ip_size(question->ip)))
			question->answered = true;
}

bool ping_is_neighbour(int netns, const struct ip *to)
{
	struct question question = { .ip = to };
	struct cni_error err = { 0 };
	struct nlmsghdr *nlh;
	struct rtnl pod;
	struct ndmsg *nd;

	if (rtnl_open(&pod, netns, &err) < 0)
		return false;
	nlh = rtnl_request(&pod, RTM_GETNEIGH, NLM_F_DUMP);
	nd = mnl_nlmsg_put_extra_header(nlh, sizeof(*nd));
	nd->ndm_family = (unsigned char)to->family;
	rtnl_ask(&pod, ping_see_neighbour, &question, &err);
	rtnl_close(&pod);
	return question.answered;
}
