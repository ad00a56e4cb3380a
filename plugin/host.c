/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/host.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "net/netns.h"
#include "plugin/delegate.h"
#include "plugin/fence.h"
#include "plugin/guard.h"
#include "plugin/kinds.h"
#include "plugin/learn.h"
#include "plugin/master.h"
#include "plugin/release.h"
#include "plugin/repair.h"

/* The result of an attempt to attach, during which the ledger is locked: what must be done, without
 * the lock, before the next attempt. */
enum attempt {
	FAILED = -1,
	DONE,
	SURVEY,	 /* find slaves of the master in other namespaces */
	RELEASE, /* release an earlier attachment of this name */
	RIVAL,	 /* release another attachment that holds an object in the place of ours */
	REPAIR,	 /* make the anchor again, which other attachments hold */
};

/* More attempts than calls can cause by chance. */
#define ATTEMPTS 20

struct attaching {
	struct iface *iface;
	const struct conf *conf;
	struct page *page;
	struct ledger ledger;
	struct view view;
	struct survey survey;
	uint64_t surveyed;	/* hold_holders() of the master's anchor before the survey */
	struct link unsurveyed; /* the master that requires a survey */
	int surveys;		/* the lock of surveys; -1: not locked */
	struct rival rival;
	bool repaired;
	bool fenced; /* a VLAN was made on a link with a fence, which must know the VLAN */
	int lock;    /* of the page: DEL waits until the interface exists */
};

static struct object host_made_master(const struct conf *conf, int parent, const char *name)
{
	return conf->internal ? object_dummy(name, conf->mtu) : object_vlan(parent, conf->vlan, name);
}

/* Finds the master that ADD makes; ret->index 0: it does not exist. */
static int host_find_made(struct attaching *a, struct object *object, struct link *ret, struct cni_error *err)
{
	const struct conf *conf = a->conf;
	const struct link *parent = &a->iface->master;

	if (master_made(a->iface->home, conf, parent, a->iface->req->name, ret, err) == FOUND_FAILED)
		return -1;
	*object = host_made_master(conf, parent->index, ret->name);
	return 0;
}

/* Writes the page, with n more objects, and locks it. */
static enum attempt host_hold(struct attaching *a, const struct object *objects, size_t n,
			      struct cni_error *err)
{
	int lock = -1;
	int rc = page_hold(&a->ledger, a->page, &a->view, objects, n, &lock, &a->rival, err);

	if (lock >= 0) {
		cleanup_close(&a->lock);
		a->lock = lock;
	}
	return rc == 0 ? DONE : *a->rival.ifname ? RIVAL : FAILED;
}

/* Has somebody deleted the anchor, and with it the routes of other pods? If our page is written it
 * is too late for a repair: the next attempt would treat that page as an earlier attachment. */
static bool host_is_anchor_lost(const struct attaching *a, const struct object *anchor)
{
	struct link link;

	return !a->repaired && !a->page->written && !a->conf->link_in_container &&
	       anchor_find(&a->iface->host, anchor->dev, &link, NULL) == FOUND_NOT &&
	       hold_is_held(&a->ledger, anchor);
}

/* The survey does not have attachments that were made after it: it is repeated if there are any. */
static enum attempt host_admit(struct attaching *a, const struct link *master, int *flags,
			       struct cni_error *err)
{
	const struct object anchor = object_anchor(master->index, a->conf->mode);
	int rc;

	if (a->survey.master == master->index && hold_holders(&a->ledger, &anchor) != a->surveyed)
		a->survey.master = 0;
	rc = guard_admit(a->iface->home, master, a->conf, &a->survey, flags, err);
	if (rc > 0)
		a->surveyed = hold_holders(&a->ledger, &anchor);
	a->unsurveyed = *master;
	if (rc == 0 && host_is_anchor_lost(a, &anchor))
		return REPAIR;
	return rc < 0 ? FAILED : rc ? SURVEY : DONE;
}

static void host_take_name(const struct object *held, void *arg)
{
	struct object *object = arg;

	if (held->dev == object->dev && held->id == object->id)
		*object = *held;
}

/* If somebody has renamed a VLAN of ours, its holders have it by its earlier name, and so must we. */
static int host_name_as_held(const struct attaching *a, const struct link *link, struct object *object,
			     struct cni_error *err)
{
	if (object->kind != OBJECT_VLAN || link->group != OUR_NUMBER || hold_is_held(&a->ledger, object))
		return 0;
	return hold_each(&a->ledger, OBJECT_VLAN, host_take_name, object, err);
}

