/* SPDX-License-Identifier: Apache-2.0 */
#include "net/addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <netinet/ether.h>
#include <string.h>

#include "net/nexthop.h"

static bool addr_read_ip(const struct nlattr *attr, int family, struct ip *ret)
{
	struct ip ip = { .family = (sa_family_t)family };

	if (!ip_size(&ip) || mnl_attr_get_payload_len(attr) != ip_size(&ip))
		return false;
	memcpy(ip.bytes, mnl_attr_get_payload(attr), ip_size(&ip));
	*ret = ip;
	return true;
}

void addr_queue_add(struct rtnl *nl, int link, const struct prefix *address, bool dad)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	const struct ip last = prefix_last(address);
	size_t size = ip_size(&address->ip);

	ifa->ifa_family = (unsigned char)address->ip.family;
	ifa->ifa_prefixlen = (unsigned char)address->len;
	ifa->ifa_index = (unsigned int)link;
	if (address->ip.family == AF_INET6 && !dad)
		ifa->ifa_flags = IFA_F_NODAD;
	mnl_attr_put(nlh, IFA_LOCAL, size, address->ip.bytes);
	mnl_attr_put(nlh, IFA_ADDRESS, size, address->ip.bytes);
	/* /31 and /32 have no broadcast address */
	if (address->ip.family == AF_INET && address->len <= 30)
		mnl_attr_put(nlh, IFA_BROADCAST, size, last.bytes);
}

static bool addr_read(const struct nlmsghdr *nlh, struct addr_seen *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct addr_seen seen = { .link = 0 };
	const struct nlattr *attr;
	struct ip ip;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return false;
	seen.link = (int)ifa->ifa_index;
	seen.flags = ifa->ifa_flags;
	seen.scope = ifa->ifa_scope;
	seen.address.len = ifa->ifa_prefixlen;
	mnl_attr_for_each(attr, nlh, sizeof(*ifa)) {
		/* IPv6 has no IFA_LOCAL; if there are both, IFA_ADDRESS is the peer */
		if ((mnl_attr_get_type(attr) == IFA_LOCAL ||
		     (mnl_attr_get_type(attr) == IFA_ADDRESS && !seen.address.ip.family)) &&
		    addr_read_ip(attr, ifa->ifa_family, &ip))
			seen.address.ip = ip;
	}
	*ret = seen;
	return true;
}

struct addr_search {
	int link;
	const struct prefix *wanted;
	bool found;
	uint32_t flags; /* of the one found */
};

static void addr_match(const struct nlmsghdr *nlh, void *arg)
{
	struct addr_search *search = arg;
	struct addr_seen seen;

	if (!addr_read(nlh, &seen) || seen.link != search->link ||
	    !prefix_equal(&seen.address, search->wanted))
		return;
	search->found = true;
	search->flags = seen.flags;
}

static int addr_ask(struct rtnl *nl, int link, int family, void (*each)(const struct nlmsghdr *, void *),
		    void *arg, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	int rc;

	ifa->ifa_family = (unsigned char)family;
	ifa->ifa_index = (unsigned int)link;
	rc = rtnl_ask(nl, each, arg, err);
	if (rc > 0 && rc != ENODEV)
		return cni_fail(err, CNI_INTERNAL, "cannot list addresses: %s", errno_text(rc));
	return rc < 0 ? -1 : 0;
}

enum found addr_find(struct rtnl *nl, int link, const struct prefix *address, uint32_t *flags,
		     struct cni_error *err)
{
	struct addr_search search = { .link = link, .wanted = address };

	if (addr_ask(nl, link, address->ip.family, addr_match, &search, err) < 0)
		return FOUND_FAILED;
	if (search.found && flags)
		*flags = search.flags;
	return search.found ? FOUND : FOUND_NOT;
}

struct main_search {
	int link;
	struct ip found;
};

static void addr_match_main(const struct nlmsghdr *nlh, void *arg)
{
	struct main_search *search = arg;
	struct addr_seen seen;

	if (addr_read(nlh, &seen) && seen.link == search->link && seen.scope == RT_SCOPE_UNIVERSE &&
	    !(seen.flags & (IFA_F_SECONDARY | IFA_F_DEPRECATED)) && !search->found.family)
		search->found = seen.address.ip;
}

