/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "blockRoutes": the node's blocks as routes of its kernel, for a routing daemon to
 * export, so that other nodes and routers know where pods in l3 are:
 *
 *	unreachable 10.9.0.16/28 proto 105
 *
 * Nothing is sent by them: what comes for a pod is the pod's before it is routed, and
 * what is for no pod is refused here instead of going back to where it came from.
 */
#ifndef CLAIM_ROUTES_H
#define CLAIM_ROUTES_H

#include "cni/ip.h"

/* Both may be repeated; what goes wrong is told on stderr. */
void block_route_add(const struct prefix *block);
void block_route_delete(const struct prefix *block);

#endif
