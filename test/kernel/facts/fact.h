/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the facts that are written in C have in common: a fact is a main() that calls
 * fact_begin() with its title, then fact() for each assertion, and returns fact_end().
 */
#ifndef FACT_H
#define FACT_H

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *fact_title;
static int fact_asserted;
static bool fact_wrong;

/* A network namespace of its own, in which lo is index 1. */
static inline void fact_begin(const char *title)
{
	fact_title = title;
	if (unshare(CLONE_NEWNET) == 0)
		return;
	perror("# unshare");
	exit(1);
}

static inline void fact(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void fact(bool holds, const char *format, ...)
{
	va_list args;

	fact_asserted++;
	if (holds)
		return;
	fact_wrong = true;
	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static inline int fact_end(void)
{
	const bool ok = fact_asserted > 0 && !fact_wrong;

	printf("%s - %s\n", ok ? "ok" : "not ok", fact_title);
	return ok ? 0 : 1;
}

/* Is the kernel as new as that? */
static inline bool fact_since(int major, int minor)
{
	struct utsname host;
	int is_major = 0, is_minor = 0;

	uname(&host);
	sscanf(host.release, "%d.%d", &is_major, &is_minor);
	return is_major > major || (is_major == major && is_minor >= minor);
}

static inline int fact_socket(void)
{
	const struct timeval patience = { .tv_sec = 5 };
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0)
		return fd;
	perror("# socket");
	exit(1);
}

/* Starts a message in buf, after those that are there already, and returns it. */
static inline struct nlmsghdr *fact_message(void *buf, int type, int flags, int seq)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = (uint16_t)type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = (uint32_t)seq;
	return nlh;
}

/* A request for a link of the kind, with a name and, unless it is 0, a link below it. */
static inline struct nlmsghdr *fact_new_link(void *buf, const char *name, const char *kind,
					     unsigned int below)
{
	struct nlmsghdr *nlh = fact_message(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 1);
	struct nlattr *info;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if (below)
		mnl_attr_put_u32(nlh, IFLA_LINK, below);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nlh, info);
	return nlh;
}

/* Sends one message with NLM_F_ACK, and returns the errno of the answer. */
static inline int fact_ask(int fd, const struct nlmsghdr *nlh)
{
	char buf[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *answer = (const struct nlmsghdr *)buf;
	const struct nlmsgerr *error;

	if (send(fd, nlh, nlh->nlmsg_len, 0) < 0 || recv(fd, buf, sizeof(buf), 0) < 0)
		return errno;
	if (answer->nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	error = mnl_nlmsg_get_payload(answer);
	return -error->error;
}

#endif
