/* SPDX-License-Identifier: Apache-2.0 */
#include "net/nexthop.h"

#include <linux/nexthop.h>
#include <string.h>

/* We read at most so many members of a group. */
#define MEMBERS_MAX 256

struct nexthop_seen {
	int link;
	struct ip gw;
	uint32_t members[MEMBERS_MAX];
	size_t n_members;
};

static void nexthop_read_group(const struct nlattr *attr, struct nexthop_seen *seen)
{
	const struct nexthop_grp *member = mnl_attr_get_payload(attr);
	size_t n = mnl_attr_get_payload_len(attr) / sizeof(*member);

	for (seen->n_members = 0; seen->n_members < n && seen->n_members < MEMBERS_MAX; seen->n_members++)
		seen->members[seen->n_members] = member[seen->n_members].id;
}

static void nexthop_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct nhmsg *nhm = mnl_nlmsg_get_payload(nlh);
	struct nexthop_seen *seen = arg;
	const struct nlattr *attr;
	struct ip gw = { .family = 0 };

	if (nlh->nlmsg_type != RTM_NEWNEXTHOP || mnl_nlmsg_get_payload_len(nlh) < sizeof(*nhm))
		return;
	gw.family = nhm->nh_family;
	mnl_attr_for_each(attr, nlh, sizeof(*nhm)) {
		unsigned int type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);

		if (type == NHA_OIF && len == sizeof(uint32_t)) {
			seen->link = (int)mnl_attr_get_u32(attr);
		} else if (type == NHA_GATEWAY && ip_size(&gw) && len == ip_size(&gw)) {
			memcpy(gw.bytes, mnl_attr_get_payload(attr), len);
			seen->gw = gw;
		} else if (type == NHA_GROUP) {
			nexthop_read_group(attr, seen);
		}
	}
}

/* Treats any errno as an object that does not exist. */
static int nexthop_ask(struct rtnl *nl, uint32_t id, struct nexthop_seen *ret, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETNEXTHOP, 0);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nhmsg));
	mnl_attr_put_u32(nlh, NHA_ID, id);
	*ret = (struct nexthop_seen){ .link = 0 };
	return rtnl_ask(nl, nexthop_read, ret, err) < 0 ? -1 : 0;
}

int nexthop_each(struct rtnl *nl, uint32_t id, void (*each)(int link, const struct ip *gw, void *arg),
		 void *arg, struct cni_error *err)
{
	struct nexthop_seen seen, member;

	if (nexthop_ask(nl, id, &seen, err) < 0)
		return -1;
	if (seen.link)
		each(seen.link, &seen.gw, arg);
	/* the kernel has no group of groups (net/ipv4/nexthop.c, valid_group_nh()) */
	for (size_t i = 0; i < seen.n_members; i++) {
		if (nexthop_ask(nl, seen.members[i], &member, err) < 0)
			return -1;
		if (member.link)
			each(member.link, &member.gw, arg);
	}
	return 0;
}
