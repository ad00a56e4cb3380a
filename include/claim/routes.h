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
 *
 * A route exists only while the node has a note of its block or identity: it is made after the first note
 * of the block, before the note that lets addrpool assign addresses, and it is removed before the note is.
 * So the notes name all routes that a call may have left when it was killed, or when the kernel refused.
 */
#ifndef CLAIM_ROUTES_H
#define CLAIM_ROUTES_H

#include "claim/claim.h"

/* Both may be repeated. block_route_add() does nothing without "blockRoutes", and in a call that may have an
 * earlier configuration. It reports a failure on stderr: block_routes_follow() of a later call makes up for
 * it. block_route_delete() fails with CNI_INTERNAL, CNI_IO: then the note must stay. */
void block_route_add(const struct node *node, const struct prefix *block);
int block_route_delete(const struct prefix *block, struct cni_error *err);

/*
 * Makes the routes of blocks that count and of held identities, and removes those of all other notes; if
 * "blockRoutes" is false, those of all notes, but not in a call that may have an earlier configuration: pods
 * may use routes of which that knows nothing. Changes no other route. block_routes_mend() does the same, and
 * reports a failure on stderr. Errors: CNI_INTERNAL, CNI_IO, CNI_RETRY.
 */
int block_routes_follow(const struct node *node, struct cni_error *err);
void block_routes_mend(const struct node *node);

#endif