/* A master that the plugin has made for another network, and that "master" names, is held too: *ret is its
 * object. Returns how many there are, or -1. */
static int host_want_named(const struct attaching *a, struct object *ret, struct cni_error *err)
{
	const struct link *link = &a->iface->master;

	if (link->group != OUR_NUMBER || link->parent_elsewhere || a->conf->link_in_container)
		return 0;
	if (!strcmp(link->kind, "vlan"))
		*ret = object_vlan(link->parent, link->vlan, link->name);
	else if (!strcmp(link->kind, "dummy"))
		*ret = object_dummy(link->name, 0);
	else
		return 0;
	return host_name_as_held(a, link, ret, err) < 0 ? -1 : 1;
}

/* After DONE the page is written. */
static enum attempt host_make_master(struct attaching *a, int *flags, struct cni_error *err)
{
	struct object needed[2];
	const int n = host_want_named(a, needed, err);
	struct object *object = &needed[n > 0];
	struct link link;
	enum attempt attempt = DONE;

	if (n < 0 || host_find_made(a, object, &link, err) < 0 ||
	    host_name_as_held(a, &link, object, err) < 0)
		return FAILED;
	if (link.index)
		attempt = host_admit(a, &link, flags, err);
	else if ((a->conf->vlan && master_check_type(&a->iface->master, err) < 0) ||
		 master_check_mtu(&link, a->conf->mtu, err) < 0)
		return FAILED;
	if (attempt == DONE)
		attempt = host_hold(a, needed, (size_t)n + 1, err);
	if (attempt != DONE)
		return attempt;
	if (page_make(a->page, &a->view, 0, err) < 0 ||
	    master_find(a->iface->home, link.name, &a->iface->master, err) < 0)
		return FAILED;
	if (!link.index) { /* it was just made, so it has no slaves */
		const struct object fence = object_fence(a->iface->master.parent);

		a->fenced = a->conf->vlan && hold_is_held(&a->ledger, &fence);
		a->survey = (struct survey){ .master = a->iface->master.index };
		a->surveyed = 0;
	}
	return DONE;
}

/* Is the master guarded? An ADD that guards it later finds our page, which is written. */
static bool host_is_guarded(const struct attaching *a)
{
	const struct object guard = object_guard(a->iface->master.index);

	return !a->conf->link_in_container && hold_is_held(&a->ledger, &guard);
}

static enum attempt host_make_slave(struct attaching *a, struct cni_error *err)
{
	struct iface *iface = a->iface;
	const bool makes = a->conf->vlan || a->conf->internal;
	struct object needed[4];
	size_t made, n;
	int flags, named;
	enum attempt attempt = makes ? host_make_master(a, &flags, err) : DONE;

	if (attempt != DONE)
		return attempt;
	if (master_check_mtu(&iface->master, a->conf->mtu, err) < 0 ||
	    master_check_up(&iface->master, a->conf, err) < 0 ||
	    master_check_vrf(iface->home, &iface->master, a->conf, err) < 0)
		return FAILED;
	attempt = host_admit(a, &iface->master, &flags, err);
	if (attempt != DONE)
		return attempt;
	if (fence_admit(&a->ledger, a->page, a->conf, iface->master.index, err) < 0)
		return FAILED;
	named = makes ? 0 : host_want_named(a, needed, err);
	if (named < 0)
		return FAILED;
	made = a->page->n_objects;
	n = (size_t)named;
	if (!a->conf->link_in_container)
		needed[n++] = object_anchor(iface->master.index, a->conf->mode);
	/* fence_pod() makes fence and guard; until then other calls see that this pod's addresses will be
	 * known */
	iface->guarded = host_is_guarded(a);
	if (fence_key(a->conf) || (iface->guarded && (a->conf->ipam || a->conf->prev.n_ips)))
		needed[n++] = object_fence(iface->master.index);
	if (a->conf->anti_spoof)
		needed[n++] = object_guard(iface->master.index);
	attempt = host_hold(a, needed, n, err);
	if (attempt != DONE)
		return attempt;
	if (iface_create(iface, a->conf, flags, err) < 0)
		return FAILED;
	return page_make(a->page, &a->view, made, err) < 0 ? FAILED : DONE;
}

/* Is there an attachment of this name, whole or in part? */
static enum attempt host_check_name(struct attaching *a, struct cni_error *err)
{
	const struct attachment who = { a->iface->req->container, a->iface->req->ifname };
	struct page before;
	enum found found = page_read(&before, &a->ledger, &who, err);

