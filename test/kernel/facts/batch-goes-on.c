/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel carries out the requests after a refused one, and reports refusals unasked
 * Decided in: net/netlink/af_netlink.c, netlink_rcv_skb()
 * Relied on by: include/net/rtnl.h, plugin/net/rtnl.c
 */
#include "fact.h"

int main(void)
{
	char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO))),
		answer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	const char *names[] = { "first0", "first0", "third0" };
	struct nlmsghdr *nlh = NULL;
	size_t len = 0;
	ssize_t got;
	int fd, refusals = 0, acknowledgements = 0;

	fact_begin("The kernel carries out the requests after a refused one, and reports refusals unasked");
	fd = fact_socket();
	for (int i = 0; i < 3; i++) {
		nlh = fact_new_link(buf + len, names[i], "dummy", 0);
		nlh->nlmsg_seq = (uint32_t)i + 1;
		if (i < 2)
			nlh->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		len += nlh->nlmsg_len;
	}
	fact(send(fd, buf, len, 0) == (ssize_t)len, "send: %s", strerror(errno));
	while (acknowledgements == 0 && (got = recv(fd, answer, sizeof(answer), 0)) > 0)
		for (nlh = (struct nlmsghdr *)answer; mnl_nlmsg_ok(nlh, (int)got);
		     nlh = mnl_nlmsg_next(nlh, (int *)&got)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);

			if (error->error == 0)
				acknowledgements += nlh->nlmsg_seq == 3;
			else
				refusals += nlh->nlmsg_seq == 2 && error->error == -EEXIST;
		}
	fact(refusals == 1, "%d refusals", refusals);
	fact(acknowledgements == 1, "%d acknowledgements", acknowledgements);
	fact(if_nametoindex("first0") && if_nametoindex("third0"), "the third link does not exist");
	return fact_end();
}
