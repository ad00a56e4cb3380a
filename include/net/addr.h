/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses, routes and neighbours of a namespace.
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
 * Queues a request that adds address to the link. IFA_LOCAL and IFA_ADDRESS are the same, because
 * ipvlan finds the receiver of a packet by the latter. Without dad an IPv6 address is usable at
 * once; with dad it is tentative for a second or two (RFC 4862 5.4).
 */
void addr_queue_add(struct rtnl *nl, int link, const struct prefix *address, bool dad);

/* Does the link have address? If so, *flags, unless flags is NULL, has the lowest eight bits of its
 * IFA_F_*, with IFA_F_TENTATIVE and IFA_F_DADFAILED. */
enum found addr_find(struct rtnl *nl, int link, const struct prefix *address, uint32_t *flags,
		     struct cni_error *err);

/* The first address of a link with global scope that is not secondary, temporary or deprecated. */
enum found addr_main(struct rtnl *nl, int link, int family, struct ip *ret, struct cni_error *err);

/* An address in the kernel's list. */
struct addr_seen {
	struct prefix address;
	int link;
	uint32_t flags; /* the lowest eight bits of IFA_F_* */
	unsigned char scope;
};

/* Calls each() for all addresses of the namespace, of both families. */
int addr_each(struct rtnl *nl, void (*each)(const struct addr_seen *, void *), void *arg,
	      struct cni_error *err);

/* Does the namespace itself receive packets to ip? Asks the routing table. vrf: packets of the ports of
 * that VRF, whose addresses are in its own table; 0: of links without one. */
enum found addr_is_local(struct rtnl *nl, int vrf, const struct ip *ip, struct cni_error *err);

/* A next hop of a route; a route with several is an equal-cost multipath route. */
struct nexthop {
	struct ip gw; /* family 0: none, the destination is on the link */
	bool onlink;  /* gw is on the link, although no address of the link has it in its subnet */
};

struct route {
	struct prefix dst;		    /* host bits cleared */
	unsigned int mtu, advmss, priority; /* 0: the kernel's choice */
	uint32_t table;			    /* RT_TABLE_MAIN, … */
	unsigned char scope;		    /* RT_SCOPE_* */
	unsigned char protocol;		    /* RTPROT_*; 0: RTPROT_BOOT */
	struct ip src;			    /* family 0: the kernel's choice */
	const struct nexthop *hops;
	size_t n_hops; /* 0: an unreachable route, without a link */
};

/* Does the namespace reach gw directly on the link, as the kernel requires for a gateway? Asks the
 * routing table. */
enum found route_gateway_is_near(struct rtnl *nl, int link, const struct ip *gw, struct cni_error *err);

/* Queues a request that adds the route over the link. The kernel answers EEXIST if it has this
 * route already, or another one to dst with the same metric in the same table. */
void route_queue_add(struct rtnl *nl, int link, const struct route *route);

/* Adds a route immediately, even if there are others to dst: IPv4 uses the one that was added last
 * (fib_table_insert()). IPv6 shares packets among routes with one metric and gateways, and otherwise
 * uses one of them (fib6_add_rt2node()). Returns 0, or the kernel's errno with *err filled. */
int route_put(struct rtnl *nl, int link, const struct route *route, struct cni_error *err);

/* Adds a route immediately, but only if there is no other route to dst. Returns 0, or the kernel's
 * errno with *err filled. */
int route_add(struct rtnl *nl, int link, const struct route *route, struct cni_error *err);

/* Deletes the route only if its protocol, link and gateway are the same. Succeeds if it does not
 * exist. */
int route_delete(struct rtnl *nl, int link, const struct route *route, struct cni_error *err);

/* A route in the kernel's list; one for each next hop. */
struct route_seen {
	struct prefix dst;
	struct ip gw; /* family 0: none */
	int link;
	unsigned int priority;
	uint32_t table;
	unsigned char type;	/* RTN_* */
	unsigned char protocol; /* RTPROT_* */
};

/* Calls each() for all routes of a family in a table; table 0: in all tables. route_each_of(): for those of
 * one protocol, which the kernel selects. */
int route_each(struct rtnl *nl, int family, uint32_t table, void (*each)(const struct route_seen *, void *),
	       void *arg, struct cni_error *err);
int route_each_of(struct rtnl *nl, int family, uint32_t table, unsigned char protocol,
		  void (*each)(const struct route_seen *, void *), void *arg, struct cni_error *err);

/* The route that the host would use for packets to ip, as it stands in the routing table. */
enum found route_lookup(struct rtnl *nl, const struct ip *ip, struct route_seen *ret, struct cni_error *err);

/* A permanent neighbour entry. mac is text. NULL: a proxy entry, by which the namespace answers for
 * the address on the link. */
struct neighbour {
	struct ip ip;
	const char *mac;
};

void neighbour_queue_add(struct rtnl *nl, int link, const struct neighbour *neighbour);
int neighbour_add(struct rtnl *nl, int link, const struct neighbour *neighbour, struct cni_error *err);
int neighbour_delete(struct rtnl *nl, int link, const struct neighbour *neighbour, struct cni_error *err);

/* Calls each() for all permanent neighbour entries of the link with the link-layer address mac. */
int neighbour_each(struct rtnl *nl, int link, const char *mac, void (*each)(const struct ip *ip, void *arg),
		   void *arg, struct cni_error *err);

/* Is there a permanent entry with this link-layer address? */
enum found neighbour_find(struct rtnl *nl, int link, const struct neighbour *neighbour,
			  struct cni_error *err);

#endif
