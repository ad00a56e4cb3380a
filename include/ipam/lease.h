/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: files named by their address. The store must be open. Whoever writes must have locked it.
 */
#ifndef IPAM_LEASE_H
#define IPAM_LEASE_H

#include <stdbool.h>
#include <time.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "ipam/store.h"

struct owner {
	const char *container;
	const char *ifname; /* "": a lease of host-local before 0.8, for any interface */
};

struct lease {
	struct ip ip;
	struct owner owner; /* container "": the file is empty, the address is free */
	char *text;	    /* owner points into it */
	struct timespec since;
};

struct leases {
	struct lease *list;
	size_t n;
};

bool owner_equal(const struct owner *a, const struct owner *b);

/* Is there a lease of ip? An empty file is not a lease. */
enum found lease_exists(const struct store *store, const struct ip *ip, struct cni_error *err);
enum found lease_is_of(const struct store *store, const struct ip *ip, const struct owner *owner,
		       struct cni_error *err);

/* The lease of ip; the caller frees its text. FOUND_NOT: there is none, or it is not a regular file. */
enum found lease_read(struct lease *ret, const struct store *store, const struct ip *ip,
		      struct cni_error *err);

/*
 * Leases addresses in two steps. lease_write() writes the lease to a temporary file. lease_take() links it to
 * all addresses, or to none, and removes the temporary file; lease_unwrite() only removes it. Errors: CNI_IO,
 * CNI_ENVIRONMENT, CNI_RETRY.
 */
int lease_write(const struct store *store, const struct owner *owner, struct cni_error *err);
int lease_take(struct store *store, const struct ip *ips, size_t n, struct cni_error *err);
void lease_unwrite(const struct store *store);
/* Removes the lease. Succeeds if it does not exist. */
int lease_drop(struct store *store, const struct ip *ip, struct cni_error *err);

/* All leases, unsorted, with empty files. leases_read_names() fills only the addresses, and opens no file.
 * leases_free() in any case. */
int leases_read(struct leases *ret, const struct store *store, struct cni_error *err);
int leases_read_names(struct leases *ret, const struct store *store, struct cni_error *err);
void leases_free(struct leases *leases);
int lease_by_address(const void *a, const void *b); /* for qsort() and bsearch() */

#endif
