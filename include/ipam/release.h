/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Releases leases.
 */
#ifndef IPAM_RELEASE_H
#define IPAM_RELEASE_H

#include "ipam/state.h"

/* Releases all leases of owner. Succeeds if there is none. */
int release_owner(struct store *store, const struct place *place, const struct owner *owner,
		  struct cni_error *err);

/*
 * Releases all leases for which why() returns a reason, except those that have changed since their states
 * were found. Reports each on stderr with the reason. *n counts them.
 */
int release_all(struct store *store, const struct place *place, const struct states *states,
		const char *(*why)(enum state state), size_t *n, struct cni_error *err);

/* Releases a lease of an earlier boot, and reports it. FOUND_NOT: it is not, or that is unknown. */
enum found release_earlier(struct store *store, const struct place *place, const struct lease *lease,
			   struct cni_error *err);

/* Why an ADD without a free address may release the lease; NULL: it may not. */
const char *why_dead(enum state state);

#endif
