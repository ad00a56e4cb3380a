/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel marks a list that changes while it is read
 * Decided in: include/net/netlink.h, nl_dump_check_consistent(); net/core/rtnetlink.c, rtnl_dump_ifinfo()
 * Relied on by: plugin/net/rtnl.c
 */
#include "fact.h"

/* Reads the list of all links; after the first part it makes one more, or none. Returns whether a part says
 * NLM_F_DUMP_INTR. */
static bool is_interrupted(int fd, int other, const char *more, int *parts)
{
	char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO))),
		one[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = fact_message(buf, RTM_GETLINK, NLM_F_DUMP, 1);
	bool interrupted = false;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	fact(send(fd, nlh, nlh->nlmsg_len, 0) > 0, "send: %s", strerror(errno));
	for (*parts = 0;; ++*parts) {
		int got = (int)recv(fd, buf, sizeof(buf), 0);

		if (*parts == 0 && more)
			fact(fact_ask(other, fact_new_link(one, more, "dummy", 0)) == 0, "no %s", more);
		if (got <= 0)
			return false;
		for (nlh = (struct nlmsghdr *)buf; mnl_nlmsg_ok(nlh, got); nlh = mnl_nlmsg_next(nlh, &got)) {
			interrupted |= (nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
			if (nlh->nlmsg_type == NLMSG_DONE)
				return interrupted;
		}
	}
}

int main(void)
{
	char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO))), name[IF_NAMESIZE];
	int fd, other, parts;

	fact_begin("The kernel marks a list that changes while it is read");
	fd = fact_socket();
	other = fact_socket();
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "dummy%d", i);
		fact(fact_ask(other, fact_new_link(buf, name, "dummy", 0)) == 0, "no %s", name);
	}
	fact(!is_interrupted(fd, other, NULL, &parts), "a list that does not change says that it has");
	fact(parts > 2, "the list has %d parts", parts);
	fact(is_interrupted(fd, other, "more0", &parts), "a list that changes does not say so");
	return fact_end();
}
