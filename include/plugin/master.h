/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master: the interface to which a pod's ipvlan slave belongs.
 */
#ifndef PLUGIN_MASTER_H
#define PLUGIN_MASTER_H

#include "cni/error.h"
#include "net/link.h"
#include "net/rtnl.h"
#include "plugin/conf.h"

/*
 * Finds the link with that name. With name NULL: the link of the default route with the lowest
 * metric, of IPv4 if there is one, else of IPv6. CNI_CONFIG, also if the kernel is too old for ADD.
 */
int master_find(struct rtnl *nl, const char *name, struct link *ret, struct cni_error *err);

/* CNI_CONFIG if the link is lo, or not Ethernet: it carries neither ipvlan nor a VLAN. */
int master_check_type(const struct link *master, struct cni_error *err);

/*
 * Explains why ipvlan cannot use the link, for which the kernel returns only EBUSY or EINVAL.
 * Returns 0 if it finds no reason, else -1 with CNI_CONFIG.
 */
int master_usable(struct rtnl *nl, const struct link *master, struct cni_error *err);

/* Finds the VLAN of any name: the kernel allows one VLAN with an id on a link, and others may have made it.
 */
enum found master_find_vlan(struct rtnl *nl, int parent, unsigned int id, struct link *ret,
			    struct cni_error *err);

/*
 * Finds the master that ADD makes if it does not exist: the VLAN of parent, with any name, or a
 * dummy for network. FOUND_NOT: it does not exist; *ret is as it will be, with ret->index 0.
 * CNI_CONFIG: that name is too long.
 */
enum found master_made(struct rtnl *nl, const struct conf *conf, const struct link *parent,
		       const char *network, struct link *ret, struct cni_error *err);

/* CNI_CONFIG if mtu is too small, or larger than the master's: the kernel accepts that, but larger
 * packets are lost. */
int master_check_mtu(const struct link *master, unsigned int mtu, struct cni_error *err);

/* CNI_RETRY if the master is down and conf requires it up: for a route by a gateway on it, or to
 * send probes to the LAN. */
int master_check_up(const struct link *master, const struct conf *conf, struct cni_error *err);

/* CNI_RETRY if the master is down, which key requires up. */
int master_must_be_up(const struct link *master, const char *key, struct cni_error *err);

/* CNI_CONFIG if conf requires routes on the host and the master is in a VRF, which would not use
 * them. */
int master_check_vrf(struct rtnl *nl, const struct link *master, const struct conf *conf,
		     struct cni_error *err);

/* CNI_RETRY if the master has no carrier, which the key "dad" requires in l2. */
int master_check_carrier(const struct link *master, const struct conf *conf, struct cni_error *err);

#endif
