/* SPDX-License-Identifier: Apache-2.0 */
#include "node/watch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netconf.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "plugin/fence.h"
#include "plugin/ledger.h"

/* One message of a multicast group, and some; the rest stays in the socket. */
#define READ_MAX 32768
#define READS 64 /* then the loop looks at its other sources */

/* What must not be missed is sent while a repair runs, which takes moments. */
#define ROOM (1024 * 1024)

static const unsigned int rtnetlink_groups[] = {
	RTNLGRP_LINK,	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,  RTNLGRP_IPV4_ROUTE,
	RTNLGRP_IPV6_ROUTE, RTNLGRP_TC,		 RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
};

static int watch_join(struct mnl_socket *source, const unsigned int *groups, size_t n, struct cni_error *err)
{
	const int room = ROOM;

	setsockopt(mnl_socket_get_fd(source), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (mnl_socket_bind(source, 0, MNL_SOCKET_AUTOPID) < 0)
		return cni_fail(err, CNI_IO, "cannot open a netlink socket: %s", errno_text(errno));
	for (size_t i = 0; i < n; i++) {
		unsigned int group = groups[i];

		if (mnl_socket_setsockopt(source, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			return cni_fail(err, CNI_IO, "cannot listen to the kernel's netlink group %u: %s",
					group, errno_text(errno));
	}
	return 0;
}

int watch_open(struct watch *ret, struct rtnl *host, struct cni_error *err)
{
	static const unsigned int nfnetlink_groups[] = { NFNLGRP_NFTABLES };

	*ret = (struct watch){ .host = host };
	ret->sources[0] = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!ret->sources[0])
		return cni_fail(err, CNI_IO, "cannot open a netlink socket: %s", errno_text(errno));
	if (watch_join(ret->sources[0], rtnetlink_groups,
		       sizeof(rtnetlink_groups) / sizeof(*rtnetlink_groups), err) < 0)
		return -1;
	ret->sources[1] = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return ret->sources[1] ? watch_join(ret->sources[1], nfnetlink_groups, 1, err) : 0;
}

void watch_close(struct watch *watch)
{
	for (int i = 0; i < WATCH_SOURCES; i++)
		if (watch->sources[i])
			mnl_socket_close(watch->sources[i]);
}

int watch_descriptor(const struct watch *watch, int source)
{
	return watch->sources[source] ? mnl_socket_get_fd(watch->sources[source]) : -1;
}

/* What messages are read with: the ledger is opened for the first that asks. */
struct watch_reading {
	struct watch *watch;
	struct watch_due *due;
	struct ledger ledger;
	enum found found;
	bool looked;
};

static void watch_add(struct watch_due *due, int master)
{
	due->master = due->any && due->master != master ? 0 : master;
	due->any = true;
}

static bool watch_has_ledger(struct watch_reading *reading)
{
	if (!reading->looked)
		reading->found = ledger_open(&reading->ledger, reading->watch->host, NULL);
	reading->looked = true;
	return reading->found == FOUND;
}

/* If attachments have it as their master. */
static void watch_add_master(struct watch_reading *reading, int link)
{
	const struct object anchor = object_anchor(link, 0);

	if (link <= 0 || (reading->due->any && (!reading->due->master || reading->due->master == link)))
		return;
	if (watch_has_ledger(reading) && hold_is_held(&reading->ledger, &anchor))
		watch_add(reading->due, link);
}

static void watch_add_fence(const struct object *fence, void *due)
{
	watch_add(due, fence->dev);
}

static uint32_t attribute(const struct nlmsghdr *nlh, size_t head, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, (unsigned int)head)
		if (mnl_attr_get_type(attr) == type && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			return mnl_attr_get_u32(attr);
	return 0;
}

/* A master, or an anchor; links that lie upon others are masters themselves. */
static void watch_link(struct watch_reading *reading, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *head = mnl_nlmsg_get_payload(nlh);

	watch_add_master(reading, head->ifi_index);
	if (attribute(nlh, sizeof(*head), IFLA_GROUP) == OUR_NUMBER)
		watch_add_master(reading, (int)attribute(nlh, sizeof(*head), IFLA_LINK));
}

static void watch_address(struct watch_reading *reading, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(nlh);

	watch_add_master(reading, (int)head->ifa_index);
	/* a fence has all addresses of the host */
	if (watch_has_ledger(reading))
		hold_each(&reading->ledger, OBJECT_FENCE, watch_add_fence, reading->due, NULL);
}

static void watch_filter(struct watch_reading *reading, const struct nlmsghdr *nlh)
{
	const struct tcmsg *head = mnl_nlmsg_get_payload(nlh);

	watch_add_master(reading, head->tcm_ifindex);
}

static void watch_switch(struct watch_reading *reading, const struct nlmsghdr *nlh)
{
	watch_add_master(reading, (int)attribute(nlh, sizeof(struct netconfmsg), NETCONFA_IFINDEX));
}

/* By the protocol: also of routes whose link is gone. */
static void watch_route(struct watch_reading *reading, const struct nlmsghdr *nlh)
{
	const struct rtmsg *head = mnl_nlmsg_get_payload(nlh);

	if (head->rtm_protocol == OUR_NUMBER)
		watch_add(reading->due, 0);
}

static void watch_rtnetlink(struct watch_reading *reading, const struct nlmsghdr *nlh)
{
	static const struct {
		uint16_t type;
		size_t head; /* the message is at least as long */
		void (*read)(struct watch_reading *reading, const struct nlmsghdr *nlh);
	} messages[] = {
		{ RTM_NEWLINK, sizeof(struct ifinfomsg), watch_link },
		{ RTM_DELLINK, sizeof(struct ifinfomsg), watch_link },
		{ RTM_NEWADDR, sizeof(struct ifaddrmsg), watch_address },
		{ RTM_DELADDR, sizeof(struct ifaddrmsg), watch_address },
		{ RTM_DELQDISC, sizeof(struct tcmsg), watch_filter },
		{ RTM_DELTFILTER, sizeof(struct tcmsg), watch_filter },
		{ RTM_NEWNETCONF, sizeof(struct netconfmsg), watch_switch },
		{ RTM_DELROUTE, sizeof(struct rtmsg), watch_route },
	};

	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		if (nlh->nlmsg_type == messages[i].type && mnl_nlmsg_get_payload_len(nlh) >= messages[i].head)
			messages[i].read(reading, nlh);
}

static bool watch_is_ours(const char *table)
{
	return !strcmp(table, object_table().name) || !strncmp(table, FENCE_PREFIX, strlen(FENCE_PREFIX));
}

/* The attribute that names the table has the same number in all of them. */
static void watch_nftables(struct watch_reading *reading, const struct nlmsghdr *nlh)
{
	const unsigned int message = nlh->nlmsg_type & 0xff;
	const struct nlattr *attr;

	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg) ||
	    (message != NFT_MSG_DELTABLE && message != NFT_MSG_DELCHAIN && message != NFT_MSG_DELRULE &&
	     message != NFT_MSG_DELSET && message != NFT_MSG_DELSETELEM))
		return;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 &&
		    watch_is_ours(mnl_attr_get_str(attr)))
			watch_add(reading->due, 0);
}

void watch_read(struct watch *watch, int source, struct watch_due *due)
{
	char buffer[READ_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct watch_reading reading = { .watch = watch, .due = due };

	for (int i = 0; i < READS; i++) {
		ssize_t len = mnl_socket_recvfrom(watch->sources[source], buffer, sizeof(buffer));
		int left = (int)len;

		if (len < 0 && errno == ENOBUFS)
			watch_add(due, 0);
		else if (len < 0 && errno != EINTR)
			break;
		for (const struct nlmsghdr *nlh = (const void *)buffer; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			(source ? watch_nftables : watch_rtnetlink)(&reading, nlh);
	}
	if (reading.looked)
		ledger_close(&reading.ledger);
}
