/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor [lease]: the least that an order costs, to measure plugins against. It is called
 * as a CNI plugin is, reads no configuration, checks nothing, prints nothing, and undoes
 * nothing when it fails.
 *
 *	ADD	a slave straight into the namespace; then lo up, addresses, up, default
 *		route in one message
 *	DEL	the slave
 *	others	nothing: what a process costs
 *
 * With "lease" it starts itself once more, as a plugin starts its IPAM plugin, and that
 * process takes a lock and writes or removes one file.
 *
 * CNI_ARGS: MASTER=name;IP=a.b.c.d[;IP6=address][;DIR=directory of leases]. The number at
 * the end of CNI_CONTAINERID is added to the addresses.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX_LEN 16
#define PREFIX6_LEN 64

struct batch {
	char bytes[4096] __attribute__((aligned(8)));
	size_t used;
	struct nlmsghdr *last;
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* The value of KEY in CNI_ARGS, in a buffer that the next call overwrites; or NULL. */
static const char *argument(const char *key)
{
	static char value[256];
	const char *at = getenv("CNI_ARGS");
	size_t len = strlen(key);

	for (; at && *at; at += strcspn(at, ";"), at += *at == ';') {
		if (strncmp(at, key, len) != 0 || at[len] != '=')
			continue;
		at += len + 1;
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, ";"), at);
		return value;
	}
	return NULL;
}

static unsigned int own_number(void)
{
	const char *id = getenv("CNI_CONTAINERID"), *number = id ? strrchr(id, '-') : NULL;

	return number ? (unsigned int)strtoul(number + 1, NULL, 10) : 0;
}

static struct nlmsghdr *next(struct batch *batch, unsigned short type, unsigned short flags)
{
	if (batch->last)
		batch->used += NLMSG_ALIGN(batch->last->nlmsg_len);
	batch->last = mnl_nlmsg_put_header(batch->bytes + batch->used);
	batch->last->nlmsg_type = type;
	batch->last->nlmsg_flags = NLM_F_REQUEST | flags;
	return batch->last;
}

/* The answer to the last message, or an error of an earlier one. */
static void exchange(int sock, struct batch *batch)
{
	char answer[4096] __attribute__((aligned(8)));
	const struct nlmsghdr *nlh = (const void *)answer;
	const struct nlmsgerr *e;

	batch->last->nlmsg_flags |= NLM_F_ACK;
	if (send(sock, batch->bytes, batch->used + batch->last->nlmsg_len, 0) < 0 ||
	    recv(sock, answer, sizeof(answer), 0) < (ssize_t)(sizeof(*nlh) + sizeof(*e)))
		fail("netlink");
	e = mnl_nlmsg_get_payload(nlh);
	errno = -e->error;
	if (errno && errno != ENODEV)
		fail("netlink");
}

static int rtnl(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (sock < 0)
		fail("socket");
	return sock;
}

static unsigned int index_of(int sock, const char *name)
{
	struct ifreq ifr = { .ifr_name = "" };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(sock, SIOCGIFINDEX, &ifr) < 0)
		fail(name);
	return (unsigned int)ifr.ifr_ifindex;
}

static void create(int netns)
{
	struct batch batch = { .used = 0 };
	struct nlmsghdr *nlh = next(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	const char *master = argument("MASTER");
	struct nlattr *info, *data;
	int sock = rtnl();

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, getenv("CNI_IFNAME"));
	mnl_attr_put_u32(nlh, IFLA_LINK, index_of(sock, master ? master : ""));
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)netns);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "ipvlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, IFLA_IPVLAN_MODE, IPVLAN_MODE_L2);
	mnl_attr_put_u16(nlh, IFLA_IPVLAN_FLAGS, 0);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	exchange(sock, &batch);
}

static void put_up(struct batch *batch, unsigned int index)
{
	struct nlmsghdr *nlh = next(batch, RTM_NEWLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = (int)index;
	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
}

static void put_address(struct batch *batch, unsigned int index, int family, const void *bytes, size_t size)
{
	struct nlmsghdr *nlh = next(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = (unsigned char)family;
	ifa->ifa_prefixlen = family == AF_INET ? PREFIX_LEN : PREFIX6_LEN;
	ifa->ifa_index = index;
	ifa->ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0;
	mnl_attr_put(nlh, IFA_LOCAL, size, bytes);
	mnl_attr_put(nlh, IFA_ADDRESS, size, bytes);
}

static void put_default(struct batch *batch, unsigned int index, int family)
{
	struct nlmsghdr *nlh = next(batch, RTM_NEWROUTE, NLM_F_CREATE);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = (unsigned char)family;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_BOOT;
	rtm->rtm_scope = RT_SCOPE_LINK;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_OIF, index);
}

static void furnish(int netns)
{
	struct batch batch = { .used = 0 };
	struct in6_addr ip6;
	struct in_addr ip;
	unsigned int index;
	bool dual;
	int sock;

	if (setns(netns, CLONE_NEWNET) < 0)
		fail("setns");
	sock = rtnl();
	index = index_of(sock, getenv("CNI_IFNAME"));
	if (inet_pton(AF_INET, argument("IP"), &ip) != 1)
		fail("IP");
	ip.s_addr = htonl(ntohl(ip.s_addr) + own_number());
	dual = argument("IP6") && inet_pton(AF_INET6, argument("IP6"), &ip6) == 1;
	if (dual)
		ip6.s6_addr32[3] = htonl(ntohl(ip6.s6_addr32[3]) + own_number());

	put_up(&batch, 1); /* lo */
	put_address(&batch, index, AF_INET, &ip, sizeof(ip));
	if (dual)
		put_address(&batch, index, AF_INET6, &ip6, sizeof(ip6));
	put_up(&batch, index);
	put_default(&batch, index, AF_INET);
	if (dual)
		put_default(&batch, index, AF_INET6);
	exchange(sock, &batch);
}

static void delete (int netns)
{
	struct batch batch = { .used = 0 };
	struct nlmsghdr *nlh = next(&batch, RTM_DELLINK, 0);

	if (setns(netns, CLONE_NEWNET) < 0)
		fail("setns");
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, getenv("CNI_IFNAME"));
	exchange(rtnl(), &batch);
}

/* As the IPAM plugin that was started. */
static void keep_lease(bool add)
{
	const char *id = getenv("CNI_CONTAINERID"), *dir = argument("DIR");
	int lock, fd;

	if (!id || !dir || chdir(dir) < 0)
		fail("DIR");
	lock = open("lock", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		fail("lock");
	if (!add) {
		unlink(id);
		return;
	}
	fd = open(id, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, id, strlen(id)) < 0)
		fail(id);
}

static void ask_for_lease(char *program)
{
	char lease[] = "lease", keep[] = "keep", *argv[] = { program, lease, keep, NULL };
	int status;
	pid_t pid;

	if (posix_spawn(&pid, program, NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid ||
	    status != 0)
		fail(program);
}

int main(int argc, char **argv)
{
	const char *command = getenv("CNI_COMMAND"), *path = getenv("CNI_NETNS");
	bool add = command && !strcmp(command, "ADD");
	int netns;

	if (!add && (!command || strcmp(command, "DEL") != 0))
		return 0;
	if (argc > 2) {
		keep_lease(add);
		return 0;
	}
	netns = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (netns < 0)
		fail("CNI_NETNS");
	if (add)
		create(netns);
	if (argc > 1)
		ask_for_lease(argv[0]);
	if (add)
		furnish(netns);
	else
		delete (netns);
	return 0;
}