	if (found == FOUND_FAILED)
		return FAILED;
	if (found == FOUND)
		page_free(&before);
	if (iface_check_name(a->iface, err) < 0)
		return FAILED;
	return found == FOUND ? RELEASE : DONE;
}

static enum attempt host_try(struct attaching *a, struct cni_error *err)
{
	enum attempt attempt;

	if (ledger_lock(&a->ledger, &a->iface->host, err) < 0)
		return FAILED;
	attempt = host_check_name(a, err);
	if (attempt == DONE)
		attempt = host_make_slave(a, err);
	cleanup_close(&a->lock);
	a->lock = -1;
	ledger_close(&a->ledger);
	return attempt;
}

/*
 * If a node starts all its pods at once, all their ADDs require the survey, which takes as long as
 * twenty ADDs. Only one makes it. The others wait until it has made the anchor, and then require
 * none. If the lock fails, this ADD makes the survey too.
 */
static int host_survey(struct attaching *a, struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct alive alive;
	int rc;

	if (a->surveys < 0) {
		a->surveys = ledger_lock_surveys(&a->ledger);
		if (a->surveys >= 0)
			return 0; /* another ADD may have made the anchor before */
	}
	alive_read(&alive);
	rc = guard_survey(&a->survey, &alive, &a->unsurveyed, false, &why);
	alive_free(&alive);
	if (rc == 0)
		return 0;
	if (a->conf->force) {
		cni_log("force: %s", why.msg);
		return 0;
	}
	return cni_fail_as(err, &why);
}

/* May an earlier attachment of the same name be released? Not if its namespace exists. */
static int host_check_over(const struct attaching *a, const struct page *before, struct cni_error *err)
{
	struct netns_id pod = *a->iface->req->pod;
	struct alive alive;
	enum found found;

	if (!before->netns.inode || netns_is(&before->netns, &pod))
		return 0;
	alive_read(&alive);
	found = alive_find(&alive, &before->netns);
	if (found == FOUND_NOT) {
		alive_free(&alive);
		return 0;
	}
	cni_fail(err, found == FOUND ? CNI_EXISTS : CNI_RETRY,
		 "container %s has an interface \"%s\" already, in another network namespace",
		 before->container, before->ifname);
	cni_hint(err, "it was made in %s, namespace %s, which %s%s; run DEL first", before->path,
		 netns_id_text(&before->netns).s, found == FOUND ? "exists" : "perhaps exists",
		 *alive.unseen ? ", since not all namespaces could be read" : "");
	alive_free(&alive);
	return -1;
}

/* Without nft the release keeps the page, with the objects of nft: no attachment can take its name. */
static int host_check_released(const struct release *release, struct cni_error *err)
{
	char what[NAME_MAX + 64];
	const char *nft;

	if (release->removed)
		return 0;
	snprintf(what, sizeof(what), "releasing the earlier attachment of container %s",
		 release->page.container);
	return nft_require(&nft, what, err);
}

/* Releases what a killed ADD has left, or a container that ended without DEL. */
static int host_release_earlier(struct attaching *a, struct cni_error *err)
{
	const struct request *req = a->iface->req;
	const struct attachment who = { req->container, req->ifname };
	struct release release;
	enum found found = release_begin(&release, &a->iface->host, &who, req->name, true, err);
	int rc = 0;

	if (found == FOUND_FAILED)
		return -1;
	if (found == FOUND)
		rc = iface_check_name(a->iface, err) < 0 ? -1 : host_check_over(a, &release.page, err);
	if (rc == 0 && found == FOUND && a->conf->ipam && !strcmp(release.page.network, req->name))
		rc = delegate_run(req, a->conf->ipam, "DEL", err);
	if (rc == 0 && found == FOUND)
		rc = release_host(&release, err) < 0 ? -1 : host_check_released(&release, err);
	release_end(&release);
	return rc;
}

/* If the repair of other attachments fails, this ADD does not. */
static void host_repair(struct attaching *a)
{
	const struct repair how = { .host = &a->iface->host, .by = COUNTERS_ADD, .each = repair_log };
	struct cni_error why = { 0 };

	a->repaired = true;
	if (repair_run(&how, &why) < 0)
		cni_log("repair: %s", why.msg);
}

static bool host_needs_routes(const struct conf *conf)
{
	return conf->host_access || conf->proxy_arp || conf->host_routes.n_routes || conf->n_reflectors;
}

