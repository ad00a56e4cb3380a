/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network namespaces that exist: one list for the whole program.
 *
 * A namespace exists while a thread is in it, a descriptor or a socket holds it, or it is mounted
 * somewhere (ip netns, CRI runtimes). Only a process in the first pid namespace sees all of that,
 * from Linux 5.6 on. The time to read the list grows with the number of processes and descriptors:
 * hold no lock meanwhile.
 */
#ifndef NET_ALIVE_H
#define NET_ALIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/netns.h"

struct alive {
	struct way *ways; /* sorted by inode; several may lead to one namespace */
	size_t n;
	/* there may be more: held by processes outside our pid namespace; or by sockets, before Linux 5.6,
	 * or if Yama hides them (ptrace_scope 3) */
	bool partial;
	char unseen[256]; /* what could not be read, and why; "": nothing */
};

/* Never fails: partial and unseen report what the list lacks. */
void alive_read(struct alive *ret);
void alive_free(struct alive *alive);

/* Reads quickly, and only, the namespaces that are mounted in our mount namespace; others may
 * exist. */
void alive_read_mounted(struct alive *ret);

/*
 * Does the namespace exist? FOUND_FAILED: it is not in the list, but the list is not complete. If
 * another namespace has its inode now, the answer is FOUND_NOT if both cookies can be read, else
 * FOUND.
 */
enum found alive_find(struct alive *alive, const struct netns_id *netns);

/* The same for callers that know from DEL or GC that the pod has ended: a namespace that our pid
 * namespace does not show counts as not existing. */
enum found alive_seen(struct alive *alive, const struct netns_id *netns);

/* As alive_seen(), and opens the namespace; the caller closes *ret. FOUND_FAILED, with err: it
 * exists and cannot be opened, or it is not known whether it exists. Errors: CNI_IO. */
enum found alive_open(struct alive *alive, const struct netns_id *netns, int *ret, struct cni_error *err);

/*
 * Calls each() once for every namespace except our own, until it returns other than 0. Returns the
 * last result of each(). path is a name of the namespace for messages only. netns -1: the namespace
 * cannot be opened, and path is a sentence that says so.
 */
int alive_each(const struct alive *alive,
	       int (*each)(int netns, const char *path, void *arg, struct cni_error *err), void *arg,
	       struct cni_error *err);

#endif
