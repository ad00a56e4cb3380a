/*
 * Addresses and routes of a namespace.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "net/link.h"
#include "net/rtnl.h"

/*
 * Queues adding address to the link. IFA_LOCAL and IFA_ADDRESS are the same,
 * because ipvlan sorts packets by the latter. Without dad an IPv6 address may be
 * used at once; with it, it is tentative for a second or two (RFC 4862 5.4).
 */
void addr_queue_add(struct rtnl *nl, int link, const struct prefix *address, bool dad);

/* Is address on the link? Then *flags, if asked for, are its IFA_F_*, of which the
 * first eight alone: IFA_F_TENTATIVE and IFA_F_DADFAILED are among them. */
enum found addr_find(struct rtnl *nl, int link, const struct prefix *address, uint32_t *flags,
		     struct cni_error *err);

/* Does the namespace itself receive what is sent to ip? Asks the routing table. */
enum found addr_is_local(struct rtnl *nl, const struct ip *ip, struct cni_error *err);

/* A way to a destination; several of one route are an equal-cost multipath. */
struct nexthop {
	struct ip gw; /* family 0: the link itself */
	bool onlink;  /* gw is on the link although no address says so */
};

struct route {
	struct prefix dst;		    /* host bits cleared */
	unsigned int mtu, advmss, priority; /* 0: the kernel's choice */
	uint32_t table;			    /* RT_TABLE_MAIN, … */
	unsigned char scope;		    /* RT_SCOPE_* */
	const struct nexthop *hops;
	size_t n_hops;
};

/* Queues adding the route over the link, before the kernel's other routes to dst. */
void route_queue_add(struct rtnl *nl, int link, const struct route *route);

/* A route as the kernel lists it, one call for each next hop. */
struct route_seen {
	struct prefix dst;
	struct ip gw; /* family 0: none */
	int link;
	unsigned int priority;
	uint32_t table;
	unsigned char type; /* RTN_* */
};

/* Calls each() for all routes of a family; table 0: of all tables. */
int route_each(struct rtnl *nl, int family, uint32_t table, void (*each)(const struct route_seen *, void *),
	       void *arg, struct cni_error *err);

#endif