enum found addr_main(struct rtnl *nl, int link, int family, struct ip *ret, struct cni_error *err)
{
	struct main_search search = { .link = link };

	if (addr_ask(nl, link, family, addr_match_main, &search, err) < 0)
		return FOUND_FAILED;
	*ret = search.found;
	return ret->family ? FOUND : FOUND_NOT;
}

struct addr_visit {
	void (*each)(const struct addr_seen *, void *);
	void *arg;
};

static void addr_visit(const struct nlmsghdr *nlh, void *arg)
{
	const struct addr_visit *visit = arg;
	struct addr_seen seen;

	if (addr_read(nlh, &seen))
		visit->each(&seen, visit->arg);
}

int addr_each(struct rtnl *nl, void (*each)(const struct addr_seen *, void *), void *arg,
	      struct cni_error *err)
{
	struct addr_visit visit = { each, arg };

	return addr_ask(nl, 0, AF_UNSPEC, addr_visit, &visit, err);
}

static void addr_keep_type(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	unsigned char *type = arg;

	if (nlh->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(nlh) >= sizeof(*rtm))
		*type = rtm->rtm_type;
}

enum found addr_is_local(struct rtnl *nl, int vrf, const struct ip *ip, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	unsigned char type = RTN_UNSPEC;

	rtm->rtm_family = (unsigned char)ip->family;
	rtm->rtm_dst_len = (unsigned char)(8 * ip_size(ip));
	mnl_attr_put(nlh, RTA_DST, ip_size(ip), ip->bytes);
	if (vrf)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)vrf);
	/* any errno means that there is no route to ip, so it is not ours */
	if (rtnl_ask(nl, addr_keep_type, &type, err) < 0)
		return FOUND_FAILED;
	return type == RTN_LOCAL ? FOUND : FOUND_NOT;
}

static void route_keep_near(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	bool *near = arg;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return;
	*near = rtm->rtm_type == RTN_UNICAST;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
		if (mnl_attr_get_type(attr) == RTA_GATEWAY || mnl_attr_get_type(attr) == RTA_VIA)
			*near = false;
}

/* fib_check_nh() and ip6_route_check_nh() look up the gateway in the same way. Without
 * RTM_F_FIB_MATCH IPv4 would answer that an address without a route is on the link. */
enum found route_gateway_is_near(struct rtnl *nl, int link, const struct ip *gw, struct cni_error *err)
{
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	bool near = false;

	if (ip_is_link_local(gw))
		return FOUND;
	nlh = rtnl_request(nl, RTM_GETROUTE, 0);
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (unsigned char)gw->family;
	rtm->rtm_dst_len = (unsigned char)(8 * ip_size(gw));
	rtm->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(nlh, RTA_DST, ip_size(gw), gw->bytes);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)link);
	/* any errno means that there is no route */
	if (rtnl_ask(nl, route_keep_near, &near, err) < 0)
		return FOUND_FAILED;
	return near ? FOUND : FOUND_NOT;
}

static void route_put_gateway(struct nlmsghdr *nlh, const struct ip *gw)
{
	mnl_attr_put_check(nlh, RTNL_REQUEST_MAX, RTA_GATEWAY, ip_size(gw), gw->bytes);
}

static void route_put_multipath(struct nlmsghdr *nlh, int link, const struct route *route)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, RTA_MULTIPATH);

	for (size_t i = 0; i < route->n_hops; i++) {
		const struct nexthop *hop = &route->hops[i];
		struct rtnexthop *rtnh = mnl_nlmsg_get_payload_tail(nlh);
		unsigned int before = nlh->nlmsg_len;

		nlh->nlmsg_len += (unsigned int)sizeof(*rtnh);
		*rtnh = (struct rtnexthop){
			.rtnh_ifindex = link,
			.rtnh_flags = hop->onlink ? RTNH_F_ONLINK : 0,
		};
		if (hop->gw.family)
			route_put_gateway(nlh, &hop->gw);
		rtnh->rtnh_len = (unsigned short)(nlh->nlmsg_len - before);
	}
	mnl_attr_nest_end(nlh, nest);
}

