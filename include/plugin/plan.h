/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's routes for the routes of a result, on one interface.
 *
 * A result lists routes with or without a gateway. The plan makes one multipath route of those to
 * one destination, drops duplicates, and adds the gateway of the address family to a route without
 * one. It marks a gateway as on-link if it is in no subnet of the interface: the kernel would
 * refuse it with "Nexthop has invalid gateway".
 */
#ifndef PLUGIN_PLAN_H
#define PLUGIN_PLAN_H

#include <stddef.h>

#include "cni/error.h"
#include "cni/result.h"
#include "net/addr.h"

/* Next hops of one route; so many fit into one request. */
#define PLAN_HOPS_MAX 128

struct plan {
	struct route *routes;
	size_t n_routes;
	struct nexthop *hops; /* of all routes, in their order */
};

/* CNI_CONFIG if a destination has too many gateways. */
int plan_make(struct plan *ret, const struct result *result, struct cni_error *err);
void plan_free(struct plan *plan);

#endif
