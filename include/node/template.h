/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network configuration for all nodes, and what each node puts into it.
 *
 * In each string of the template the node replaces:
 *
 *	{{node}}	its name
 *	{{master}}	the link to which its default route leads; IPv6's if it has none of IPv4
 *	{{ipv4}}	the address of this link by which others reach it; {{ipv6}}
 *	{{subnet4}}	the address's subnet, as 192.0.2.0/24; {{subnet6}}
 *
 * All but the first may say which link they mean:
 *
 *	{{master by route 192.0.2.1}}	the link by which the node sends to this address
 *	{{master by name en*,eth0}}	the first link whose name matches a pattern of the list
 *	{{master by subnet 192.0.2.0/24}}	the first link with an address in the subnet
 */
#ifndef NODE_TEMPLATE_H
#define NODE_TEMPLATE_H

#include <jansson.h>

#include "cni/error.h"
#include "net/rtnl.h"

/*
 * A new document. host: the namespace whose links are meant. NULL with CNI_CONFIG: an expression is wrong,
 * or the node has no such link or address; CNI_IO, CNI_INTERNAL.
 */
json_t *template_fill(const json_t *template, struct rtnl *host, const char *node, struct cni_error *err);

#endif