static void route_put_metrics(struct nlmsghdr *nlh, const struct route *route)
{
	struct nlattr *nest;

	if (!route->mtu && !route->advmss)
		return;
	nest = mnl_attr_nest_start(nlh, RTA_METRICS);
	if (route->mtu)
		mnl_attr_put_u32(nlh, RTAX_MTU, route->mtu);
	if (route->advmss)
		mnl_attr_put_u32(nlh, RTAX_ADVMSS, route->advmss);
	mnl_attr_nest_end(nlh, nest);
}

static void route_queue(struct rtnl *nl, unsigned int type, unsigned int flags, int link,
			const struct route *route)
{
	struct nlmsghdr *nlh = rtnl_request(nl, type, flags);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = (unsigned char)route->dst.ip.family;
	rtm->rtm_dst_len = (unsigned char)route->dst.len;
	rtm->rtm_table = (unsigned char)(route->table < 256 ? route->table : RT_TABLE_UNSPEC);
	rtm->rtm_protocol = route->protocol ? route->protocol : RTPROT_BOOT;
	rtm->rtm_scope = route->scope;
	rtm->rtm_type = RTN_UNICAST;
	if (route->table > 255)
		mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
	if (route->dst.len)
		mnl_attr_put(nlh, RTA_DST, ip_size(&route->dst.ip), route->dst.ip.bytes);
	if (route->priority)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->priority);
	if (route->src.family)
		mnl_attr_put(nlh, RTA_PREFSRC, ip_size(&route->src), route->src.bytes);
	route_put_metrics(nlh, route);
	if (!route->n_hops) {
		rtm->rtm_type = RTN_UNREACHABLE;
		return;
	}
	if (route->n_hops > 1) {
		route_put_multipath(nlh, link, route);
		return;
	}
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)link);
	if (route->hops[0].onlink)
		rtm->rtm_flags |= RTNH_F_ONLINK;
	if (route->hops[0].gw.family)
		route_put_gateway(nlh, &route->hops[0].gw);
}

void route_queue_add(struct rtnl *nl, int link, const struct route *route)
{
	route_queue(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, link, route);
}

int route_put(struct rtnl *nl, int link, const struct route *route, struct cni_error *err)
{
	route_queue(nl, RTM_NEWROUTE, NLM_F_CREATE, link, route);
	return rtnl_commit_one(nl, err);
}

int route_add(struct rtnl *nl, int link, const struct route *route, struct cni_error *err)
{
	route_queue(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, link, route);
	return rtnl_commit_one(nl, err);
}

int route_delete(struct rtnl *nl, int link, const struct route *route, struct cni_error *err)
{
	struct cni_error why = { 0 };
	int error;

	route_queue(nl, RTM_DELROUTE, 0, link, route);
	error = rtnl_commit_one(nl, &why);
	if (!error || error == ESRCH || error == ENODEV)
		return 0;
	return cni_fail(err, CNI_INTERNAL, "failed to delete the route to %s: %s", prefix_text(&route->dst).s,
			why.msg);
}

struct route_visit {
	struct rtnl *nl;
	uint32_t table; /* 0: all */
	void (*each)(const struct route_seen *, void *);
	void *arg;
	struct route_seen *seen; /* the present route */
	struct cni_error *err;	 /* if a nexthop object cannot be read */
	bool failed;
};

static void route_visit_nexthop(int link, const struct ip *gw, void *arg)
{
	const struct route_visit *visit = arg;

	visit->seen->link = link;
	visit->seen->gw = *gw;
	visit->each(visit->seen, visit->arg);
}

static void route_visit_multipath(const struct nlattr *multipath, struct route_seen *seen, int family,
				  const struct route_visit *visit)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	int left = mnl_attr_get_payload_len(multipath);

	for (; RTNH_OK(hop, left); left -= (int)RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		const struct nlattr *attr;

		seen->link = hop->rtnh_ifindex;
		seen->gw.family = 0;
		mnl_attr_for_each_payload((const void *)RTNH_DATA(hop), hop->rtnh_len - sizeof(*hop))
			if (mnl_attr_get_type(attr) == RTA_GATEWAY)
				addr_read_ip(attr, family, &seen->gw);
		visit->each(seen, visit->arg);
	}
}

