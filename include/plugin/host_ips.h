/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's addresses on a master, under which pods with hostAccess reach it.
 */
#ifndef PLUGIN_HOST_IPS_H
#define PLUGIN_HOST_IPS_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "net/rtnl.h"

#define HOST_IPS_MAX 64 /* the rest are reached by whatever way the pod has */

struct host_ips {
	struct ip ips[HOST_IPS_MAX];
	size_t n;
	struct ip main[2]; /* IPv4, IPv6: what the host sends from; family 0: none */
};

/*
 * Of global scope, not temporary, not in doubt. Among several, main is one that has a
 * subnet and is not secondary: addresses that move from host to host (VRRP) are
 * added as a single address, or as a second one of a subnet.
 */
int host_ips_read(struct host_ips *ret, struct rtnl *host, int master, struct cni_error *err);

/*
 * Does a pod in l2 require a permanent neighbour entry for the host's address? The host
 * answers for an IPv4 address on a master whose arp_ignore is 0 or 1; with 2 the answer
 * depends on the pod's subnet, and with 8 there is none (net/ipv4/arp.c, arp_ignore()).
 */
bool host_ips_silent(const struct ip *ip, const char *master);

#endif