/* If pods of the master lack something, others may lack it too: repairs all. */
static void host_repair_others(struct attaching *a)
{
	struct link master = a->iface->master;
	struct object made;

	if (host_needs_routes(a->conf) &&
	    ((!a->conf->vlan && !a->conf->internal) || host_find_made(a, &made, &master, NULL) == 0) &&
	    master.index && repair_is_due(&a->iface->host, &master))
		host_repair(a);
}

/* An internal network leads nowhere: its pods get no default route. */
static bool host_has_ipv6_route(const struct conf *conf, const struct result *list)
{
	for (size_t i = 0; i < list->n_routes; i++)
		if (list->routes[i].dst.ip.family == AF_INET6 && (list->routes[i].dst.len || !conf->internal))
			return true;
	return false;
}

static int host_check_ipv6(const struct conf *conf, struct cni_error *err)
{
	const char *key = host_has_ipv6_route(conf, &conf->host_routes) ? "hostRoutes"
			  : host_has_ipv6_route(conf, &conf->routes)	? "routes"
									: NULL;

	return key && !netns_has_ipv6() ? host_lacks_ipv6(key, err) : 0;
}

int host_lacks_ipv6(const char *key, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "%s has IPv6 addresses, and this kernel has no IPv6", key);
	return cni_hint(err, "start the machine without ipv6.disable=1, or use only IPv4 addresses");
}

/* Programs are checked first: the undo of an ADD requires them too. */
int host_check_machine(const struct conf *conf, struct cni_error *err)
{
	const char *nft;

	if (conf->ip_masq && nft_require(&nft, "ipMasq", err) < 0)
		return -1;
	if (fence_key(conf) && nft_require(&nft, fence_key(conf), err) < 0)
		return -1;
	return host_check_ipv6(conf, err);
}

/* Repeats the attempt until it is done, and does between attempts what they require. */
static int host_attach_by(struct attaching *a, struct cni_error *err)
{
	enum attempt attempt = DONE;
	int rc = 0;

	for (int i = 0; rc == 0 && i < ATTEMPTS; i++) {
		view_open(&a->view, &a->iface->host);
		attempt = host_try(a, err);
		view_close(&a->view);
		if (attempt == DONE && a->fenced)
			host_repair(a);
		if (attempt == DONE)
			return 0;
		if (attempt == SURVEY)
			rc = host_survey(a, err);
		else if (attempt == RELEASE)
			rc = host_release_earlier(a, err);
		else if (attempt == REPAIR)
			host_repair(a);
		else
			rc = attempt == RIVAL ? release_rival(&a->iface->host, &a->rival, err) : -1;
	}
	if (rc == 0)
		cni_fail(err, CNI_RETRY, "other calls change the attachment at the same time");
	return -1;
}

int host_attach(struct iface *iface, const struct conf *conf, struct page *page, struct cni_error *err)
{
	struct attaching a = { .iface = iface, .conf = conf, .page = page, .surveys = -1, .lock = -1 };
	int rc;

	*page = (struct page){ .n_objects = 0 };
	if (host_check_machine(conf, err) < 0 || iface_prepare(iface, conf, err) < 0 ||
	    page_begin(page, iface->req, iface->req->pod, err) < 0 ||
	    (conf->accept_ra && learn_begin(page, err) < 0))
		return -1;
	host_repair_others(&a);
	rc = host_attach_by(&a, err);
	cleanup_close(&a.surveys);
	if (rc < 0 && page->written)
		host_undo(iface, page, NULL);
	return rc;
}

bool host_undo(struct iface *iface, const struct page *page, const char *ipam)
{
	const struct attachment who = page_who(page);
	const struct request *req = iface->req;
	struct cni_error why = { 0 };
	struct release release;
	enum found found;
	bool held, ours;
	int rc = 0;

	found = release_begin(&release, &iface->host, &who, req->name, true, &why);
	held = found == FOUND && !strcmp(release.page.id.s, page->id.s);
	ours = held || found == FOUND_NOT;
	if (ours)
		delegate_release_by_link(req, ipam);
	/* as in DEL: if the link stays, the address stays leased */
	if (iface->link.index)
		rc = link_delete(&iface->pod, iface->link.index, &why);
	if (rc == 0 && ours && ipam)
		rc = delegate_run(req, ipam, "DEL", &why);
	if (held && release_host(&release, &why) < 0)
		rc = -1;
	if (found != FOUND_FAILED)
		release_end(&release);
	if (rc < 0 || found == FOUND_FAILED)
		cni_log("undo of a failed ADD: %s", why.msg);
	return held || found == FOUND_FAILED;
}

