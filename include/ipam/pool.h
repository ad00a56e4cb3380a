/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool is what the configuration calls a range set: subnets, or parts of them,
 * of which a container gets one address.
 *
 *	10.9.0.0/24, gateway .1, exclude .16/28
 *
 *	ranges   .1 ------------------------------ .254
 *	spans      .2 -- .15        .32 ---------- .254
 *
 * Ranges are what was written, spans what may be handed out: without gateways,
 * excluded addresses, and the subnet's own first and last. They are walked in
 * host-local's order: from the address after the last one handed out, through
 * all ranges, back to that last one.
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
	bool gateway_given;   /* if only to say that there is none */
};

struct span {
	struct ip first, last;
	size_t range; /* whose part it is */
};

struct pool {
	struct range *ranges;
	struct span *spans;
	size_t n_ranges, n_spans;
	const struct prefix *asked; /* may be given to who asks for them alone; borrowed */
	size_t n_asked;
	size_t number;	    /* of the range set in the configuration */
	const json_t *whom; /* see ipam/whom.h; NULL: all; borrowed */
};

/*
 * Fills in what a range leaves out, validates, and finds the spans. Fails with
 * CNI_CONFIG in host-local's words. A subnet of one or two addresses has no
 * gateway unless one is given, and may use them all (RFC 3021, RFC 6164).
 */
int pool_settle(struct pool *pool, const struct prefix *exclude, size_t n_exclude, struct cni_error *err);
void pool_free(struct pool *pool);

/* Takes n prefixes out of the spans, which are given only when they are asked for. CNI_RETRY. */
int pool_keep(struct pool *pool, const struct prefix *prefixes, size_t n, struct cni_error *err);

/* The range of the pool that ip lies in, or whose subnet ip lies in; or NULL. */
const struct range *pool_range(const struct pool *pool, const struct ip *ip);
const struct range *pool_subnet(const struct pool *pool, const struct ip *ip);

/* The range by which the pool gives ip to who asks for it: that which it lies in, or, of what
 * pool_keep() took, that whose subnet it lies in. NULL: it gives ip to nobody. */
const struct range *pool_asked(const struct pool *pool, const struct ip *ip);
bool pool_keeps(const struct pool *pool, const struct ip *ip); /* of what pool_keep() took */

/* An entry of "exclude" or "static" as it is written: an address, where it is one alone. */
struct ip_str entry_text(const struct prefix *entry);

/* "network address" for instance, if ip is one that a subnet has for itself; or NULL. */
const char *subnet_own(const struct prefix *subnet, const struct ip *ip);
bool pool_may_give(const struct pool *pool, const struct ip *ip); /* in one of the spans */
bool pools_overlap(const struct pool *a, const struct pool *b);
bool pool_touches(const struct pool *pool, const struct prefix *prefix);
/* pool with those of its spans' addresses alone that lie in one of n prefixes; to be freed. */
int pool_narrow(struct pool *ret, const struct pool *pool, const struct prefix *prefixes, size_t n,
		struct cni_error *err);
/* How many addresses its ranges have before ip, which lies in one of them. */
uint64_t pool_position(const struct pool *pool, const struct ip *ip);
uint64_t pool_size(const struct pool *pool); /* addresses in its spans; UINT64_MAX: that many or more */

/* "10.9.0.1-10.9.0.254,10.8.0.1-10.8.0.9", cut where it gets too long for a message */
struct pool_str {
	char s[256];
};
struct pool_str pool_text(const struct pool *pool);

/*
 * The first address after last (family 0 or outside the pool: from the start)
 * that accept() returns FOUND for. FOUND_NOT when it does for none, FOUND_FAILED
 * as soon as it does. With FOUND_NOT it may set *ip to a later one, up to which it
 * would return it as well.
 */
enum found pool_walk(const struct pool *pool, const struct ip *last,
		     enum found (*accept)(void *arg, struct ip *ip, struct cni_error *err), void *arg,
		     struct ip *ret, struct cni_error *err);

#endif
