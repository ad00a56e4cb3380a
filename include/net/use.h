/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has somebody come to use a link?
 */
#ifndef NET_USE_H
#define NET_USE_H

#include "net/link.h"

/*
 * Has the link addresses, routes, links above it, or queueing disciplines that the kernel
 * has not made by itself, and that are not ours? *what is a word for the first that was
 * found. Slaves in other namespaces are not looked for: they go with their master, and
 * ipvlan's own are in the ledger.
 */
enum found link_in_use(struct rtnl *nl, const struct link *link, const char **what, struct cni_error *err);

#endif
