/*
 * Which network namespaces live, to tell what nobody needs any more.
 *
 * A namespace lives while a thread is in it, a descriptor or a socket holds it, or
 * it is mounted somewhere (ip netns, CRI runtimes). All of that is seen from the
 * first pid namespace alone, from Linux 5.6 on; elsewhere nothing is called dead.
 */
#ifndef CNI_ALIVE_H
#define CNI_ALIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cni/error.h"

struct alive {
	ino_t *netns; /* sorted */
	size_t n;
	bool complete; /* what is not in the list is dead */
};

/* Never fails: what could not be read leaves it incomplete. */
void alive_read(struct alive *ret);
void alive_free(struct alive *alive);

/* Does the namespace with this inode live? FOUND_FAILED: nobody knows. */
enum found alive_find(const struct alive *alive, ino_t netns);

#endif
