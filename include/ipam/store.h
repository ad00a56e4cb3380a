/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases on disk, in host-local's format, so that both work on the same
 * directory at the same time:
 *
 *	<dataDir>/<network>/lock                flock()ed by whoever works there
 *	<dataDir>/<network>/10.9.0.2            a lease: "container\r\ninterface"
 *	<dataDir>/<network>/last_reserved_ip.0  where the search goes on, by pool
 *
 * and what only we know, beside it, where host-local never looks:
 *
 *	<dataDir>/.addrpool/<network>/owner/<container>:<interface>    see ipam/record.h
 *	<dataDir>/.addrpool/<network>/{released,sticky}/…              see ipam/past.h
 *	<dataDir>/.addrpool/<network>/new       a lease being written
 *
 * A lease is written there and link(2)ed into place, or copied and rename(2)d where
 * there are no links: it exists with its whole content or not at all. Between
 * store_open() and store_close() nobody else, host-local included, changes anything.
 *
 * The seal: records of owners are complete if nobody but us has changed the
 * leases since we last did. So the last thing that store_close() does is to set
 * the mtime of both directories to a value that no clock shows, and that any file
 * system can keep, also one that knows whole seconds, or every other second, alone;
 * whoever adds or removes a lease or a record, and whoever is killed before he is
 * done, leaves another one. After that, and after each boot, records are made again from the
 * leases.
 */
#ifndef IPAM_STORE_H
#define IPAM_STORE_H

#include <stdbool.h>
#include <time.h>

#include "cni/error.h"
#include "cni/file.h"
#include "cni/ip.h"
#include "ipam/conf.h"

struct store {
	int leases, own, lock;	     /* directories, the locked file */
	const char *data_dir, *name; /* where they are, for messages; borrowed from the place */
	bool fsync;
	bool changed; /* the seal is broken, by us */
	bool spoiled; /* a change failed half-way: no seal before the records are made again */
	struct boot boot;
};

#define STORE_FILE_MODE 0600	   /* host-local's */
#define STORE_COPY ".addrpool.new" /* a lease being written, where no link can put it into place */

/*
 * Opens and locks the store of a network, waiting a minute at most (CNI_RETRY).
 * FOUND_NOT when there is none, unless it is to be created. Errors: CNI_IO.
 */
enum found store_open(struct store *ret, const struct place *place, bool create, struct cni_error *err);

/* To read, while others go on; nothing is locked, made or sealed. FOUND_NOT as above. */
enum found store_look(struct store *ret, const struct place *place, struct cni_error *err);

/* Seals and unlocks. */
void store_close(struct store *store);

/*
 * Fail with CNI_IO: name, in one of the two directories, cannot be written, or removed, as errno says.
 * The message has the whole path, and details the remedy, where there is one.
 */
int store_cannot_write(const struct store *store, int directory, const char *name, struct cni_error *err);
int store_cannot_remove(const struct store *store, int directory, const char *name, struct cni_error *err);

/* Adds the remedy to an error that has error, an errno. Returns -1. */
int store_remedy(int error, struct cni_error *err);

/* The address that pool number n gave last; family 0 when that is not known. */
struct ip store_last(const struct store *store, size_t n);
int store_set_last(struct store *store, size_t n, const struct ip *ip, struct cni_error *err);

#endif
