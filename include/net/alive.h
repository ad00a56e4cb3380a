/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network namespaces that exist: one list for everybody who asks for them.
 *
 * A namespace exists while a thread is in it, a descriptor or a socket holds it, or
 * it is mounted somewhere (ip netns, CRI runtimes). All of that is seen from the
 * first pid namespace alone, from Linux 5.6 on. Reading the list takes as long as
 * there are processes and descriptors: no lock may be held meanwhile.
 */
#ifndef NET_ALIVE_H
#define NET_ALIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/netns.h"

struct alive {
	struct way *ways; /* by inode; several may lead into one namespace */
	size_t n;
	bool partial; /* there may be more: of processes outside of our pid namespace, or of sockets, which
		       * Linux before 5.6 does not show, nor where Yama forbids it (ptrace_scope 3) */
	char unseen[256]; /* what could not be looked at, and why; "": nothing */
};

/* Never fails: the list says itself what it lacks. */
void alive_read(struct alive *ret);
void alive_free(struct alive *alive);

/* The namespaces alone that are mounted where we see them: quickly, and others may exist. */
void alive_read_mounted(struct alive *ret);

/*
 * Does the namespace exist? FOUND_FAILED: it is not in the list, which is not
 * complete. When another namespace has the inode by now, the answer is FOUND_NOT if
 * both cookies can be read, and FOUND otherwise.
 */
enum found alive_find(struct alive *alive, const struct netns_id *netns);

/* The same for those who know from elsewhere that it is over, by DEL or GC: for them a
 * namespace that exists outside of what our pid namespace shows does not exist. */
enum found alive_seen(struct alive *alive, const struct netns_id *netns);

/* The same as alive_seen(), and opens it: the caller closes *ret. FOUND_FAILED, with err: it exists,
 * and cannot be opened, or nothing is known. Errors: CNI_IO. */
enum found alive_open(struct alive *alive, const struct netns_id *netns, int *ret, struct cni_error *err);

/*
 * Calls each() once with every namespace but our own, until it returns other than 0,
 * and returns what it did last. path names the namespace for a person, and for nothing
 * else. netns -1: the namespace cannot be opened, and path is a sentence that says so.
 */
int alive_each(const struct alive *alive,
	       int (*each)(int netns, const char *path, void *arg, struct cni_error *err), void *arg,
	       struct cni_error *err);

#endif
