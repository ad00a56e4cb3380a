#include "ctl/ping.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "net/netns.h"

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
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int say_hello(void *arg, struct cni_error *err)
{
	struct talk *talk = arg;
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const bool v4 = talk->to.family == AF_INET;
	autoclose int fd =
		socket(talk->to.family, SOCK_RAW | SOCK_CLOEXEC, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	memcpy(v4 ? (void *)&in.sin_addr : (void *)&in6.sin6_addr, talk->to.bytes, ip_size(&talk->to));
	if (fd < 0 || connect(fd, v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
			      v4 ? sizeof(in) : sizeof(in6)) < 0)
		return cni_fail(err, CNI_IO, "%s: %s", ip_text(&talk->to).s, errno_text(errno));
	talk->fd = take_fd(&fd);
	return 0;
}

/* RFC 1071; of IPv6 the kernel does it. */
static uint16_t checksum(const struct echo *echo)
{
	uint16_t words[sizeof(*echo) / 2];
	uint32_t sum = 0;

	memcpy(words, echo, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static bool is_answer(const struct talk *talk, const unsigned char *packet, ssize_t len)
{
	const bool v4 = talk->to.family == AF_INET;
	const size_t head = v4 && len > 0 ? (packet[0] & 0xfU) * 4 : 0; /* raw IPv4 comes with its header */
	struct echo echo;

	if (len < (ssize_t)(head + sizeof(echo)))
		return false;
	memcpy(&echo, packet + head, sizeof(echo));
	return echo.type == (v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) && echo.id == talk->ask.id &&
	       echo.sequence == talk->ask.sequence;
}

/* Until the time is over; other packets come as well. */
static bool hear(const struct talk *talk, double until)
{
	for (;;) {
		const double left = until - now();
		struct pollfd wait = { .fd = talk->fd, .events = POLLIN };
		unsigned char packet[512];

		if (left <= 0)
			return false;
		if (poll(&wait, 1, (int)left + 1) > 0 &&
		    is_answer(talk, packet, recv(talk->fd, packet, sizeof(packet), MSG_DONTWAIT)))
			return true;
	}
}

enum found ping(int netns, const struct ip *to, double *ms, struct cni_error *err)
{
	struct talk talk = { .to = *to, .fd = -1 };
	int error = 0;
	bool heard = false;

	talk.ask.type = to->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	talk.ask.id = htons((uint16_t)getpid());
	if (netns_run(netns, say_hello, &talk, err) < 0)
		return FOUND_FAILED;
	for (int i = 0; !heard && i < TRIES; i++) {
		const double start = now();

		talk.ask.sequence = htons((uint16_t)i);
		talk.ask.checksum = 0;
		if (to->family == AF_INET)
			talk.ask.checksum = checksum(&talk.ask);
		error = send(talk.fd, &talk.ask, sizeof(talk.ask), 0) < 0 ? errno : 0;
		heard = hear(&talk, start + INTERVAL_MS);
		*ms = now() - start;
	}
	close(talk.fd);
	if (!heard && error)
		return cni_fail(err, CNI_IO, "%s: %s", ip_text(to).s, errno_text(error));
	return heard ? FOUND : FOUND_NOT;
}
