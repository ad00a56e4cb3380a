/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address ranges in a configuration of addrpool, host-local or static.
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
	bool gateway_given;   /* the configuration has the key */
};

struct ranges {
	struct address_range list[RANGES_MAX];
	size_t n;
	struct address_range backwards; /* a range whose start comes after its end; start.family 0: none */
	const json_t *exclude;		/* borrowed */
	bool pool;			/* addrpool or host-local leases them, in files */
};

/* plugin: the configuration of an ipvlan plugin. Skips ranges that cannot be read: ADD reports them. */
void ranges_read(struct ranges *ret, const json_t *plugin);

/* Adds the ranges of an "ipam" in addrpool's form. */
void ranges_read_sets(struct ranges *ret, const json_t *ipam);

/* Returns the range from which a pod may get the address, or NULL. */
const struct address_range *ranges_give(const struct ranges *ranges, const struct ip *ip);

/* Have both an address that a pod may get? *ret is the first one. */
bool ranges_meet(const struct ranges *a, const struct ranges *b, struct ip *ret);

/* "10.1.0.2-10.1.0.9" */
struct ip_str range_text(const struct address_range *range);

#endif
