/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes and objects that the keys hostRoutes, reflector, hostAccess, proxyArp and ipMasq add to
 * the result of the IPAM plugin.
 *
 *	reach_pod()	addresses and routes, before the pod's interface gets them
 *	reach_host()	objects on the host, after it has
 */
#ifndef PLUGIN_REACH_H
#define PLUGIN_REACH_H

#include "plugin/conf.h"
#include "plugin/iface.h"
#include "plugin/ledger.h"

/* CNI_CONFIG if a key cannot work on this master. */
int reach_pod(struct iface *iface, const struct conf *conf, struct result *given, struct cni_error *err);

/* Adds the objects to the page of this ADD and makes them. If it fails, host_undo() removes them.
 * CNI_RETRY: another call has released the attachment meanwhile. */
int reach_host(struct iface *iface, const struct conf *conf, const struct result *given, struct page *page,
	       struct cni_error *err);

/* Adds n objects to the page of this ADD and makes them. Of objects that programs make, it makes
 * those of the page from number first on. CNI_RETRY: another call has released the attachment
 * meanwhile. */
int reach_hold(struct iface *iface, struct page *page, struct object *objects, size_t n, size_t first,
	       struct cni_error *err);

/* Of addresses that pods may get. */
struct families {
	bool v4, v6;
};

/* For STATUS. CNI_CONFIG names what on the host would make an ADD with conf on the master fail:
 * another attachment's object, or another tool's route, interface or qdisc. master->index 0: ADD makes it. */
int reach_check(struct rtnl *host, const struct conf *conf, const struct link *master,
		const struct families *pods, struct cni_error *err);

#endif
