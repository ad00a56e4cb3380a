/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

/* How to print an attribute; one that is in no table is printed in figures. */
enum form { BYTES, ADDRESS, DEV, NUMBER, NEVER };

struct field {
	const char *name;
	enum form form;
};

static const struct field of_route[RTA_MAX + 1] = {
	[RTA_DST] = { "to", ADDRESS },	      [RTA_OIF] = { "dev", DEV },
	[RTA_GATEWAY] = { "via", ADDRESS },   [RTA_PRIORITY] = { "metric", NUMBER },
	[RTA_PREFSRC] = { "src", ADDRESS },   [RTA_TABLE] = { "table", NUMBER },
	[RTA_CACHEINFO] = { "cache", NEVER }, [RTA_PREF] = { "pref", NEVER },
};
static const struct field of_address[IFA_MAX + 1] = {
	[IFA_ADDRESS] = { "peer", ADDRESS },  [IFA_LOCAL] = { "local", ADDRESS },
	[IFA_BROADCAST] = { "brd", ADDRESS }, [IFA_LABEL] = { "label", NEVER },
	[IFA_CACHEINFO] = { "cache", NEVER }, [IFA_FLAGS] = { "flags", NEVER },
};
static const struct field of_neighbour[NDA_MAX + 1] = {
	[NDA_DST] = { "to", ADDRESS },
	[NDA_LLADDR] = { "lladdr", BYTES },
	[NDA_CACHEINFO] = { "cache", NEVER },
	[NDA_PROBES] = { "probes", NEVER },
};
static const struct field of_rule[FRA_MAX + 1] = {
	[FRA_SRC] = { "from", ADDRESS },
	[FRA_DST] = { "to", ADDRESS },
	[FRA_PRIORITY] = { "priority", NUMBER },
	[FRA_TABLE] = { "table", NUMBER },
};

static struct {
	FILE *paper;
	const char *where;
	unsigned char family; /* of the message */
} page;

static const char *name_of(uint32_t index)
{
	static char name[IF_NAMESIZE];

	return if_indextoname(index, name) ? name : "?";
}

static void put_bytes(const struct nlattr *attr)
{
	const unsigned char *byte = mnl_attr_get_payload(attr);

	for (uint16_t i = 0; i < mnl_attr_get_payload_len(attr); i++)
		fprintf(page.paper, "%s%02x", i ? ":" : "", byte[i]);
}

static void put_field(const struct nlattr *attr, const struct field *field)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (field->form == NEVER)
		return;
	if (field->name)
		fprintf(page.paper, " %s ", field->name);
	else
		fprintf(page.paper, " attribute %d ", mnl_attr_get_type(attr));
	switch (field->form) {
	case ADDRESS:
		inet_ntop(page.family, mnl_attr_get_payload(attr), text, sizeof(text));
		fputs(text, page.paper);
		break;
	case DEV:
		fputs(name_of(mnl_attr_get_u32(attr)), page.paper);
		break;
	case NUMBER:
		fprintf(page.paper, "%u", mnl_attr_get_u32(attr));
		break;
	default:
		put_bytes(attr);
		break;
	}
}

static void put_fields(const struct nlmsghdr *msg, unsigned int offset, const struct field *fields,
		       uint16_t max)
{
	static const struct field unknown = { .form = BYTES };
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, offset) {
		const uint16_t type = mnl_attr_get_type(attr);

		put_field(attr, type <= max && (fields[type].name) ? &fields[type] : &unknown);
	}
	fputc('\n', page.paper);
}

/* Addresses and routes that the kernel adds a moment after the link. */
static bool is_late(const struct nlmsghdr *msg, unsigned int offset, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, offset) {
		const unsigned char *byte = mnl_attr_get_payload(attr);

		if (mnl_attr_get_type(attr) == type &&
		    mnl_attr_get_payload_len(attr) == sizeof(struct in6_addr))
			return (byte[0] == 0xfe && byte[1] == 0x80) || byte[0] == 0xff;
	}
	return false;
}

static void put_ipvlan(const struct nlattr *data)
{
	static const char *const modes[] = { "l2", "l3", "l3s" };
	static const char *const flags[] = { "bridge", "private", "vepa" };
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data) {
		const uint16_t value = mnl_attr_get_u16(attr);

		if (mnl_attr_get_type(attr) == IFLA_IPVLAN_MODE)
			fprintf(page.paper, " mode %s", value < 3 ? modes[value] : "?");
		else if (mnl_attr_get_type(attr) == IFLA_IPVLAN_FLAGS)
			fprintf(page.paper, " flag %s", value < 3 ? flags[value] : "?");
	}
}

