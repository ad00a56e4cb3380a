/*
 * The pod's interface: made, furnished, compared, unmade.
 *
 *	ADD	iface_open  iface_prepare  iface_create  (IPAM)  iface_configure
 *	CHECK	iface_open                               (IPAM)  iface_verify
 *	DEL	            iface_delete                 (IPAM)
 *
 * iface_create() is all or nothing. What comes after it is not: whoever fails
 * then calls iface_delete(), which needs nothing but namespace and name.
 */
#ifndef PLUGIN_IFACE_H
#define PLUGIN_IFACE_H

#include "cni/error.h"
#include "cni/plugin.h"
#include "cni/result.h"
#include "net/link.h"
#include "net/rtnl.h"
#include "plugin/conf.h"

struct iface {
	const struct request *req;
	int netns; /* the pod's; borrowed */
	struct rtnl host;
	struct rtnl pod;
	struct rtnl *home; /* of the two, the one where the master is */
	struct link master;
	struct link link;
	struct ip host_ips[2]; /* with hostAccess: the host's on the master, IPv4 and IPv6 */
};

int iface_open(struct iface *ret, const struct conf *conf, const struct request *req, int netns,
	       struct cni_error *err);
void iface_close(struct iface *iface);

/*
 * Finds the master and sees that the name is free; changes nothing. SPEC, ADD: an
 * existing interface of that name is an error, and is left alone: CNI_EXISTS.
 * CNI_CONFIG when there is no such master, or its MTU is too small.
 */
int iface_prepare(struct iface *iface, const struct conf *conf, struct cni_error *err);

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

/*
 * Deletes the pod's interface, or what a killed ADD left of it. Nothing there is
 * success; what is no ipvlan interface is not ours and stays.
 */
int iface_delete(const struct request *req, int netns, struct cni_error *err);

#endif
