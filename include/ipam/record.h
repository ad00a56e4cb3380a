/*
 * What we know of an attachment, found by its name in one step: its addresses,
 * and the boot and the network namespace that they were given to.
 *
 *	owner/c1:eth0 -> "1f2e3d4c 4026532345/1001 10.9.0.2 fd00::2"
 *
 * A symbolic link: it is made with its content in one system call, or not.
 */
#ifndef IPAM_RECORD_H
#define IPAM_RECORD_H

#include "ipam/lease.h"
#include "net/netns.h"

#define RECORD_MAX 64 /* addresses; of more, or of a name too long, all leases are asked */

struct record {
	struct boot boot;
	struct netns_id netns;
	bool many; /* nothing else is known than that there are more than RECORD_MAX */
	struct ip ips[RECORD_MAX];
	size_t n;
};

/*
 * The addresses of owner, each verified in its lease. Leases without an
 * interface count when there are no others (*legacy). FOUND_NOT: none.
 */
enum found record_find(struct record *ret, const struct store *store, const struct owner *owner, bool *legacy,
		       struct cni_error *err);

/* As it is written, not verified, also for one that has no addresses any more. FOUND_FAILED:
 * there is one, but it cannot be read. Then the leases must be asked. */
enum found record_get(struct record *ret, const struct store *store, const struct owner *owner);
int record_put(struct store *store, const struct owner *owner, const struct record *record,
	       struct cni_error *err);
void record_drop(struct store *store, const struct owner *owner);

/* Makes all records agree with the leases. */
int records_rebuild(struct store *store, struct cni_error *err);

#endif