static void put_kind(const struct nlattr *info)
{
	const struct nlattr *attr, *data = NULL;
	const char *kind = "";

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			kind = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	fprintf(page.paper, " kind %s", kind);
	if (!data)
		return;
	if (!strcmp(kind, "ipvlan"))
		put_ipvlan(data);
	else if (!strcmp(kind, "vlan"))
		mnl_attr_for_each_nested(attr, data)
			if (mnl_attr_get_type(attr) == IFLA_VLAN_ID)
				fprintf(page.paper, " id %d", mnl_attr_get_u16(attr));
}

/* Leaves out counters, and values that change with the carrier. */
static int put_link(const struct nlmsghdr *msg, void *arg)
{
	const struct ifinfomsg *head = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr, *of[IFLA_MAX + 1] = { NULL };
	unsigned int flags;

	(void)arg;
	mnl_attr_for_each(attr, msg, sizeof(*head))
		if (mnl_attr_get_type(attr) <= IFLA_MAX)
			of[mnl_attr_get_type(attr)] = attr;
	/* ipvlan sets the ARP flag when a link is set up */
	flags = head->ifi_flags & (head->ifi_flags & IFF_UP ? IFF_UP | IFF_NOARP | IFF_PROMISC : IFF_PROMISC);
	fprintf(page.paper, "%s: link %s index %d flags %x", page.where, mnl_attr_get_str(of[IFLA_IFNAME]),
		head->ifi_index, flags);
	if (of[IFLA_MTU])
		fprintf(page.paper, " mtu %u", mnl_attr_get_u32(of[IFLA_MTU]));
	if (of[IFLA_GROUP])
		fprintf(page.paper, " group %u", mnl_attr_get_u32(of[IFLA_GROUP]));
	if (of[IFLA_MASTER])
		fprintf(page.paper, " master %s", name_of(mnl_attr_get_u32(of[IFLA_MASTER])));
	if (of[IFLA_LINKINFO])
		put_kind(of[IFLA_LINKINFO]);
	if (of[IFLA_LINK])
		fprintf(page.paper, " on %s",
			of[IFLA_LINK_NETNSID] ? "one elsewhere" : name_of(mnl_attr_get_u32(of[IFLA_LINK])));
	if (of[IFLA_ADDRESS]) {
		fputs(" lladdr ", page.paper);
		put_bytes(of[IFLA_ADDRESS]);
	}
	fputc('\n', page.paper);
	return MNL_CB_OK;
}

static int put_address(const struct nlmsghdr *msg, void *arg)
{
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr;
	uint32_t flags = head->ifa_flags;

	(void)arg;
	if (is_late(msg, sizeof(*head), IFA_ADDRESS))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, msg, sizeof(*head))
		if (mnl_attr_get_type(attr) == IFA_FLAGS)
			flags = mnl_attr_get_u32(attr);
	page.family = head->ifa_family;
	fprintf(page.paper, "%s: address dev %s len %d scope %d flags %x", page.where,
		name_of(head->ifa_index), head->ifa_prefixlen, head->ifa_scope,
		flags & ~(uint32_t)(IFA_F_TENTATIVE | IFA_F_OPTIMISTIC));
	put_fields(msg, sizeof(*head), of_address, IFA_MAX);
	return MNL_CB_OK;
}

static int put_route(const struct nlmsghdr *msg, void *arg)
{
	const struct rtmsg *head = mnl_nlmsg_get_payload(msg);

	(void)arg;
	if ((head->rtm_flags & RTM_F_CLONED) || is_late(msg, sizeof(*head), RTA_DST))
		return MNL_CB_OK;
	page.family = head->rtm_family;
	fprintf(page.paper, "%s: route %s len %d proto %d scope %d type %d%s", page.where,
		head->rtm_family == AF_INET ? "inet" : "inet6", head->rtm_dst_len, head->rtm_protocol,
		head->rtm_scope, head->rtm_type, head->rtm_flags & RTNH_F_ONLINK ? " onlink" : "");
	put_fields(msg, sizeof(*head), of_route, RTA_MAX);
	return MNL_CB_OK;
}

static int put_neighbour(const struct nlmsghdr *msg, void *arg)
{
	const struct ndmsg *head = mnl_nlmsg_get_payload(msg);

	(void)arg;
	if (!(head->ndm_state & NUD_PERMANENT) && !(head->ndm_flags & NTF_PROXY))
		return MNL_CB_OK;
	if (head->ndm_family != AF_INET && head->ndm_family != AF_INET6)
		return MNL_CB_OK;
	page.family = head->ndm_family;
	fprintf(page.paper, "%s: neighbour dev %s flags %x", page.where, name_of((uint32_t)head->ndm_ifindex),
		head->ndm_flags);
	put_fields(msg, sizeof(*head), of_neighbour, NDA_MAX);
	return MNL_CB_OK;
}

