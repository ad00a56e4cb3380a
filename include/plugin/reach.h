/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who reaches whom: what the keys hostRoutes, reflector, hostAccess, proxyArp
 * and ipMasq add to what the IPAM has given.
 *
 *	reach_pod()	addresses and routes, before the pod's interface gets them
 *	reach_host()	objects on the host, after it has
 */
#ifndef PLUGIN_REACH_H
#define PLUGIN_REACH_H

#include "plugin/conf.h"
#include "plugin/iface.h"
#include "plugin/ledger.h"

/* CNI_CONFIG when what is asked for cannot work on this master. */
int reach_pod(struct iface *iface, const struct conf *conf, struct result *given, struct cni_error *err);

/* The objects go into the page of this ADD. What fails is left to host_undo(). CNI_RETRY:
 * another call has released the attachment meanwhile. */
int reach_host(struct iface *iface, const struct conf *conf, const struct result *given, struct page *page,
	       struct cni_error *err);

/* Has the page of this ADD hold n objects more, and makes them; those of programs from number first of the
 * page on. CNI_RETRY: another call has released the attachment meanwhile. */
int reach_hold(struct iface *iface, struct page *page, struct object *objects, size_t n, size_t first,
	       struct cni_error *err);

/* STATUS: does something on the host keep an ADD from what conf requires on the master: another
 * attachment's object, another tool's route, interface or qdisc? CNI_CONFIG names it. */
int reach_check(struct rtnl *host, const struct conf *conf, const struct link *master, struct cni_error *err);

#endif
