/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool is a range set of the configuration: subnets or parts of subnets, of which an attachment gets one
 * address.
 *
 *	10.9.0.0/24, gateway .1, exclude .16/28
 *
 *	ranges   .1 ------------------------------ .254
 *	spans      .2 -- .15        .32 ---------- .254
 *
 * Ranges are those of the configuration. Spans are the addresses that may be assigned: without gateways,
 * excluded addresses, and the first and last address of a subnet. The search has host-local's order: from
 * the address after the last assigned one, through all ranges, back to that last one.
 */
#ifndef IPAM_POOL_H
#define IPAM_POOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cni/error.h"
#include "cni/ip.h"

struct range {
	struct prefix subnet;
	struct ip start, end; /* family 0 before pool_settle(): not given */
	struct ip gateway;    /* family 0: none */
	bool gateway_given;   /* an address or "none" */
};

struct span {
	struct ip first, last;
	size_t range; /* of which it is a part */
};

struct pool {
	struct range *ranges;
	struct span *spans;
	size_t n_ranges, n_spans;
	const struct prefix *asked; /* "static": assigned only on request; borrowed */
	size_t n_asked;
	bool identities;    /* its addresses are kept for identities, see claim/identity.h */
	size_t number;	    /* of the range set in the configuration */
	const json_t *whom; /* "for", see ipam/whom.h; NULL: for all pods; borrowed */
};

/*
 * Fills in the defaults of each range, validates, and finds the spans. Fails with CNI_CONFIG and
 * host-local's messages. A subnet of one or two addresses has a gateway only if the range names one, and all
 * its other addresses may be assigned (RFC 3021, RFC 6164).
 */
int pool_settle(struct pool *pool, const struct prefix *exclude, size_t n_exclude, struct cni_error *err);
void pool_free(struct pool *pool);

/* Takes n prefixes out of the spans: they are assigned only on request. Borrows prefixes. CNI_RETRY. */
int pool_keep(struct pool *pool, const struct prefix *prefixes, size_t n, struct cni_error *err);

/* Is it the gateway of a range of the pool? */
bool pool_is_gateway(const struct pool *pool, const struct ip *ip);

/* The range of the pool that contains ip, or whose subnet contains ip; or NULL. */
const struct range *pool_range(const struct pool *pool, const struct ip *ip);
const struct range *pool_subnet(const struct pool *pool, const struct ip *ip);

/* The range whose gateway and mask a request for ip gets: the range that contains ip, or, if pool_keep() took
 * ip, the range whose subnet contains it. NULL: the pool does not assign ip. */
const struct range *pool_asked(const struct pool *pool, const struct ip *ip);
bool pool_keeps(const struct pool *pool, const struct ip *ip); /* did pool_keep() take ip? */

/* An entry of "exclude" or "static" for people: an address, or a prefix if it has more than one. */
struct ip_str entry_text(const struct prefix *entry);

/* "network address", for instance, if the subnet reserves ip; or NULL. */
const char *subnet_reserved(const struct prefix *subnet, const struct ip *ip);
bool pool_may_give(const struct pool *pool, const struct ip *ip); /* is ip in one of the spans? */
bool pools_overlap(const struct pool *a, const struct pool *b);
/* Has a span an address of prefix? */
bool pool_touches(const struct pool *pool, const struct prefix *prefix);
/* Copies pool, with only the addresses of its spans that are in one of n prefixes. pool_free() after success.
 */
int pool_narrow(struct pool *ret, const struct pool *pool, const struct prefix *prefixes, size_t n,
		struct cni_error *err);
/* How many addresses the ranges have before ip, which must be in one of them. */
uint64_t pool_position(const struct pool *pool, const struct ip *ip);
uint64_t pool_size(const struct pool *pool); /* addresses in its spans; UINT64_MAX: that many or more */

/* "10.9.0.1-10.9.0.254,10.8.0.1-10.8.0.9", cut if it is too long for a message */
struct pool_str {
	char s[256];
};
struct pool_str pool_text(const struct pool *pool);

/*
 * Finds the first address after last for which accept() returns FOUND; from the start, if last has family 0
 * or is outside the pool. FOUND_NOT: accept() accepts none. FOUND_FAILED: accept() has failed. When
 * accept() returns FOUND_NOT, it may set *ip to a later address, to skip all up to that one.
 */
enum found pool_walk(const struct pool *pool, const struct ip *last,
		     enum found (*accept)(void *arg, struct ip *ip, struct cni_error *err), void *arg,
		     struct ip *ret, struct cni_error *err);

#endif
