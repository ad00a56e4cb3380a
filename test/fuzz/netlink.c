/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any messages instead of the kernel's: the input is what one question after the other is
 * answered with, a length in two bytes before each packet. A message with the number 0
 * gets that of the question.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"
#include "net/addr.h"
#include "net/link.h"
#include "plugin/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	const uint8_t *data;
	size_t size;
	unsigned int asked; /* the number of the last question */
} input;

/* Instead of libmnl's. */
struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	static int any;

	(void)bus, (void)flags;
	return (void *)&any;
}

int mnl_socket_close(struct mnl_socket *nl)
{
	(void)nl;
	return 0;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return -1;
}

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len)
{
	(void)nl, (void)type, (void)buf, (void)len;
	return 0;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t siz)
{
	const struct nlmsghdr *nlh = req;
	int left = (int)siz;

	(void)nl;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		input.asked = nlh->nlmsg_seq;
	must(left == 0); /* whole messages */
	return (ssize_t)siz;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t siz)
{
	size_t len;
	int left;

	(void)nl;
	if (input.size < 2) {
		errno = EAGAIN;
		return -1;
	}
	len = (size_t)(input.data[0] | input.data[1] << 8);
	input.data += 2, input.size -= 2;
	if (len > input.size)
		len = input.size;
	if (len > siz)
		len = siz;
	memcpy(buf, input.data, len);
	left = (int)len;
	input.data += len, input.size -= len;
	for (struct nlmsghdr *nlh = buf; left >= (int)sizeof(*nlh); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_len < sizeof(*nlh) || nlh->nlmsg_len > (unsigned int)left)
			nlh->nlmsg_len = (unsigned int)left; /* libmnl believes what is over 2 GiB */
		if (!nlh->nlmsg_seq)
			nlh->nlmsg_seq = input.asked;
	}
	return (ssize_t)len;
}

int recvmmsg(int fd, struct mmsghdr *vmessages, unsigned int vlen, int flags, struct timespec *tmo)
{
	const struct iovec *room = vmessages->msg_hdr.msg_iov;
	ssize_t len = mnl_socket_recvfrom(NULL, room->iov_base, room->iov_len);

	(void)fd, (void)vlen, (void)flags, (void)tmo;
	vmessages->msg_len = len < 0 ? 0 : (unsigned int)len;
	return len < 0 ? -1 : 1;
}

int nanosleep(const struct timespec *requested_time, struct timespec *remaining)
{
	(void)requested_time, (void)remaining;
	return 0;
}

static void check_link(const struct link *link, void *arg)
{
	(void)arg;
	must(memchr(link->name, '\0', sizeof(link->name)) && memchr(link->kind, '\0', sizeof(link->kind)) &&
	     memchr(link->mac, '\0', sizeof(link->mac)));
	must(*ipvlan_mode_text(link->ipvlan_mode) && *ipvlan_flags_text(link->ipvlan_flags));
}

static void check_address(const struct addr_seen *seen, void *arg)
{
	(void)arg;
	must(*prefix_text(&seen->address).s);
}

static void check_route(const struct route_seen *seen, void *arg)
{
	(void)arg;
	must(*prefix_text(&seen->dst).s && (!seen->gw.family || ip_size(&seen->gw)));
}

static void ask(struct rtnl *nl)
{
	struct cni_error err[8] = { 0 };
	const struct prefix address = { { AF_INET, { 10, 9, 0, 2 } }, 16 };
	const struct neighbour neighbour = { .ip = address.ip, .mac = "02:00:00:00:00:01" };
	const struct object anchor = object_anchor(3, 0);
	struct view view;
	struct link link;
	struct ip ip;

	if (link_find(nl, "eth0", &link, &err[0]) == FOUND)
		check_link(&link, NULL);
	must(link_each(nl, check_link, NULL, &err[1]) == 0 || *err[1].msg);
	must(addr_each(nl, check_address, NULL, &err[2]) == 0 || *err[2].msg);
	must(route_each(nl, AF_INET, 0, check_route, NULL, &err[3]) == 0 || *err[3].msg);
	must(addr_find(nl, 3, &address, NULL, &err[4]) != FOUND_FAILED || *err[4].msg);
	must(addr_main(nl, 3, AF_INET6, &ip, &err[5]) != FOUND_FAILED || *err[5].msg);
	must(addr_is_local(nl, 0, &address.ip, &err[6]) != FOUND_FAILED || *err[6].msg);
	must(neighbour_find(nl, 3, &neighbour, &err[7]) != FOUND_FAILED || *err[7].msg);
	view_open(&view, nl);
	object_find(&view, &anchor, NULL);
	view_close(&view);
}

static void tell(struct rtnl *nl)
{
	const struct nexthop hop = { .gw = { AF_INET, { 10, 9, 0, 1 } } };
	const struct route route = { .dst = { { AF_INET, { 0 } }, 0 }, .hops = &hop, .n_hops = 1 };
	const struct ipvlan ipvlan = { .name = "eth0", .parent = 3, .flags = -1, .netns = -1 };
	struct cni_error err[3] = { 0 };

	must(ipvlan_create(nl, &ipvlan, &err[0]) == 0 || *err[0].msg);
	must(route_add(nl, 3, &route, &err[1]) == 0 || *err[1].msg);
	must(link_delete(nl, 3, &err[2]) == 0 || *err[2].msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtnl nl;

	must(rtnl_open(&nl, -1, NULL) == 0);
	input.data = data, input.size = size;
	/* each first, since the answers may not reach to the other */
	if (size && data[size - 1] & 1)
		tell(&nl);
	ask(&nl);
	tell(&nl);
	rtnl_close(&nl);
	return 0;
}
