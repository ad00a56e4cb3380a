/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of addresses that nobody has:
 *
 *	released/10.9.0.2 -> "1f2e3d4c 86123"      boot, and seconds after it
 *	released/since -> "1f2e3d4c 86000"         when the first of them was written
 *	released.old/10.9.0.3 -> "1f2e3d4c 85990"  those of before, which go next
 *	sticky/0:default%2fweb-0 -> "10.9.0.2"     by pool and name
 *	sticky/0@1 -> "0:default%2fweb-0"          by pool and the address's place in it: each
 *	                                           address has one name at most, and a pool 4096
 *	full/0 -> "1f2e3d4c 1764311123.004 10.9.0.2-10.9.0.5"    a pool that had no free
 *	                                           address, and since when nothing has changed
 *
 * A failure to write here costs a convenience alone: it is reported on stderr, and the call
 * succeeds. All of it is bounded: what was released is kept for twice the reuseDelay, and
 * until the next release; of names the last 4096 addresses' alone are, of a pool that has
 * more than those.
 */
#ifndef IPAM_PAST_H
#define IPAM_PAST_H

#include <stdint.h>

#include "ipam/store.h"

/* delay: seconds that they have to wait. */
void past_released(const struct store *store, const struct ip *ip, long long delay);

/* Seconds that ip has still to wait after its release, of delay; 0: none. */
long long past_waits(const struct store *store, const struct ip *ip, long long delay);
/* Calls each() for all addresses that wait. */
void past_each_waiting(const struct store *store, long long delay,
		       void (*each)(void *arg, const struct ip *ip), void *arg);
void past_given(const struct store *store, const struct ip *ip);

/* The address that pool number n last gave to who comes as name; family 0: none.
 * position: the address's in its pool, see pool_position(). */
struct ip past_of(const struct store *store, size_t n, const char *name);
void past_remember(const struct store *store, size_t n, const char *name, const struct ip *ip,
		   uint64_t position);

/* Pool number n, which is called text, has no free address; that is so until anybody, if
 * only host-local, takes or releases a lease. */
void past_full(const struct store *store, size_t n, const char *text);
bool past_was_full(const struct store *store, size_t n, const char *text);

#endif
