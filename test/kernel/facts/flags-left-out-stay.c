/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request for a slave without flags leaves the master's flags unchanged
 * Decided in: drivers/net/ipvlan/ipvlan_main.c, ipvlan_link_new(): IFLA_IPVLAN_FLAGS
 * Relied on by: plugin/net/link.c, plugin/guard.c
 */
#include "fact.h"

static unsigned int master;

static int make_slave(int fd, const char *name, int flags)
{
	char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = fact_message(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 1);
	struct nlattr *info, *data;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_LINK, master);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "ipvlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, IFLA_IPVLAN_MODE, IPVLAN_MODE_L2);
	if (flags >= 0)
		mnl_attr_put_u16(nlh, IFLA_IPVLAN_FLAGS, (uint16_t)flags);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return fact_ask(fd, nlh);
}

static const struct nlattr *inside(const struct nlattr *nest, int type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static int flags_of(int fd, const char *name)
{
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = fact_message(buf, RTM_GETLINK, 0, 1);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	const struct nlattr *attr;

	ifi->ifi_index = (int)if_nametoindex(name);
	if (send(fd, nlh, nlh->nlmsg_len, 0) < 0 || recv(fd, buf, sizeof(buf), 0) < 0 ||
	    nlh->nlmsg_type != RTM_NEWLINK)
		return -1;
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		attr = inside(attr, IFLA_INFO_DATA);
		attr = attr ? inside(attr, IFLA_IPVLAN_FLAGS) : NULL;
		return attr ? mnl_attr_get_u16(attr) : -1;
	}
	return -1;
}

int main(void)
{
	char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	int fd;

	fact_begin("A request for a slave without flags leaves the master's flags unchanged");
	fd = fact_socket();
	fact(fact_ask(fd, fact_new_link(buf, "master0", "dummy", 0)) == 0, "no master0");
	master = if_nametoindex("master0");
	fact(make_slave(fd, "first0", IPVLAN_F_VEPA) == 0, "no first0");
	fact(make_slave(fd, "second0", -1) == 0, "no second0");
	fact(flags_of(fd, "first0") == IPVLAN_F_VEPA, "the flags are %d", flags_of(fd, "first0"));
	fact(flags_of(fd, "second0") == IPVLAN_F_VEPA, "the flags are %d", flags_of(fd, "second0"));
	fact(make_slave(fd, "third0", 0) == 0, "no third0");
	fact(flags_of(fd, "first0") == 0, "the flags are %d", flags_of(fd, "first0"));
	return fact_end();
}