static void route_visit(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *multipath = NULL;
	struct route_visit *visit = arg;
	struct route_seen seen = { .link = 0 };
	uint32_t nexthop = 0;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) ||
	    rtm->rtm_flags & RTM_F_CLONED)
		return;
	seen.dst = (struct prefix){ .ip.family = rtm->rtm_family, .len = rtm->rtm_dst_len };
	seen.table = rtm->rtm_table;
	seen.type = rtm->rtm_type;
	seen.protocol = rtm->rtm_protocol;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_DST:
			addr_read_ip(attr, rtm->rtm_family, &seen.dst.ip);
			break;
		case RTA_GATEWAY:
			addr_read_ip(attr, rtm->rtm_family, &seen.gw);
			break;
		case RTA_OIF:
			seen.link = (int)mnl_attr_get_u32(attr);
			break;
		case RTA_PRIORITY:
			seen.priority = mnl_attr_get_u32(attr);
			break;
		case RTA_TABLE:
			seen.table = mnl_attr_get_u32(attr);
			break;
		case RTA_MULTIPATH:
			multipath = attr;
			break;
		case RTA_NH_ID:
			nexthop = mnl_attr_get_u32(attr);
			break;
		default:
			break;
		}
	}
	if (visit->table && seen.table != visit->table)
		return; /* Linux before 4.20 lists all tables */
	visit->seen = &seen;
	if (multipath)
		route_visit_multipath(multipath, &seen, rtm->rtm_family, visit);
	else if (nexthop && !seen.link && seen.type == RTN_UNICAST)
		visit->failed |= nexthop_each(visit->nl, nexthop, route_visit_nexthop, visit, visit->err) < 0;
	else
		visit->each(&seen, visit->arg);
}

int route_each_of(struct rtnl *nl, int family, uint32_t table, unsigned char protocol,
		  void (*each)(const struct route_seen *, void *), void *arg, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	struct route_visit visit = { .nl = nl, .table = table, .each = each, .arg = arg, .err = err };
	int rc;

	rtm->rtm_family = (unsigned char)family;
	rtm->rtm_protocol = protocol;
	if (table)
		mnl_attr_put_u32(nlh, RTA_TABLE, table);
	rc = rtnl_ask(nl, route_visit, &visit, err);
	if (rc == ENOENT || rc == EAFNOSUPPORT || rc == EOPNOTSUPP)
		return 0; /* an empty table, or a kernel without IPv6 */
	if (rc > 0)
		return cni_fail(err, CNI_INTERNAL, "cannot list routes: %s", errno_text(rc));
	return visit.failed ? -1 : rc;
}

int route_each(struct rtnl *nl, int family, uint32_t table, void (*each)(const struct route_seen *, void *),
	       void *arg, struct cni_error *err)
{
	return route_each_of(nl, family, table, RTPROT_UNSPEC, each, arg, err);
}

static void route_keep(const struct route_seen *seen, void *arg)
{
	*(struct route_seen *)arg = *seen;
}

enum found route_lookup(struct rtnl *nl, const struct ip *ip, struct route_seen *ret, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	struct route_visit visit = { .nl = nl, .each = route_keep, .arg = ret, .err = err };

	rtm->rtm_family = (unsigned char)ip->family;
	rtm->rtm_dst_len = (unsigned char)(8 * ip_size(ip));
	rtm->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(nlh, RTA_DST, ip_size(ip), ip->bytes);
	*ret = (struct route_seen){ .link = 0 };
	/* any errno means that there is no route */
	if (rtnl_ask(nl, route_visit, &visit, err) < 0 || visit.failed)
		return FOUND_FAILED;
	return ret->dst.ip.family ? FOUND : FOUND_NOT;
}

static void neighbour_queue(struct rtnl *nl, unsigned int type, unsigned int flags, int link,
			    const struct neighbour *neighbour)
{
	struct nlmsghdr *nlh = rtnl_request(nl, type, flags);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	const struct ip *ip = &neighbour->ip;
	struct ether_addr address;

	ndm->ndm_family = (unsigned char)ip->family;
	ndm->ndm_ifindex = link;
	ndm->ndm_state = NUD_PERMANENT;
	ndm->ndm_flags = neighbour->mac ? 0 : NTF_PROXY;
	mnl_attr_put(nlh, NDA_DST, ip_size(ip), ip->bytes);
	if (neighbour->mac && ether_aton_r(neighbour->mac, &address))
		mnl_attr_put(nlh, NDA_LLADDR, sizeof(address), &address);
}

