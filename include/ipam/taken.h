/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where in a full pool there is nothing to look for: runs of 256 addresses, from one whose
 * last byte is 0 on, all of which are leased.
 *
 *	taken/10.9.3.0 -> "all"
 *
 * Noted by the ADD that has looked at each, and void before one of them is released. So an
 * ADD in a pool that is nearly full looks at runs rather than at addresses. What others
 * release is known when the records are made again, which forgets all runs.
 */
#ifndef IPAM_TAKEN_H
#define IPAM_TAKEN_H

#include <stdbool.h>

#include "ipam/store.h"

bool taken_is_first(const struct ip *ip); /* of its run */
bool taken_is_last(const struct ip *ip);
struct ip taken_last(const struct ip *ip); /* that of its run */

/* Are all of the run of ip leased? false: nobody knows. */
bool taken_whole(const struct store *store, const struct ip *ip);
void taken_note(const struct store *store, const struct ip *ip);

/* Before ip is released. Returns 0, or -1 with errno. */
int taken_break(const struct store *store, const struct ip *ip);
void taken_forget(const struct store *store);

#endif
