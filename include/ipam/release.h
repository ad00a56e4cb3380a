/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving leases back.
 */
#ifndef IPAM_RELEASE_H
#define IPAM_RELEASE_H

#include "ipam/state.h"

/* All leases of owner; there being none is no error. */
int release_owner(struct store *store, const struct place *place, const struct owner *owner,
		  struct cni_error *err);

/*
 * All leases for which why() returns a reason, if they have not changed since their states
 * were found. Each is reported on stderr with the reason. *n counts them.
 */
int release_all(struct store *store, const struct place *place, const struct states *states,
		const char *(*why)(enum state state), size_t *n, struct cni_error *err);

/* Why an ADD that finds nothing else may take it; NULL: it may not. */
const char *why_dead(enum state state);

#endif
