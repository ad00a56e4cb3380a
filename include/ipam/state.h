/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has become of those who have leases.
 *
 * It takes two steps. What leases and records say is read from the store; who lives is
 * read from /proc, which may take seconds, while no store is open. What is decided then
 * is about what was read before: whoever acts on it opens the store and makes sure that
 * it still is so.
 */
#ifndef IPAM_STATE_H
#define IPAM_STATE_H

#include "ipam/lease.h"
#include "ipam/record.h"
#include "ipam/store.h"

enum state {
	LIVE,
	STALE,	 /* the namespace is gone */
	EARLIER, /* leased in an earlier boot */
	UNKNOWN, /* leased by host-local in this boot, or for no namespace */
	EMPTY,	 /* a file without content, which is none */
	OTHERS,	 /* of another network of the pool */
};

struct states {
	struct leases leases;
	struct origin *origins; /* of the leases, in their order */
	enum state *states;
};

/* All leases for which wanted() is true, or NULL: all, and their origins; the states are
 * not known yet. states_free() in any case. Errors: CNI_IO, CNI_RETRY. */
int states_read(struct states *ret, const struct store *store,
		bool (*wanted)(void *arg, const struct lease *lease), void *arg, struct cni_error *err);

/* Decides. No store should be open. */
void states_judge(struct states *states);

/* The same of the network's store, without waiting for its lock, and without keeping it. */
int states_find(struct states *ret, const struct place *place,
		bool (*wanted)(void *arg, const struct lease *lease), void *arg, struct cni_error *err);

void states_free(struct states *states);

#endif
