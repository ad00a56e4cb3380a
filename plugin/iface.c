/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/iface.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cni/attachment.h"
#include "net/netns.h"
#include "plugin/master.h"

int iface_open(struct iface *ret, const struct conf *conf, const struct request *req, int netns,
	       struct cni_error *err)
{
	ret->req = req;
	ret->netns = netns;
	ret->home = conf->link_in_container ? &ret->pod : &ret->host;
	ret->link = ret->master = (struct link){ .index = 0 };
	ret->hosts = (struct host_ips){ .n = 0 };
	if (rtnl_open(&ret->host, -1, err) < 0)
		return -1;
	if (rtnl_open(&ret->pod, netns, err) < 0) {
		rtnl_close(&ret->host);
		return -1;
	}
	return 0;
}

void iface_close(struct iface *iface)
{
	rtnl_close(&iface->host);
	rtnl_close(&iface->pod);
}

/*
 * The temporary name of the slave, if the kernel does not accept the final one at once. It depends
 * only on the attachment, so DEL finds a slave that a killed ADD has left.
 */
static void iface_interim_name(const struct request *req, char ret[IFNAMSIZ])
{
	const uint64_t hash = attachment_hash(req->container, req->ifname);

	snprintf(ret, IFNAMSIZ, "ipv%012llx", (unsigned long long)(hash >> 16));
}

static int iface_report_taken(const struct iface *iface, struct cni_error *err)
{
	cni_fail(err, CNI_EXISTS, "failed to rename ipvlan to \"%s\": file exists", iface->req->ifname);
	return cni_hint(err,
			"%s has an interface of that name already, which was not changed; if an earlier ADD "
			"of this container has made it, run DEL first",
			iface->req->netns);
}

/* Adds the link of that name to ret if it is an ipvlan slave. */
static int iface_find_slave(struct rtnl *pod, const char *name, const struct request *req,
			    struct iface_links *ret, struct cni_error *err)
{
	struct link link;
	enum found found = link_find(pod, name, &link, err);

	if (found != FOUND)
		return (int)found;
	if (!strcmp(link.kind, "ipvlan"))
		ret->index[ret->n++] = link.index;
	else
		cni_log("%s in %s is not an ipvlan interface, but %s%s: it stays", name, req->netns,
			*link.kind ? "of kind " : "hardware", link.kind);
	return 0;
}

int iface_find_links(struct rtnl *pod, const struct request *req, struct iface_links *ret,
		     struct cni_error *err)
{
	char interim[IFNAMSIZ];

	*ret = (struct iface_links){ .n = 0 };
	iface_interim_name(req, interim);
	if (iface_find_slave(pod, req->ifname, req, ret, err) < 0)
		return -1;
	return iface_find_slave(pod, interim, req, ret, err);
}

int iface_delete(struct rtnl *pod, const struct iface_links *links, struct cni_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < links->n; i++)
		rc |= link_delete(pod, links->index[i], err);
	return rc;
}

/* Call it while the ledger is locked, and after iface_check_name(). */
static int iface_delete_found(struct iface *iface, struct cni_error *err)
{
	struct iface_links links;

	if (iface_find_links(&iface->pod, iface->req, &links, err) < 0)
		return -1;
	return iface_delete(&iface->pod, &links, err);
}

/* Creates the slave with the temporary name and renames it. */
static int iface_make_in_two_steps(struct iface *iface, const struct ipvlan *wanted, struct cni_error *err)
{
	struct ipvlan ipvlan = *wanted;
	char interim[IFNAMSIZ];
	struct link link;
	int error;

	iface_interim_name(iface->req, interim);
	if (iface_delete_found(iface, err) < 0)
		return EIO;
	ipvlan.name = interim;
	error = ipvlan_create(iface->home, &ipvlan, err);
	if (error)
		return error;
	if (link_find(&iface->pod, interim, &link, err) != FOUND)
		return EIO;
	error = link_rename(&iface->pod, link.index, wanted->name, NULL);
	if (!error)
		return 0;
	link_delete(&iface->pod, link.index, NULL);
	if (error == EEXIST)
		iface_report_taken(iface, err);
	else
		cni_fail(err, CNI_INTERNAL, "failed to rename ipvlan to \"%s\": %s", wanted->name,
			 errno_text(error));
	return error;
}

static int iface_make(struct iface *iface, const struct conf *conf, int flags, struct cni_error *err)
{
	struct ipvlan ipvlan = {
		.name = iface->req->ifname,
		.parent = iface->master.index,
		.mode = conf->mode,
		.flags = flags,
		.mtu = conf->mtu,
		.netns = conf->link_in_container ? -1 : iface->netns,
	};
	struct cni_error why = { 0 };
	int error = ipvlan_create(iface->home, &ipvlan, &why);

	/* before Linux 6.15 the name must be free in our namespace too */
	if (error == EEXIST) {
		why = (struct cni_error){ 0 };
		error = iface_make_in_two_steps(iface, &ipvlan, &why);
	}
	if (!error)
		return 0;
	/* without an answer the link may exist; it is ours, since the name was free */
	if (error == EIO)
		iface_delete_found(iface, NULL);
	if ((error == EBUSY || error == EINVAL) && master_usable(iface->home, &iface->master, err) < 0)
		return -1;
	if (why.code == CNI_EXISTS) {
		cni_fail(err, CNI_EXISTS, "%s", why.msg);
		return cni_hint(err, "%s", why.details);
	}
	cni_fail(err, CNI_INTERNAL, "failed to create ipvlan: %s", why.msg);
	if (error == EOPNOTSUPP)
		return cni_hint(
			err, "this kernel has no ipvlan: load the module (modprobe ipvlan) or use a kernel "
			     "with CONFIG_IPVLAN");
	if (error == EPERM)
		return cni_hint(
			err,
			"creating interfaces requires root (CAP_NET_ADMIN) in the namespace of the master");
	return cni_hint(err, "%s", why.details);
}

int iface_prepare(struct iface *iface, const struct conf *conf, struct cni_error *err)
{
	const char *ifname = iface->req->ifname;

	/* the kernel would replace %d by a number, and DEL would not find the interface */
	if (strchr(ifname, '%'))
		return cni_fail(err, CNI_ENVIRONMENT, "interface name contains %%: \"%s\"", ifname);
	if (!conf->internal && (master_find(iface->home, conf->master, &iface->master, err) < 0 ||
				master_check_mtu(&iface->master, conf->mtu, err) < 0))
		return -1;
	return 0;
}

/* Checked first: an ADD that fails must not change an interface of that name. */
int iface_check_name(struct iface *iface, struct cni_error *err)
{
	struct link link;
	enum found found = link_find(&iface->pod, iface->req->ifname, &link, err);

	return found == FOUND ? iface_report_taken(iface, err) : (int)found;
}

int iface_create(struct iface *iface, const struct conf *conf, int flags, struct cni_error *err)
{
	const char *ifname = iface->req->ifname;

	if (iface_make(iface, conf, flags, err) < 0)
		return -1;
	if (link_find(&iface->pod, ifname, &iface->link, err) == FOUND)
		return 0;
	iface_delete_found(iface, NULL);
	return cni_fail(err, CNI_INTERNAL,
			"failed to refetch ipvlan \"%s\": it was deleted or renamed meanwhile", ifname);
}
