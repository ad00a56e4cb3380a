/*
 * Giving leases back.
 */
#ifndef IPAM_RELEASE_H
#define IPAM_RELEASE_H

#include "ipam/lease.h"

/* All leases of owner; there being none is no error. */
int release_owner(struct store *store, const struct place *place, const struct owner *owner,
		  struct cni_error *err);

/*
 * All leases of those for whom unneeded() is true, and empty files. *n counts them.
 * Each is told on stderr, with the reason that why() gives.
 */
int release_if(struct store *store, const struct place *place,
	       const char *(*why)(void *arg, const struct lease *lease), void *arg, size_t *n,
	       struct cni_error *err);

/* Leases whose boot is over or whose namespace is gone. */
int release_dead(struct store *store, const struct place *place, size_t *n, struct cni_error *err);

#endif
