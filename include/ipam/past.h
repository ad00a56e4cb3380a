/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes about addresses that are not leased:
 *
 *	released/10.9.0.2 -> "1f2e3d4c 86123"      the boot, and the seconds since it
 *	released/since -> "1f2e3d4c 86000"         when the first note in "released" was written
 *	released.old/10.9.0.3 -> "1f2e3d4c 85990"  older notes, which are deleted next
 *	sticky/0:default%2fweb-0 -> "10.9.0.2"     by pool and name
 *	sticky/0@1 -> "0:default%2fweb-0"          by pool and the address's position in it: an address
 *	                                           has at most one name, and a pool at most 4096
 *	full/0 -> "1f2e3d4c 1764311123.004 10.9.0.2-10.9.0.5"    a pool without a free address, with the
 *	                                           ctime of the leases' directory
 *
 * If a note cannot be written, the call reports that on stderr and succeeds. The notes cannot grow without
 * limit: a note of a release stays for twice the reuseDelay, and until the next release; in a pool with more
 * than 4096 addresses, addresses whose positions differ by a multiple of 4096 share one slot, and only the
 * last name stays.
 */
#ifndef IPAM_PAST_H
#define IPAM_PAST_H

#include <stdint.h>

#include "ipam/store.h"

/* Notes that ip was released. delay: reuseDelay, in seconds. */
void past_released(const struct store *store, const struct ip *ip, long long delay);

/* How many of the delay's seconds ip must still wait after its release; 0: it need not wait. */
long long past_waits(const struct store *store, const struct ip *ip, long long delay);
/* Calls each() for all addresses that must wait. */
void past_each_waiting(const struct store *store, long long delay,
		       void (*each)(void *arg, const struct ip *ip), void *arg);
/* Removes the note of the release: ip is leased again. */
void past_given(const struct store *store, const struct ip *ip);

/* The address of pool number n that name had last; family 0: none. position: the address's position in its
 * pool, see pool_position(). */
struct ip past_of(const struct store *store, size_t n, const char *name);
void past_remember(const struct store *store, size_t n, const char *name, const struct ip *ip,
		   uint64_t position);

/* Notes that pool number n, whose ranges are text, has no free address. The note is void as soon as a
 * program, also host-local, adds or removes a lease. */
void past_full(const struct store *store, size_t n, const char *text);
bool past_was_full(const struct store *store, size_t n, const char *text);

#endif
