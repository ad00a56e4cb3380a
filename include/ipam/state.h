/*
 * What has become of those who have leases.
 */
#ifndef IPAM_STATE_H
#define IPAM_STATE_H

#include "ipam/lease.h"
#include "ipam/store.h"
#include "net/alive.h"

enum state {
	LIVE,
	STALE,	 /* the namespace is gone */
	EARLIER, /* leased in an earlier boot */
	UNKNOWN, /* leased by host-local in this boot, or for no namespace */
	EMPTY,	 /* a file without content, which is none */
};

enum state lease_state(struct alive *alive, const struct store *store, const struct lease *lease);

#endif
