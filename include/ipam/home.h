/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores of a network, also after "pool" was added, changed or removed.
 *
 *	<dataDir>/<network>                            the network's leases without "pool"
 *	<dataDir>/<pool>                               the leases of all networks with that "pool"
 *	<dataDir>/.addrpool/<network>/pool -> "lan"    the mark: the pools in which the network may have
 *leases, besides its own store; "lan/wan" while they move, or stay
 *
 * ADD moves the network's leases into its present store, one at a time, so addrpool knows the addresses of
 *all pods before it assigns another. The mark changes before the first lease moves. If another attachment has
 *a lease's address in the new store, the lease stays in the old one until its DEL; home_open() reports that.
 * DEL, CHECK and GC move nothing: runtimes such as Multus and CRI-O call DEL and CHECK with the configuration
 * of the pod's ADD, which may be older. They look in all stores.
 *
 * A call locks all stores that it uses, in the order of their names, and then reads the mark again: if
 *another call has changed it meanwhile, it starts again.
 *
 * With "cluster" no lease moves, since the node has no blocks of a pool with another name.
 */
#ifndef IPAM_HOME_H
#define IPAM_HOME_H

#include <limits.h>

#include "ipam/store.h"

#define HOMES_MAX 8

struct home_mark {
	char s[PATH_MAX];
};

struct home {
	struct place place; /* place.store: the name of this store */
	struct store store;
};

/* The place's strings are in it or borrowed, so it must stay where it was opened. */
struct homes {
	struct home list[HOMES_MAX];
	size_t n;
	struct home *present; /* NULL: it does not exist */
	struct home_mark mark, names;
};

/* Opens the network's present store for ADD; moves leases into it. Errors: as store_open(), CNI_CONFIG,
 * CNI_RETRY. */
int home_open(struct store *ret, const struct place *place, struct cni_error *err);

/* Opens all stores that exist and in which the network may have leases. FOUND_NOT: none exists. Errors: as
 * home_open(). homes_close() after FOUND. */
enum found homes_open(struct homes *ret, const struct place *place, struct cni_error *err);
void homes_close(struct homes *homes);

#endif
