/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes of runs: 256 addresses that begin with one whose last byte is 0, all of them leased.
 *
 *	taken/10.9.3.0 -> "all"
 *
 * An ADD that has found all addresses of a run leased writes the note. A later ADD in a nearly full pool
 * skips the run. A call that releases an address removes the note first. If another program has released
 * addresses, records_rebuild() removes all notes.
 */
#ifndef IPAM_TAKEN_H
#define IPAM_TAKEN_H

#include <stdbool.h>

#include "ipam/store.h"

bool taken_is_first(const struct ip *ip); /* is ip the first of its run? */
bool taken_is_last(const struct ip *ip);
struct ip taken_last(const struct ip *ip); /* the last address of ip's run */

/* Are all addresses of ip's run leased? False: unknown. */
bool taken_whole(const struct store *store, const struct ip *ip);
void taken_note(const struct store *store, const struct ip *ip);

/* Removes the note of ip's run, before ip is released. Returns 0, or -1 with errno. */
int taken_break(const struct store *store, const struct ip *ip);
void taken_forget(const struct store *store);

#endif
