/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of leases: whether their attachments still exist.
 *
 * This takes two steps. states_read() reads leases and records from the store. states_judge() searches
 * /proc for their namespaces, which may take seconds, while no store is open. The leases may change
 * meanwhile: whoever acts on a state must open the store and compare the lease first.
 */
#ifndef IPAM_STATE_H
#define IPAM_STATE_H

#include "ipam/lease.h"
#include "ipam/record.h"
#include "ipam/store.h"

enum state {
	LIVE,	 /* the namespace exists */
	STALE,	 /* the namespace is gone */
	EARLIER, /* leased in an earlier boot */
	UNKNOWN, /* host-local leased it in this boot, it has no namespace, or the search failed */
	EMPTY,	 /* an empty file: the address is free */
	OTHERS,	 /* leased by another network of the pool */
};

struct states {
	struct leases leases;
	struct origin *origins; /* of the leases, in their order */
	enum state *states;
};

/* Reads all leases for which wanted() is true (all, if wanted is NULL), with their origins. Does not set the
 * states. states_free() in any case. Errors: CNI_IO, CNI_RETRY. */
int states_read(struct states *ret, const struct store *store,
		bool (*wanted)(void *arg, const struct lease *lease), void *arg, struct cni_error *err);

/* Sets the states. No store should be open. */
void states_judge(struct states *states);

/* Does both for the network's store, without its lock. */
int states_find(struct states *ret, const struct place *place,
		bool (*wanted)(void *arg, const struct lease *lease), void *arg, struct cni_error *err);

void states_free(struct states *states);

#endif