void neighbour_queue_add(struct rtnl *nl, int link, const struct neighbour *neighbour)
{
	neighbour_queue(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, link, neighbour);
}

int neighbour_add(struct rtnl *nl, int link, const struct neighbour *neighbour, struct cni_error *err)
{
	struct cni_error why = { 0 };

	neighbour_queue_add(nl, link, neighbour);
	if (!rtnl_commit_one(nl, &why))
		return 0;
	return cni_fail(err, CNI_INTERNAL, "failed to add the neighbour %s: %s", ip_text(&neighbour->ip).s,
			why.msg);
}

int neighbour_delete(struct rtnl *nl, int link, const struct neighbour *neighbour, struct cni_error *err)
{
	struct cni_error why = { 0 };
	int error;

	neighbour_queue(nl, RTM_DELNEIGH, 0, link, neighbour);
	error = rtnl_commit_one(nl, &why);
	if (!error || error == ENOENT || error == ENODEV)
		return 0;
	return cni_fail(err, CNI_INTERNAL, "failed to delete the neighbour %s: %s", ip_text(&neighbour->ip).s,
			why.msg);
}

struct neighbour_search {
	struct ether_addr wanted;
	bool proxy, found;
};

static void neighbour_match(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct neighbour_search *search = arg;
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm))
		return;
	if (search->proxy)
		search->found = ndm->ndm_flags & NTF_PROXY;
	if (search->proxy || !(ndm->ndm_state & NUD_PERMANENT))
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*ndm))
		if (mnl_attr_get_type(attr) == NDA_LLADDR &&
		    mnl_attr_get_payload_len(attr) == sizeof(search->wanted))
			search->found =
				!memcmp(mnl_attr_get_payload(attr), &search->wanted, sizeof(search->wanted));
}

enum found neighbour_find(struct rtnl *nl, int link, const struct neighbour *neighbour, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETNEIGH, 0);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	struct neighbour_search search = { .proxy = !neighbour->mac };

	ndm->ndm_family = (unsigned char)neighbour->ip.family;
	ndm->ndm_ifindex = link;
	ndm->ndm_flags = search.proxy ? NTF_PROXY : 0;
	mnl_attr_put(nlh, NDA_DST, ip_size(&neighbour->ip), neighbour->ip.bytes);
	if (neighbour->mac)
		ether_aton_r(neighbour->mac, &search.wanted);
	/* any errno means that there is none */
	if (rtnl_ask(nl, neighbour_match, &search, err) < 0)
		return FOUND_FAILED;
	return search.found ? FOUND : FOUND_NOT;
}

struct neighbour_tour {
	int link;
	struct ether_addr mac;
	void (*each)(const struct ip *ip, void *arg);
	void *arg;
};

static void neighbour_visit(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct neighbour_tour *tour = arg;
	const struct nlattr *attr;
	struct ip ip = { .family = 0 };
	bool same = false;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) || ndm->ndm_ifindex != tour->link ||
	    !(ndm->ndm_state & NUD_PERMANENT))
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*ndm)) {
		if (mnl_attr_get_type(attr) == NDA_DST)
			addr_read_ip(attr, ndm->ndm_family, &ip);
		else if (mnl_attr_get_type(attr) == NDA_LLADDR &&
			 mnl_attr_get_payload_len(attr) == sizeof(tour->mac))
			same = !memcmp(mnl_attr_get_payload(attr), &tour->mac, sizeof(tour->mac));
	}
	if (same && ip.family)
		tour->each(&ip, tour->arg);
}

int neighbour_each(struct rtnl *nl, int link, const char *mac, void (*each)(const struct ip *ip, void *arg),
		   void *arg, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETNEIGH, NLM_F_DUMP);
	struct neighbour_tour tour = { .link = link, .each = each, .arg = arg };
	int rc;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	ether_aton_r(mac, &tour.mac);
	rc = rtnl_ask(nl, neighbour_visit, &tour, err);
	if (rc > 0)
		return cni_fail(err, CNI_INTERNAL, "cannot list neighbours: %s", errno_text(rc));
	return rc;
}
