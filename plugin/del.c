/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/cleanup.h"
#include "net/alive.h"
#include "plugin/conf.h"
#include "plugin/delegate.h"
#include "plugin/iface.h"
#include "plugin/release.h"
#include "plugin/verbs.h"

/* The namespace of CNI_NETNS, and the attachment's page. */
struct del {
	const struct request *req;
	const char *ipam;
	enum netns opened;     /* CNI_NETNS */
	struct cni_error why;  /* it could not be opened */
	int netns;	       /* -1: it is not open */
	struct netns_id named; /* its id */
	struct rtnl pod;       /* in it */
	struct release release;
	bool known;
};

/* Does the interface of that name in the namespace belong to another attachment? */
static enum found del_is_theirs(const struct del *del, const struct netns_id *netns, struct cni_error *err)
{
	const struct attachment own = { del->req->container, del->req->ifname };
	struct page page;
	enum found found = page_of_interface(&page, &del->release.ledger, &own, netns, own.ifname, err);

	if (found != FOUND)
		return found;
	cni_log("interface %s in %s belongs to container %s: it stays", own.ifname, page.path,
		page.container);
	page_free(&page);
	return FOUND;
}

/* Finds the interface first, then its owner: an interface that another ADD makes after that has
 * another index. */
static int del_delete_in(const struct del *del, struct rtnl *pod, const struct netns_id *netns,
			 struct cni_error *err)
{
	struct iface_links links;
	enum found theirs;

	if (iface_find_links(pod, del->req, &links, err) < 0)
		return -1;
	theirs = del_is_theirs(del, netns, err);
	if (theirs != FOUND_NOT)
		return theirs == FOUND ? 0 : -1;
	return iface_delete(pod, &links, err);
}

/* CNI_NETNS no longer names the attachment's namespace: finds it by its id. */
static int del_delete_elsewhere(const struct del *del, struct cni_error *err)
{
	const struct netns_id *netns = &del->release.page.netns;
	autoclose int fd = -1;
	struct alive alive;
	struct rtnl pod;
	enum found found;
	int rc;

	alive_read(&alive);
	found = alive_open(&alive, netns, &fd, err);
	alive_free(&alive);
	if (del->netns >= 0)
		cni_log("DEL: CNI_NETNS=%s is not the namespace of container %s, which %s", del->req->netns,
			del->req->container, found == FOUND_NOT ? "no longer exists" : "is another one");
	if (found != FOUND)
		return (int)found;
	if (rtnl_open(&pod, fd, err) < 0)
		return -1;
	rc = del_delete_in(del, &pod, netns, err);
	rtnl_close(&pod);
	return rc;
}

static int del_delete_link(struct del *del, struct cni_error *err)
{
	const struct netns_id *netns = &del->release.page.netns;

	if (del->known && netns->inode && (del->netns < 0 || !netns_is(netns, &del->named)))
		return del_delete_elsewhere(del, err);
	if (del->netns < 0) /* the namespace does not exist, so neither does the link */
		return 0;
	delegate_release_by_link(del->req, del->ipam);
	return del_delete_in(del, &del->pod, &del->named, err);
}

/* For `ipvlanctl gc`: another container may have the name since gc has read the list. */
static int del_check_gone(const struct del *del, struct cni_error *err)
{
	const struct netns_id *netns = &del->release.page.netns;
	struct alive alive;
	enum found found;

	if (!del->known || !netns->inode)
		return 0;
	alive_read(&alive);
	found = alive_find(&alive, netns);
	alive_free(&alive);
	if (found == FOUND_NOT)
		return 0;
	return cni_fail(err, CNI_EXISTS, "the network namespace of container %s exists", del->req->container);
}

/*
 * If the pod may still have its interface, its address stays leased and its objects stay on the
 * host: no other pod may get the address. The runtime calls DEL again. A page finds the namespace
 * wherever CNI_NETNS leads now: /proc/PID/ns/net may be the host's.
 */
static int del_release(struct del *del, struct cni_error *err)
{
	const bool by_id = del->known && del->release.page.netns.inode;
	int rc;

	if ((del->req->only_gone && del_check_gone(del, err) < 0) || del_delete_link(del, err) < 0)
		return -1;
	rc = del->ipam ? delegate_run(del->req, del->ipam, "DEL", err) : 0;
	if (release_host(&del->release, err) < 0 || rc < 0)
		return -1;
	if (del->opened == NETNS_OURS && !by_id) {
		*err = del->why;
		return -1;
	}
	return 0;
}

static int del_by_name(struct del *del, struct rtnl *host, struct cni_error *err)
{
	const struct attachment who = { del->req->container, del->req->ifname };
	enum found found = release_begin(&del->release, host, &who, del->req->name, true, err);
	int rc;

	if (found == FOUND_FAILED)
		return -1;
	del->known = found == FOUND;
	rc = del_release(del, err);
	release_end(&del->release);
	return rc;
}

static int del_open_pod(struct del *del, struct cni_error *err)
{
	if (del->netns < 0)
		return 0;
	if (rtnl_open(&del->pod, del->netns, err) < 0)
		return -1;
	del->named = netns_id_by(del->netns, mnl_socket_get_fd(del->pod.sock));
	return 0;
}

static int del_with(struct del *del, struct cni_error *err)
{
	struct rtnl host;
	int rc;

	if (del_open_pod(del, err) < 0)
		return -1;
	rc = rtnl_open(&host, -1, err);
	if (rc == 0) {
		rc = del_by_name(del, &host, err);
		rtnl_close(&host);
	}
	if (del->netns >= 0)
		rtnl_close(&del->pod);
	return rc;
}

/* SPEC, DEL: succeeds if parts are missing, and if it is called again. */
int verb_del(const struct request *req, struct cni_error *err)
{
	struct cni_error unreadable = { 0 };
	struct del del = { .req = req, .opened = NETNS_GONE };
	autoclose int netns = -1;
	bool readable = conf_read_ipam(&del.ipam, req, &unreadable) == 0;

	if (*req->netns)
		del.opened = netns_open(req->netns, req->our_netns_allowed, &netns, &del.why);
	if (del.opened == NETNS_FAILED) {
		*err = del.why;
		return -1;
	}
	if (*del.why.msg)
		cni_log("DEL: %s", del.why.msg);
	del.netns = netns;
	if (del_with(&del, err) < 0)
		return -1;
	if (!readable)
		*err = unreadable;
	return readable ? 0 : -1;
}
