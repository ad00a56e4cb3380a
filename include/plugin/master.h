/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master: the interface that a pod's ipvlan slave sits on.
 */
#ifndef PLUGIN_MASTER_H
#define PLUGIN_MASTER_H

#include "cni/error.h"
#include "net/link.h"
#include "net/rtnl.h"
#include "plugin/conf.h"

/*
 * Finds the link called name or, when it is NULL, the one of the default route
 * with the lowest metric, of IPv4 if there is one, else of IPv6. CNI_CONFIG, also where the kernel is too old
 * for all that an ADD does.
 */
int master_find(struct rtnl *nl, const char *name, struct link *ret, struct cni_error *err);

/*
 * Can ipvlan use the link? The kernel says EBUSY or EINVAL and no more; this
 * names what is in the way. Returns 0 when nothing is, else -1 with CNI_CONFIG.
 */
int master_usable(struct rtnl *nl, const struct link *master, struct cni_error *err);

/*
 * Finds the master that ADD makes when it is missing: the VLAN of parent, whatever its
 * name, or a dummy for network. FOUND_NOT: it is missing, and ret->name is the name that ADD
 * gives it; index 0. CNI_CONFIG: that name is too long.
 */
enum found master_made(struct rtnl *nl, const struct conf *conf, const struct link *parent,
		       const char *network, struct link *ret, struct cni_error *err);

/* The MTU that a slave may have: what is larger than the master's vanishes on
 * the wire although the kernel takes it. CNI_CONFIG. */
int master_check_mtu(const struct link *master, unsigned int mtu, struct cni_error *err);

/* Fails with CNI_RETRY if the master is down and ADD needs it up: for a route by a gateway
 * on it, or to ask the LAN. */
int master_check_up(const struct link *master, const struct conf *conf, struct cni_error *err);

/* The same for key, whatever the configuration says. */
int master_must_be_up(const struct link *master, const char *key, struct cni_error *err);

/* Does the configuration need routes on the host, which a VRF of the master would not use?
 * CNI_CONFIG. */
int master_check_vrf(struct rtnl *nl, const struct link *master, const struct conf *conf,
		     struct cni_error *err);

/* Detection of duplicates of IPv6 addresses in l2 needs a carrier. CNI_RETRY. */
int master_check_carrier(const struct link *master, const struct conf *conf, struct cni_error *err);

#endif
