/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses that a configuration's IPAM gives out, and the routes of its pods, as far as
 * the configuration says: of addrpool, host-local and static.
 */
#ifndef CTL_RANGES_H
#define CTL_RANGES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cni/ip.h"

#define RANGES_MAX 64

struct address_range {
	struct prefix subnet; /* without host bits */
	struct ip start, end; /* inclusive */
	struct ip gateway;    /* family 0: none */
	bool gateway_given;   /* by the key */
};

struct ranges {
	struct address_range list[RANGES_MAX];
	size_t n;
	struct address_range
		backwards;     /* one whose start comes after its end; start.family 0: there is none */
	const json_t *exclude; /* borrowed */
	bool pool;	       /* they are leased by files of addrpool or host-local */
};

/* plugin: the configuration of an ipvlan plugin. What cannot be read is left out: ADD says so. */
void ranges_read(struct ranges *ret, const json_t *plugin);

/* Adds those that "ipam" has as addrpool's does. */
void ranges_read_sets(struct ranges *ret, const json_t *ipam);

/* The range that may give the address to a pod, or NULL. */
const struct address_range *ranges_give(const struct ranges *ranges, const struct ip *ip);

/* The first address that both give, if any. */
bool ranges_meet(const struct ranges *a, const struct ranges *b, struct ip *ret);

/* "10.1.0.2-10.1.0.9" */
struct ip_str range_text(const struct address_range *range);

#endif
