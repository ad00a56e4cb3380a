/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does anything else use a link that we have made?
 */
#ifndef NET_USE_H
#define NET_USE_H

#include "net/link.h"

/*
 * Does the link have addresses, routes, links above it, or queueing disciplines that neither the
 * kernel nor we have made? *what is a word for the first that was found. Slaves in other namespaces
 * are not searched: the kernel deletes them with their master, and ours are in the ledger.
 */
enum found link_in_use(struct rtnl *nl, const struct link *link, const char **what, struct cni_error *err);

#endif
