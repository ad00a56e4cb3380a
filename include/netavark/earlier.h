/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attachment that Podman has forgotten. If Podman was killed after `setup`, it calls `setup` again for
 * the container, in another namespace. The earlier interface still exists in the earlier namespace.
 */
#ifndef NETAVARK_EARLIER_H
#define NETAVARK_EARLIER_H

#include <stdbool.h>

/* Has the container an interface of that name in another namespace than netns? Then it logs that. False also
 * if the ledger cannot be read: ADD reports that. */
bool earlier_find(const char *container, const char *ifname, const char *netns);

#endif
