/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hairpin: a link receives the packets that it sends to its own MAC address.
 *
 * The slaves of a link have its MAC address. A packet that the host sends to a slave over the link
 * goes out to the LAN, which does not return it. The link does not receive the slaves' ARP requests
 * for the host's addresses either. A BPF program (of type BPF_PROG_TYPE_SCHED_CLS) at the link's
 * egress redirects to the link's ingress:
 *
 *	- packets whose destination is the sender's MAC address,
 *	- copies of ARP and of neighbour solicitations to all hosts, unless the sender has no address yet.
 *
 * There ipvlan_handle_mode_l2() of drivers/net/ipvlan/ipvlan_core.c passes them to the slaves or to
 * the host. So host and slaves are neighbours as on any LAN, with the addresses and the MAC address
 * that they have at the time. The settings of rp_filter and arp_ignore do not matter.
 *
 * The program is a filter in the qdisc clsact of the link, where others may have filters as well.
 * All other packets go on to those filters.
 */
#ifndef NET_HAIRPIN_H
#define NET_HAIRPIN_H

#include "cni/error.h"
#include "net/rtnl.h"

/* Fails with CNI_CONFIG if the link has the qdisc "ingress", with which hairpin_add() fails. */
int hairpin_check(struct rtnl *nl, int link, struct cni_error *err);

/* Succeeds if it exists. Errors: CNI_CONFIG, if the link has the qdisc "ingress", which excludes
 * clsact, or the kernel has no BPF. */
int hairpin_add(struct rtnl *nl, int link, struct cni_error *err);
enum found hairpin_find(struct rtnl *nl, int link, struct cni_error *err);

/* Has hairpin_add() made the qdisc, and is its filter the only one in it? */
enum found hairpin_is_alone(struct rtnl *nl, int link, struct cni_error *err);

/* Deletes the qdisc as well, if hairpin_is_alone(). Succeeds if there is no hairpin. */
int hairpin_delete(struct rtnl *nl, int link, struct cni_error *err);

#endif
