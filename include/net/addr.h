/* SPDX-License-Identifier: Apache-2.0 */
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

/* The first address of a link that others reach it by: of global scope, not
 * secondary, not temporary. */
enum found addr_main(struct rtnl *nl, int link, int family, struct ip *ret, struct cni_error *err);

/* An address as the kernel lists it. */
struct addr_seen {
	struct prefix address;
	int link;
	uint32_t flags; /* the first eight of IFA_F_* */
	unsigned char scope;
};

/* Calls each() for all addresses of the namespace, of whatever family. */
int addr_each(struct rtnl *nl, void (*each)(const struct addr_seen *, void *), void *arg,
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
	unsigned char protocol;		    /* RTPROT_*; 0: RTPROT_BOOT */
	struct ip src;			    /* family 0: the kernel's choice */
	const struct nexthop *hops;
	size_t n_hops; /* 0: unreachable, and no link counts */
};

/* Does the namespace reach gw on the link itself, as the kernel requires of a gateway? Asks the
 * routing table. */
enum found route_gateway_is_near(struct rtnl *nl, int link, const struct ip *gw, struct cni_error *err);

/* Queues adding the route over the link. EEXIST: there is another one to dst, of the same metric and
 * table, or the very same. */
void route_queue_add(struct rtnl *nl, int link, const struct route *route);

/* At once, whatever other routes to dst there are: IPv4 uses the one that was added last
 * (fib_table_insert()), IPv6 all those of one metric by turns (fib6_add_rt2node()). Returns 0 or the
 * kernel's errno, and then *err describes it. */
int route_put(struct rtnl *nl, int link, const struct route *route, struct cni_error *err);

/* At once, and only where there is no other route to dst. Returns 0 or the kernel's
 * errno, and then *err describes it. */
int route_add(struct rtnl *nl, int link, const struct route *route, struct cni_error *err);

/* Of this protocol, link and gateway alone. One that is gone already is deleted. */
int route_delete(struct rtnl *nl, int link, const struct route *route, struct cni_error *err);

/* A route as the kernel lists it, one call for each next hop. */
struct route_seen {
	struct prefix dst;
	struct ip gw; /* family 0: none */
	int link;
	unsigned int priority;
	uint32_t table;
	unsigned char type;	/* RTN_* */
	unsigned char protocol; /* RTPROT_* */
};

/* Calls each() for all routes of a family; table 0: of all tables. */
int route_each(struct rtnl *nl, int family, uint32_t table, void (*each)(const struct route_seen *, void *),
	       void *arg, struct cni_error *err);

/* The route of the routing tables, as it was added, by which the host would send to ip. */
enum found route_lookup(struct rtnl *nl, const struct ip *ip, struct route_seen *ret, struct cni_error *err);

/* A neighbour whose link-layer address need not be asked for. mac is text; NULL: for whose
 * address the namespace answers on the link, as a proxy. */
struct neighbour {
	struct ip ip;
	const char *mac;
};

void neighbour_queue_add(struct rtnl *nl, int link, const struct neighbour *neighbour);
int neighbour_add(struct rtnl *nl, int link, const struct neighbour *neighbour, struct cni_error *err);
int neighbour_delete(struct rtnl *nl, int link, const struct neighbour *neighbour, struct cni_error *err);

/* Calls each() for all neighbours of the link whose link-layer address is mac, for good. */
int neighbour_each(struct rtnl *nl, int link, const char *mac, void (*each)(const struct ip *ip, void *arg),
		   void *arg, struct cni_error *err);

/* With this link-layer address, and for good? */
enum found neighbour_find(struct rtnl *nl, int link, const struct neighbour *neighbour,
			  struct cni_error *err);

#endif
