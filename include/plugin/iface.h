/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod's interface: how the verbs make, configure, check and delete it.
 *
 *	ADD	iface_open  iface_prepare  iface_create    (IPAM)  iface_configure
 *	CHECK	iface_open                                 (IPAM)  iface_verify
 *	DEL	            iface_find_links  iface_delete (IPAM)
 *
 * iface_create() makes nothing if it fails. If a later step fails, the caller deletes the interface
 * by its index.
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
	struct rtnl *home; /* host or pod, where the master is */
	struct link master;
	struct link link;
	struct host_ips hosts; /* with hostAccess */
	bool guarded;	       /* a pod with antiSpoof guards the master: plugin/fence.h */
};

int iface_open(struct iface *ret, const struct conf *conf, const struct request *req, int netns,
	       struct cni_error *err);
void iface_close(struct iface *iface);

/*
 * Finds the master; changes nothing. CNI_CONFIG if there is none, or its MTU is too small.
 */
int iface_prepare(struct iface *iface, const struct conf *conf, struct cni_error *err);

/* CNI_EXISTS if the pod has an interface of that name; SPEC, ADD: it must not be changed. */
int iface_check_name(struct iface *iface, struct cni_error *err);

/*
 * Creates the interface in the pod with its final name, down, and fills iface->link. flags:
 * IPVLAN_F_*; -1: those of the master. CNI_CONFIG if the master cannot have ipvlan slaves, else
 * CNI_INTERNAL with the kernel's message.
 */
int iface_create(struct iface *iface, const struct conf *conf, int flags, struct cni_error *err);

/*
 * Adds addresses, sets the interface up, adds routes, and announces the addresses if conf requires
 * it, all in one request to the kernel. CNI_CONFLICT if another slave of the master, or the host,
 * has an address.
 */
int iface_configure(struct iface *iface, const struct conf *conf, const struct result *given,
		    struct cni_error *err);

/*
 * Compares the interface with configuration and prevResult. CNI_DAMAGED names the first difference.
 * Routes may be in another table: plugins that follow in a chain (sbr, vrf) move them.
 */
int iface_verify(struct iface *iface, const struct conf *conf, struct cni_error *err);

/* The ipvlan interfaces of an attachment: the one with its name, and one that a killed ADD has
 * left. */
struct iface_links {
	int index[2];
	size_t n;
};

/* An interface of that name that is not an ipvlan slave is not ours: iface_find_links() omits it. */
int iface_find_links(struct rtnl *pod, const struct request *req, struct iface_links *ret,
		     struct cni_error *err);
int iface_delete(struct rtnl *pod, const struct iface_links *links, struct cni_error *err);

#endif
