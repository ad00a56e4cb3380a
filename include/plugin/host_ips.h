/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's addresses on a master, by which pods with hostAccess reach the host.
 */
#ifndef PLUGIN_HOST_IPS_H
#define PLUGIN_HOST_IPS_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "net/rtnl.h"

#define HOST_IPS_MAX 64 /* to others the pod uses its other routes */

struct host_ips {
	struct ip ips[HOST_IPS_MAX];
	size_t n;
	struct ip main[2]; /* IPv4, IPv6: the host's source address; family 0: none */
};

/*
 * Reads the master's addresses of global scope that are neither temporary, tentative nor
 * duplicates. main prefers an address with a subnet that is not secondary: an address that moves
 * between hosts (VRRP) is a single address, or the second one of a subnet.
 */
int host_ips_read(struct host_ips *ret, struct rtnl *host, int master, struct cni_error *err);

/*
 * Does a pod in l2 require a permanent neighbour entry for the host's IPv4 address? With arp_ignore
 * 0 or 1 on the master the host answers ARP; with 2 only if the address is in the pod's subnet,
 * with 8 never (net/ipv4/arp.c, arp_ignore()).
 */
bool host_ips_silent(const struct ip *ip, const char *master);

#endif
