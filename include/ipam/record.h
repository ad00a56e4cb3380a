/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we know of an attachment, found by its name in one step: its addresses,
 * and the boot and the network namespace that they were given to.
 *
 *	owner/c1:eth0 -> "1f2e3d4c 4026532345/1001 10.9.0.2 fd00::2"
 *	owner/c1:net1 -> "1f2e3d4c 4026532345/1001 @lan 10.9.0.3"    of a network that shares the store
 *("pool")
 *
 * A symbolic link: it is made with its content in one system call, or not.
 */
#ifndef IPAM_RECORD_H
#define IPAM_RECORD_H

#include "ipam/lease.h"
#include "net/netns.h"

#define RECORD_MAX 64 /* addresses; of more, or of a name too long, all leases are asked */

/* A network's name where others have leases in the same store; a long one is cut, with a hash of the whole
 * behind it. "": the store is its own, or nobody knows. */
struct network_mark {
	char s[64];
};

/* What an attachment's leases were given to. All 0: nobody knows. */
struct origin {
	struct boot boot;
	struct netns_id netns;
	struct network_mark network;
};

/* What the leases of the network are marked with. */
struct network_mark network_mark(const struct place *place);

/* Whose lease it is, that is in the store of the place. */
enum network_owner { NETWORK_OURS, NETWORK_OTHER, NETWORK_UNKNOWN };
enum network_owner origin_owner(const struct origin *origin, const struct place *place);

struct record {
	struct origin origin;
	bool many; /* nothing else is known than that there are more than RECORD_MAX */
	struct ip ips[RECORD_MAX];
	size_t n;
};

/*
 * The addresses of owner, each verified in its lease. Leases without an
 * interface count when there are no others (*legacy). FOUND_NOT: none. Where a record
 * names a lease that is not its owner's, somebody has written there, and all leases are asked.
 */
enum found record_find(struct record *ret, const struct store *store, const struct owner *owner, bool *legacy,
		       struct cni_error *err);

/* As it is written, not verified, also for one that has no addresses any more. FOUND_FAILED:
 * there is one, but it cannot be read (errno), or is damaged (EBADMSG). Then the leases must be asked. */
enum found record_get(struct record *ret, const struct store *store, const struct owner *owner);
int record_put(struct store *store, const struct owner *owner, const struct record *record,
	       struct cni_error *err);
void record_drop(struct store *store, const struct owner *owner);

/* Leases of owner have gone: leaves in the record those that have not, or drops it. */
int record_settle(struct store *store, const struct owner *owner, struct cni_error *err);

/* Reads the origin of a lease from its owner's record, if the record lists the address. Otherwise the
 * lease has none: host-local has made it, or the record is damaged. Errors: CNI_IO. */
int origin_of(struct origin *ret, const struct store *store, const struct lease *lease,
	      struct cni_error *err);
bool origin_equal(const struct origin *a, const struct origin *b);

/* Makes all records agree with the leases. */
int records_rebuild(struct store *store, struct cni_error *err);

#endif