struct collection {
	const struct request *req;
	const struct valid *valid;
	struct rtnl *host;
	struct alive alive;
	bool looked;
	json_t *kept; /* attachments that live but are not valid */
	int rc;
};

/* Releases the attachment if it is in the network, not valid, and its namespace does not exist. */
static int host_collect_page(const struct page *page, void *arg, struct cni_error *err)
{
	struct collection *all = arg;
	const struct attachment who = page_who(page);
	enum found lives;

	if (strcmp(page->network, all->req->name) != 0 ||
	    valid_contains(all->valid, page->container, page->ifname))
		return 0;
	if (!all->looked)
		alive_read(&all->alive);
	all->looked = true;
	lives = page->netns.inode ? alive_seen(&all->alive, &page->netns) : FOUND_NOT;
	if (lives == FOUND_FAILED)
		all->rc = cni_fail(
			err, CNI_IO,
			"container %s, interface %s, stays: its network namespace perhaps exists: %s",
			page->container, page->ifname, all->alive.unseen);
	if (lives != FOUND_NOT) {
		cni_log("network %s: the runtime does not know container %s, interface %s, but its network "
			"namespace %s %s: it stays",
			page->network, page->container, page->ifname, page->path,
			lives == FOUND ? "exists" : "perhaps exists");
		json_array_append_new(all->kept, json_pack("{s:s, s:o}", "containerID", page->container,
							   "ifname", json_text(page->ifname)));
		return 0;
	}
	if (release_gone(all->host, &all->alive, &who, err) == FOUND_FAILED)
		all->rc = -1;
	return 0;
}

static int host_collect_pages(const struct request *req, const struct valid *valid, struct rtnl *host,
			      json_t *kept, struct cni_error *err)
{
	struct collection all = { .req = req, .valid = valid, .host = host, .kept = kept };
	struct ledger ledger;
	enum found found = ledger_open(&ledger, host, err);

	if (found != FOUND)
		return (int)found;
	if (pages_each(&ledger, host_collect_page, &all, err) < 0 || page_remove_unfinished(&ledger, err) < 0)
		all.rc = -1;
	ledger_close(&ledger);
	if (all.looked)
		alive_free(&all.alive);
	return all.rc;
}

int host_collect(const struct request *req, const struct valid *valid, json_t *kept, struct cni_error *err)
{
	struct rtnl host;
	int rc;

	if (rtnl_open(&host, -1, err) < 0)
		return -1;
	rc = host_collect_pages(req, valid, &host, kept, err);
	rtnl_close(&host);
	return rc;
}

static int host_verify_object(struct view *view, const struct object *object, struct cni_error *err)
{
	enum found found = object_find(view, object, err);

	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	cni_fail(err, CNI_DAMAGED, "on the host \"%s\" is missing", object_text(object).s);
	return cni_hint(err, "it was removed or changed after ADD; ipvlanctl repair makes it again");
}

static int host_verify_page(struct iface *iface, const struct page *page, struct cni_error *err)
{
	const struct netns_id pod = netns_id_by(iface->netns, mnl_socket_get_fd(iface->pod.sock));
	struct view view;
	int rc = 0;

	if (page->netns.inode && !netns_is(&page->netns, &pod)) {
		cni_fail(err, CNI_DAMAGED,
			 "container %s has its interface \"%s\" in another network namespace than %s",
			 page->container, page->ifname, iface->req->netns);
		return cni_hint(err, "it was made in %s, namespace %s", page->path,
				netns_id_text(&page->netns).s);
	}
	view_open(&view, &iface->host);
	for (size_t i = 0; rc == 0 && i < page->n_objects; i++)
		rc = host_verify_object(&view, &page->objects[i], err);
	view_close(&view);
	return rc;
}

int host_verify(struct iface *iface, struct cni_error *err)
{
	const struct attachment who = { iface->req->container, iface->req->ifname };
	struct ledger ledger;
	struct page page;
	enum found found = ledger_open(&ledger, &iface->host, err);
	int rc;

	if (found == FOUND)
		found = page_read(&page, &ledger, &who, err);
	rc = found == FOUND ? host_verify_page(iface, &page, err) : (int)found;
	if (found == FOUND)
		page_free(&page);
	ledger_close(&ledger);
	return rc;
}
