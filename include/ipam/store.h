/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases on disk, in host-local's format, so that both programs can work on the same directory at the same
 * time:
 *
 *	<dataDir>/<network>/lock                flock()ed by every program that works there
 *	<dataDir>/<network>/10.9.0.2            a lease: "container\r\ninterface"
 *	<dataDir>/<network>/last_reserved_ip.0  the last assigned address, by pool
 *
 * addrpool's own data is in another directory, which host-local never reads:
 *
 *	<dataDir>/.addrpool/<network>/owner/<container>:<interface>    see ipam/record.h
 *	<dataDir>/.addrpool/<network>/{released,sticky}/…              see ipam/past.h
 *	<dataDir>/.addrpool/<network>/new       a lease being written
 *
 * addrpool writes a lease to "new" and link(2)s it into place; on a file system without hard links it copies
 * the file and rename(2)s the copy. So a lease exists with its whole content or not at all. Between
 * store_open() and store_close() no other process, host-local included, changes anything.
 *
 * The seal: the records of owners are complete if only addrpool has changed leases since it last wrote
 * records. Therefore store_close() finally sets the mtime of both directories to a value that no clock
 * shows. Every file system can store that value, also one that keeps only even seconds. A program that adds
 * or removes a lease or a record, and a call that is killed before its end, leave another mtime. Then, and
 * after each boot, store_open() makes the records again from the leases.
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
	int leases, meta, lock;	     /* host-local's directory, addrpool's, the locked file */
	const char *data_dir, *name; /* the path, for messages; borrowed from the place */
	bool fsync;
	bool changed; /* this call broke the seal */
	bool spoiled; /* a change failed half-way: the next call must make the records again */
	struct boot boot;
};

#define STORE_LINK_MAX 1023	   /* bytes of a symbolic link's target: XFS stores no more */
#define STORE_FILE_MODE 0600	   /* host-local's */
#define STORE_COPY ".addrpool.new" /* a lease being written, on a file system without hard links */

/*
 * Opens and locks the store of a network. Waits for the lock for at most a minute (CNI_RETRY).
 * FOUND_NOT: there is no store; with create, store_open() makes it. Errors: CNI_IO.
 */
enum found store_open(struct store *ret, const struct place *place, bool create, struct cni_error *err);

/* Opens the store only for reading: locks, makes and seals nothing. FOUND_NOT: there is no store. */
enum found store_look(struct store *ret, const struct place *place, struct cni_error *err);

/* Seals, unlocks and closes the store. */
void store_close(struct store *store);

/*
 * Fail with CNI_IO: name, in one of the two directories, cannot be written or removed, for errno. The message
 * has the whole path. Details have the remedy, if errno has one.
 */
int store_cannot_write(const struct store *store, int directory, const char *name, struct cni_error *err);
int store_cannot_remove(const struct store *store, int directory, const char *name, struct cni_error *err);

/* Adds the remedy for error, an errno, to err. Returns -1. */
int store_remedy(int error, struct cni_error *err);

/* The address that pool number n assigned last; family 0: unknown. */
struct ip store_last(const struct store *store, size_t n);
int store_set_last(struct store *store, size_t n, const struct ip *ip, struct cni_error *err);

#endif
