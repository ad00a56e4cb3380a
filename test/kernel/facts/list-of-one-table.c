/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With strict checking, a list of routes has those of one table; without it, those of all
 * Decided in: net/ipv4/fib_frontend.c, inet_dump_fib(), ip_valid_fib_dump_req()
 * Relied on by: include/net/rtnl.h, plugin/net/addr.c
 */
#include "fact.h"

/* The tables of the routes that a list of table 77 has, as bits: 1 is 77, 2 is local, 4 is another one. */
static int tables(int fd)
{
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = fact_message(buf, RTM_GETROUTE, NLM_F_DUMP, 1);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	int found = 0;

	rtm->rtm_family = AF_INET;
	rtm->rtm_table = 77;
	if (send(fd, nlh, nlh->nlmsg_len, 0) < 0)
		return -1;
	for (;;) {
		int got = (int)recv(fd, buf, sizeof(buf), 0);

		if (got <= 0)
			return -1;
		for (nlh = (struct nlmsghdr *)buf; mnl_nlmsg_ok(nlh, got); nlh = mnl_nlmsg_next(nlh, &got)) {
			if (nlh->nlmsg_type != RTM_NEWROUTE)
				return found;
			rtm = mnl_nlmsg_get_payload(nlh);
			found |= rtm->rtm_table == 77 ? 1 : rtm->rtm_table == RT_TABLE_LOCAL ? 2 : 4;
		}
	}
}

static void put_route(int fd, unsigned char table, uint32_t to)
{
	char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = fact_message(buf, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_ACK, 1);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	int error;

	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 32;
	rtm->rtm_table = table;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNREACHABLE;
	mnl_attr_put_u32(nlh, RTA_DST, htonl(to));
	error = fact_ask(fd, nlh);
	fact(error == 0, "the route in table %d: %s", table, strerror(error));
}

int main(void)
{
	const int on = 1;
	int fd, strict, found;

	fact_begin("With strict checking, a list of routes has those of one table; without it, those of all");
	fd = fact_socket();
	put_route(fd, 77, 0x0a090001);
	put_route(fd, RT_TABLE_MAIN, 0x0a090002);
	found = tables(fd);
	fact(found & 1 && found & 4, "without strict checking: %d", found);
	strict = fact_socket();
	fact(setsockopt(strict, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) == 0, "setsockopt: %s",
	     strerror(errno));
	found = tables(strict);
	fact(found == 1, "with strict checking: %d", found);
	return fact_end();
}
