/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hairpin: a link takes in again what it sends to its own MAC address.
 *
 * The slaves of a link have its MAC address. What the host sends to one of them by the link
 * goes out to the LAN, which does not send it back; nor does the link hear the slaves ask for
 * the host's addresses. A program (BPF, of type BPF_PROG_TYPE_SCHED_CLS) at the link's egress
 * sends back to its ingress:
 *
 *	- what has the sender's MAC address as destination,
 *	- copies of ARP and of neighbour solicitations to all, unless the sender has no address yet.
 *
 * There drivers/net/ipvlan/ipvlan_core.c, ipvlan_handle_mode_l2(), gives it to the slaves or to
 * the host. So host and slaves are neighbours like any others on the LAN: by the addresses and
 * the MAC address that they have at the time, whatever rp_filter or arp_ignore say.
 *
 * The program sits in the qdisc clsact of the link, where others may have filters as well. What
 * is not for it goes on to these.
 */
#ifndef NET_HAIRPIN_H
#define NET_HAIRPIN_H

#include "cni/error.h"
#include "net/rtnl.h"

/* Would hairpin_add() find the qdisc "ingress"? CNI_CONFIG. */
int hairpin_check(struct rtnl *nl, int link, struct cni_error *err);

/* Succeeds if it exists. Errors: CNI_CONFIG, if the link has the qdisc "ingress", which excludes
 * clsact, or the kernel has no BPF. */
int hairpin_add(struct rtnl *nl, int link, struct cni_error *err);
enum found hairpin_find(struct rtnl *nl, int link, struct cni_error *err);

/* Has hairpin_add() made the qdisc, and is its filter the only one there? */
enum found hairpin_is_alone(struct rtnl *nl, int link, struct cni_error *err);

/* Deletes the qdisc as well, if hairpin_is_alone(). Succeeds if there is no hairpin. */
int hairpin_delete(struct rtnl *nl, int link, struct cni_error *err);

#endif
