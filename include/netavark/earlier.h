/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attachment that Podman has forgotten. Podman calls `setup` for a container that it knows no network of;
 * if it was killed after an earlier setup, that one's interface is still there, in a namespace that Podman
 * does not use any more.
 */
#ifndef NETAVARK_EARLIER_H
#define NETAVARK_EARLIER_H

#include <stdbool.h>

/* Has the container an interface of that name in another namespace than the one that the path leads to? What
 * cannot be looked at is left to ADD. Logs what it has found. */
bool earlier_find(const char *container, const char *ifname, const char *netns);

#endif
