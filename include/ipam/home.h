/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores in which a network may have leases, also after "pool" was added, changed or removed:
 *
 *	<dataDir>/<network>                            its own one: its leases without "pool"
 *	<dataDir>/<pool>                               the leases of all networks with that "pool"
 *	<dataDir>/.addrpool/<network>/pool -> "lan"    the mark: the pools in which it may have leases
 *
 * ADD moves the network's leases into its present store, so it assigns no address that a pod of the network
 * has. If another attachment has the address of a lease there, the lease stays where it is until its DEL. A
 * lease of an earlier boot does not stay: addrpool releases it, since no DEL may come.
 *
 * ADD writes the mark "lan/wan" before it moves the first lease, and "lan" after the last one, or "lan/wan"
 * again if some stay in wan.
 *
 * DEL, CHECK and GC move nothing, but look in all stores. Runtimes such as Multus and CRI-O call DEL and
 * CHECK with the configuration of the pod's ADD, in which "pool" may be another one.
 *
 * A call locks all these stores, in the order of their names, and reads the mark again. If another call has
 * changed the mark meanwhile, it begins anew. So two calls that find the same mark exclude each other.
 *
 * With "cluster" no lease moves: the node has no blocks of a pool with another name.
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

/* Opens all stores that exist. FOUND_NOT: there is none. FOUND_FAILED: at least one could not be opened.
 * Those that could are open, and DEL and GC release what is in them. homes_close() in any case. Errors: as
 * home_open(). */
enum found homes_open(struct homes *ret, const struct place *place, struct cni_error *err);
void homes_close(struct homes *homes);

#endif
