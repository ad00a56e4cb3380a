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
 * with the lowest metric, of IPv4 if there is one, else of IPv6. CNI_CONFIG.
 */
int master_find(struct rtnl *nl, const char *name, struct link *ret, struct cni_error *err);

/*
 * Can ipvlan use the link? The kernel says EBUSY or EINVAL and no more; this
 * names what is in the way. Returns 0 when nothing is, else -1 with CNI_CONFIG.
 */
int master_usable(struct rtnl *nl, const struct link *master, struct cni_error *err);

/* The name of the master that conf has made when it is missing: a VLAN of parent, or
 * a dummy for network. CNI_CONFIG when it is too long. */
int master_name(const struct conf *conf, const char *parent, const char *network, char ret[IFNAMSIZ],
		struct cni_error *err);

/* The MTU that a slave may have: what is larger than the master's vanishes on
 * the wire although the kernel takes it. CNI_CONFIG. */
int master_check_mtu(const struct link *master, unsigned int mtu, struct cni_error *err);

#endif
