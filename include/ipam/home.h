/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of a network, also after "pool" was written, changed or removed.
 *
 *	<dataDir>/<network>                         the network's own leases, without "pool"
 *	<dataDir>/<pool>                            those of all networks with that "pool"
 *	<dataDir>/.addrpool/<network>/pool -> "lan"    where the network's were last, if that is a pool
 *
 * What the network has in another store than the one it is to have now is moved there by whoever opens it
 * first, a lease at a time: so an address that a pod has is known before another one is given. A lease is in
 * both stores for a moment, never in none. One whose address somebody else has in the new store stays where
 * it is until its DEL, and is reported.
 *
 * Not where a cluster shares the addresses: of a pool of another name the node has no blocks.
 */
#ifndef IPAM_HOME_H
#define IPAM_HOME_H

#include "ipam/store.h"

/* As store_open(). */
enum found home_open(struct store *ret, const struct place *place, bool create, struct cni_error *err);

/* The place of what stays in the network's own store although it has a pool. False: there is none. */
bool home_left_behind(struct place *ret, const struct place *place);

#endif
