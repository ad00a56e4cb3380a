/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of a network, also after "pool" was added, changed or removed.
 *
 *	<dataDir>/<network>                            the network's leases without "pool"
 *	<dataDir>/<pool>                               the leases of all networks with that "pool"
 *	<dataDir>/.addrpool/<network>/pool -> "lan"    the last pool of the network, if it had one
 *
 * The first call that opens the network's new store moves its leases there, one at a time; if the network had
 * another pool before, the first ADD or GC. So addrpool knows
 * the addresses of all pods before it assigns another. For a moment a lease is in both stores, never in none.
 * If another attachment has its address in the new store, the lease stays in the old one until its DEL;
 * home_open() reports that.
 *
 * With "cluster" it moves no leases, since the node has no blocks of a pool with another name.
 */
#ifndef IPAM_HOME_H
#define IPAM_HOME_H

#include <limits.h>

#include "ipam/store.h"

struct last_pool {
	char s[NAME_MAX + 1];
};

/* As store_open(), for the network's present store; moves leases into it. */
enum found home_open(struct store *ret, const struct place *place, bool create, struct cni_error *err);

/*
 * As home_open() for DEL and CHECK: opens the pool of the network's last ADD, if that has leases. Runtimes
 * such as Multus and CRI-O call both with the configuration of the pod's ADD, which may be older: they must
 * not move leases out of a pool, since its other networks would assign these addresses. place->store may
 * point to *last from then on.
 */
enum found home_open_last(struct store *ret, struct place *place, struct last_pool *last,
			  struct cni_error *err);

/* The place of leases that stay in the network's own store although it has "pool". False: there are none. */
bool home_left_behind(struct place *ret, const struct place *place);

#endif
