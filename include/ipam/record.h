/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of an attachment, found by its name in one step: its addresses, and the boot and the network
 * namespace that they were leased for.
 *
 *	owner/c1:eth0 -> "1f2e3d4c 4026532345/1001 10.9.0.2 fd00::2"
 *	owner/c1:net1 -> "1f2e3d4c 4026532345/1001 @lan 10.9.0.3"    network lan, in a store with "pool"
 *
 * A record is a symbolic link, since one system call makes it with its content.
 */
#ifndef IPAM_RECORD_H
#define IPAM_RECORD_H

#include "ipam/lease.h"
#include "net/netns.h"

#define RECORD_MAX 64 /* addresses; for more, or for a name that is too long, all leases are read */

/* The name of a network in a store with "pool"; a long name is cut and followed by a hash of the whole.
 * "": the store belongs to one network, or the network is unknown. */
struct network_mark {
	char s[64];
};

/* The boot, network namespace and network that an attachment's leases are for. All 0: unknown. */
struct origin {
	struct boot boot;
	struct netns_id netns;
	struct network_mark network;
};

/* The mark of the network's leases. */
struct network_mark network_mark(const struct place *place);

/* Which network a lease in the place's store belongs to. */
enum network_owner { NETWORK_OURS, NETWORK_OTHER, NETWORK_UNKNOWN };
enum network_owner origin_owner(const struct origin *origin, const struct place *place);

struct record {
	struct origin origin;
	bool many; /* more addresses than a record has room for; all else is unknown */
	struct ip ips[RECORD_MAX];
	size_t n;
};

/*
 * Finds the addresses of owner, each verified in its lease. *legacy: owner has only leases without an
 * interface. FOUND_NOT: it has none. If the record names a lease of another owner, another program has
 * changed leases; record_find() then reads all leases.
 */
enum found record_find(struct record *ret, const struct store *store, const struct owner *owner, bool *legacy,
		       struct cni_error *err);

/* Reads the record without verifying it; it may have no addresses. FOUND_FAILED: there is a record, but it
 * cannot be read (errno), or is damaged (EBADMSG). Then the caller must read the leases. */
enum found record_get(struct record *ret, const struct store *store, const struct owner *owner);
bool record_has(const struct record *record, const struct ip *ip);
int record_put(struct store *store, const struct owner *owner, const struct record *record,
	       struct cni_error *err);
void record_drop(struct store *store, const struct owner *owner);

/* Takes out of the record the addresses that owner no longer leases; drops a record without addresses. */
int record_settle(struct store *store, const struct owner *owner, struct cni_error *err);

/* Reads the origin of a lease from its owner's record, if the record lists the address. Otherwise the origin
 * is unknown: host-local made the lease, or the record is damaged. Errors: CNI_IO. */
int origin_of(struct origin *ret, const struct store *store, const struct lease *lease,
	      struct cni_error *err);
/* Was the lease made before this boot? False if that is unknown. */
bool origin_is_earlier(const struct origin *origin, const struct boot *boot);
bool origin_equal(const struct origin *a, const struct origin *b);

/* Makes all records agree with the leases. */
int records_rebuild(struct store *store, struct cni_error *err);

#endif
