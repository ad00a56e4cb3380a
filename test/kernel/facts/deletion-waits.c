/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting a link makes the caller wait for readers; making one, or deleting an address, does not
 * Decided in: net/core/dev.c, netdev_run_todo(): rcu_barrier(), synchronize_net()
 * Relied on by: plugin/del.c, test/bench/README.md
 */
#include "fact.h"

#include <linux/if_addr.h>
#include <sys/resource.h>

static int asked(int fd, const struct nlmsghdr *nlh, long *sleeps)
{
	struct rusage before, after;
	int error;

	getrusage(RUSAGE_SELF, &before);
	error = fact_ask(fd, nlh);
	getrusage(RUSAGE_SELF, &after);
	*sleeps += after.ru_nvcsw - before.ru_nvcsw;
	return error;
}

static struct nlmsghdr *address(void *buf, int type, int flags, unsigned int link)
{
	struct nlmsghdr *nlh = fact_message(buf, type, flags | NLM_F_ACK, 1);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 24;
	ifa->ifa_index = link;
	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(0x0a010003));
	mnl_attr_put_u32(nlh, IFA_ADDRESS, htonl(0x0a010003));
	return nlh;
}

static struct nlmsghdr *deletion(void *buf, const char *name)
{
	struct nlmsghdr *nlh = fact_message(buf, RTM_DELLINK, NLM_F_ACK, 1);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return nlh;
}

int main(void)
{
	char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	long made = 0, addressed = 0, deleted = 0, ignored = 0;
	unsigned int master;
	int fd;

	fact_begin("Deleting a link makes the caller wait for readers; making one, or deleting an address, "
		   "does not");
	fd = fact_socket();
	fact(asked(fd, fact_new_link(buf, "master0", "dummy", 0), &ignored) == 0, "no master0");
	master = if_nametoindex("master0");
	fact(asked(fd, fact_new_link(buf, "anchor0", "ipvlan", master), &ignored) == 0, "no anchor0");
	for (int i = 0; i < 10; i++) {
		fact(asked(fd, fact_new_link(buf, "slave0", "ipvlan", master), &made) == 0, "no slave0");
		fact(asked(fd, address(buf, RTM_NEWADDR, NLM_F_CREATE, if_nametoindex("slave0")), &made) == 0,
		     "no address");
		fact(asked(fd, address(buf, RTM_DELADDR, 0, if_nametoindex("slave0")), &addressed) == 0,
		     "the address stays");
		fact(asked(fd, deletion(buf, "slave0"), &deleted) == 0, "slave0 stays");
	}
	fact(deleted >= 10, "10 deletions slept %ld times", deleted);
	fact(made < 10 && addressed < 10, "10 slaves made slept %ld times, 10 addresses deleted %ld times",
	     made, addressed);
	return fact_end();
}
