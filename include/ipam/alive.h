/*
 * Which network namespaces live, to tell whose leases nobody needs any more.
 *
 * A namespace lives while a thread is in it, a descriptor holds it, or it is
 * mounted somewhere (ip netns, CRI runtimes). All of that is seen from the first
 * pid namespace alone; elsewhere nothing is called dead.
 */
#ifndef IPAM_ALIVE_H
#define IPAM_ALIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ipam/record.h"

struct alive {
	ino_t *netns; /* sorted */
	size_t n;
	bool complete; /* what is not in the list is dead */
};

/* Never fails: what could not be read leaves it incomplete. */
void alive_read(struct alive *ret);
void alive_free(struct alive *alive);

/* What has become of those who have leases. */
enum state {
	LIVE,
	STALE,	 /* the namespace is gone */
	EARLIER, /* leased in an earlier boot */
	UNKNOWN, /* leased by host-local in this boot, or for no namespace */
	EMPTY,	 /* a file without content, which is none */
};

enum state alive_state(const struct alive *alive, const struct store *store, const struct lease *lease);

#endif