static int put_rule(const struct nlmsghdr *msg, void *arg)
{
	const struct fib_rule_hdr *head = mnl_nlmsg_get_payload(msg);

	(void)arg;
	page.family = head->family;
	fprintf(page.paper, "%s: rule family %d action %d flags %x", page.where, head->family, head->action,
		head->flags);
	put_fields(msg, sizeof(*head), of_rule, FRA_MAX);
	return MNL_CB_OK;
}

static int clsact_of; /* the link that has it, 0: none */

/* The kernel makes others with their links. */
static int put_qdisc(const struct nlmsghdr *msg, void *arg)
{
	const struct tcmsg *head = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr;

	(void)arg;
	mnl_attr_for_each(attr, msg, sizeof(*head)) {
		if (mnl_attr_get_type(attr) != TCA_KIND || strcmp(mnl_attr_get_str(attr), "clsact") != 0)
			continue;
		clsact_of = head->tcm_ifindex;
		fprintf(page.paper, "%s: clsact dev %s\n", page.where, name_of((uint32_t)clsact_of));
	}
	return MNL_CB_OK;
}

static int put_filter(const struct nlmsghdr *msg, void *arg)
{
	const struct tcmsg *head = mnl_nlmsg_get_payload(msg);

	(void)arg;
	fprintf(page.paper, "%s: filter dev %s parent %x handle %x\n", page.where,
		name_of((uint32_t)head->tcm_ifindex), head->tcm_parent, head->tcm_handle);
	return MNL_CB_OK;
}

struct question {
	mnl_cb_t put;
	uint16_t type;
	unsigned char family;
	bool proxies;
	uint32_t parent; /* of filters of clsact_of */
};

static size_t length_of_head(const struct question *question)
{
	switch (question->type) {
	case RTM_GETLINK:
		return sizeof(struct ifinfomsg);
	case RTM_GETQDISC:
	case RTM_GETTFILTER:
		return sizeof(struct tcmsg);
	default:
		return sizeof(struct ndmsg);
	}
}

static void ask(struct mnl_socket *sock, const struct question *question)
{
	static unsigned int seq;
	char buf[32768];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct tcmsg *head; /* the longest of the heads, each of which begins with the family */
	ssize_t len;
	int rc = MNL_CB_OK;

	msg->nlmsg_type = question->type;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	msg->nlmsg_seq = ++seq;
	head = mnl_nlmsg_put_extra_header(msg, length_of_head(question));
	head->tcm_family = question->family;
	if (question->proxies)
		((struct ndmsg *)head)->ndm_flags = NTF_PROXY;
	if (question->parent) {
		head->tcm_ifindex = clsact_of;
		head->tcm_parent = question->parent;
	}
	if (mnl_socket_sendto(sock, msg, msg->nlmsg_len) < 0)
		perror("dump");
	while (rc == MNL_CB_OK && (len = mnl_socket_recvfrom(sock, buf, sizeof(buf))) > 0)
		rc = mnl_cb_run(buf, (size_t)len, seq, mnl_socket_get_portid(sock), question->put, NULL);
	if (rc < 0)
		perror("dump");
}

void dump(FILE *paper, const char *where)
{
	static const struct question questions[] = {
		{ .type = RTM_GETLINK, .put = put_link },
		{ .type = RTM_GETADDR, .put = put_address, .family = AF_INET },
		{ .type = RTM_GETADDR, .put = put_address, .family = AF_INET6 },
		{ .type = RTM_GETROUTE, .put = put_route, .family = AF_INET },
		{ .type = RTM_GETROUTE, .put = put_route, .family = AF_INET6 },
		{ .type = RTM_GETNEIGH, .put = put_neighbour },
		{ .type = RTM_GETNEIGH, .put = put_neighbour, .family = AF_INET, .proxies = true },
		{ .type = RTM_GETNEIGH, .put = put_neighbour, .family = AF_INET6, .proxies = true },
		{ .type = RTM_GETRULE, .put = put_rule },
		{ .type = RTM_GETQDISC, .put = put_qdisc },
		{ .type = RTM_GETTFILTER,
		  .put = put_filter,
		  .parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) },
		{ .type = RTM_GETTFILTER,
		  .put = put_filter,
		  .parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS) },
	};
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		perror("dump");
		exit(2);
	}
	page.paper = paper;
	page.where = where;
	clsact_of = 0;
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++)
		if (!questions[i].parent || clsact_of)
			ask(sock, &questions[i]);
	mnl_socket_close(sock);
}
