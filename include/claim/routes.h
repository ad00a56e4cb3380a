/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "blockRoutes": the node's blocks as routes of its kernel. A routing daemon announces them, so that other
 * nodes and routers reach the node's pods in l3:
 *
 *	unreachable 10.9.0.16/28 proto 105
 *
 * They do not carry packets to pods, since ipvlan takes these before routing. A packet for an address without
 * a pod is refused here, instead of being sent back. The route to a block of one address has a metric, so
 * that the route of "hostAccess" to the pod precedes it.
 */
#ifndef CLAIM_ROUTES_H
#define CLAIM_ROUTES_H

#include "cni/ip.h"

/* Both may be repeated. They report failures on stderr. */
void block_route_add(const struct prefix *block);
void block_route_delete(const struct prefix *block);

#endif
