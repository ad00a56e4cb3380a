/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod's interface: made, furnished, compared, unmade.
 *
 *	ADD	iface_open  iface_prepare  iface_create    (IPAM)  iface_configure
 *	CHECK	iface_open                                 (IPAM)  iface_verify
 *	DEL	            iface_find_own  iface_delete   (IPAM)
 *
 * iface_create() is all or nothing. What comes after it is not: when it fails, the
 * interface is deleted by its index.
 */
#ifndef PLUGIN_IFACE_H
#define PLUGIN_IFACE_H

#include "cni/error.h"
#include "cni/plugin.h"
#include "cni/result.h"
#include "net/link.h"
#include "net/rtnl.h"
#include "plugin/conf.h"
#include "plugin/host_ips.h"

struct iface {
	const struct request *req;
	int netns; /* the pod's; borrowed */
	struct rtnl host;
	struct rtnl pod;
	struct rtnl *home; /* of the two, the one where the master is */
	struct link master;
	struct link link;
	struct host_ips hosts; /* with hostAccess */
	bool guarded;	       /* the master, by the fence of pods with antiSpoof */
};

int iface_open(struct iface *ret, const struct conf *conf, const struct request *req, int netns,
	       struct cni_error *err);
void iface_close(struct iface *iface);

/*
 * Finds the master; changes nothing. CNI_CONFIG when there is no such master, or its
 * MTU is too small.
 */
int iface_prepare(struct iface *iface, const struct conf *conf, struct cni_error *err);

/* SPEC, ADD: an interface of that name is an error, and is left alone. CNI_EXISTS. */
int iface_check_name(struct iface *iface, struct cni_error *err);

/*
 * Creates the interface in the pod under its final name, down, and fills
 * iface->link. flags: IPVLAN_F_*, -1 to leave the master's. CNI_CONFIG when the
 * master cannot carry it, CNI_INTERNAL with the kernel's words otherwise.
 */
int iface_create(struct iface *iface, const struct conf *conf, int flags, struct cni_error *err);

/*
 * Adds addresses, brings the interface up, adds routes, and lets the neighbours
 * know, if conf says so: all in one exchange with the kernel. CNI_CONFLICT when an address is
 * taken by another slave of the master or by the host itself.
 */
int iface_configure(struct iface *iface, const struct conf *conf, const struct result *given,
		    struct cni_error *err);

/*
 * Compares the interface with configuration and prevResult. CNI_DAMAGED names
 * the first difference. Routes may have moved to another table, since plugins
 * that come later in a chain (sbr, vrf) do that.
 */
int iface_verify(struct iface *iface, const struct conf *conf, struct cni_error *err);

/* The ipvlan interface that has the attachment's name, and what a killed ADD has left. */
struct own_links {
	int index[2];
	size_t n;
};

/* One of that name that is no ipvlan interface is not ours, and is not among them. */
int iface_find_own(struct rtnl *pod, const struct request *req, struct own_links *ret, struct cni_error *err);
int iface_delete(struct rtnl *pod, const struct own_links *links, struct cni_error *err);

#endif
