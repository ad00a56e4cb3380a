/*
 * Which network namespaces live, to tell what nobody needs any more.
 *
 * A namespace lives while a thread is in it, a descriptor or a socket holds it, or
 * it is mounted somewhere (ip netns, CRI runtimes). All of that is seen from the
 * first pid namespace alone, from Linux 5.6 on; elsewhere nothing is called dead.
 */
#ifndef NET_ALIVE_H
#define NET_ALIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/netns.h"

struct alive {
	struct seen *seen; /* by inode */
	size_t n;
	bool complete; /* what is not in the list is dead */
};

/* Never fails: what could not be read leaves it incomplete. */
void alive_read(struct alive *ret);
void alive_free(struct alive *alive);

/* FOUND_FAILED: nobody knows. Whose inode another namespace has by now is FOUND_NOT, if
 * both cookies can be had; if not, it passes for alive. */
enum found alive_find(struct alive *alive, const struct netns_id *netns);

#endif
