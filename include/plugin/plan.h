/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the routes of a result mean on one interface.
 *
 * A result lists routes with or without gateway. The plan groups those to one
 * destination into one multipath route, drops repetitions, fills in the gateway
 * of the address family where a route names none, and marks gateways that no
 * address of the interface covers as on-link, which the kernel would otherwise
 * refuse with "Nexthop has invalid gateway".
 */
#ifndef PLUGIN_PLAN_H
#define PLUGIN_PLAN_H

#include <stddef.h>

#include "cni/error.h"
#include "cni/result.h"
#include "net/addr.h"

/* Next hops of one route; all of them fit into one request. */
#define PLAN_HOPS_MAX 128

struct plan {
	struct route *routes;
	size_t n_routes;
	struct nexthop *hops; /* of all routes, in their order */
};

/* Fails with CNI_CONFIG when a destination has too many gateways. */
int plan_make(struct plan *ret, const struct result *result, struct cni_error *err);
void plan_free(struct plan *plan);

#endif
