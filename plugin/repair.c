/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cni/cleanup.h"
#include "cni/log.h"
#include "net/addr.h"
#include "net/alive.h"
#include "plugin/host_ips.h"

struct repair_run {
	const struct repair *how;
	struct ledger ledger;
	struct alive alive;
	struct view_table tables[VIEW_TABLES]; /* of nftables: listed once for all attachments */
};

/* An attachment, and its missing objects. */
struct repair_patient {
	const struct repair_run *all;
	const struct page *page;
	struct view view;
	int master;	       /* 0: the attachment has neither hostAccess nor proxyArp */
	struct link link;      /* the master */
	struct host_ips hosts; /* the host's addresses on it */
	struct object *missing;
	size_t n;
	bool in_pod;
};

static void repair_report(const struct repair *how, const struct repair_finding *finding)
{
	if (finding->state == REPAIR_MENDED)
		counters_add_repair(how->by, COUNTERS_MENDED);
	if (finding->state == REPAIR_REMOVED)
		counters_add_repair(how->by, COUNTERS_REMOVED);
	if (finding->state == REPAIR_BEYOND && !how->dry_run)
		counters_add_repair(how->by, COUNTERS_FAILED);
	how->each(finding, how->arg);
}

static void repair_tell(const struct repair_patient *p, enum repair_state state, const struct object *object,
			const struct cni_error *why)
{
	const struct repair_finding finding = { state, p->page, object, p->in_pod, why };

	repair_report(p->all->how, &finding);
}

/* Reports the finding in a dry run. Returns whether it is a dry run. */
static bool repair_is_dry(const struct repair_patient *p, enum repair_state state,
			  const struct object *object)
{
	if (p->all->how->dry_run)
		repair_tell(p, state, object, NULL);
	return p->all->how->dry_run;
}

static int repair_master_of(const struct page *page)
{
	for (size_t i = 0; i < page->n_objects; i++)
		if (page->objects[i].kind == OBJECT_ACCESS || page->objects[i].kind == OBJECT_HAIRPIN)
			return page->objects[i].dev;
	return 0;
}

/* Does the attachment have hostAccess? Then its routes have a source address; with only proxyArp
 * they have none. */
static bool repair_has_access(const struct page *page)
{
	for (size_t i = 0; i < page->n_objects; i++)
		if (page->objects[i].kind == OBJECT_ROUTE && page->objects[i].src.family)
			return true;
	return false;
}

/* The index that the anchor had, from the objects on it; 0: there are none. */
static int repair_index_of_anchor(const struct page *page, int master)
{
	for (size_t i = 0; i < page->n_objects; i++) {
		const struct object *object = &page->objects[i];

		if ((object->kind == OBJECT_ROUTE || object->kind == OBJECT_NEIGHBOUR) &&
		    object->dev != master)
			return object->dev;
	}
	return 0;
}

/* The mode of the master, which is that of the attachment's interface. */
static int repair_mode_now(const struct repair_patient *p, uint16_t *ret, struct cni_error *err)
{
	struct alive alive = p->all->alive;
	autoclose int fd = -1;
	struct rtnl pod;
	struct link link;
	enum found found = alive_open(&alive, &p->page->netns, &fd, err);

	if (found != FOUND || rtnl_open(&pod, fd, err) < 0)
		return -1;
	found = link_find(&pod, p->page->ifname, &link, err);
	rtnl_close(&pod);
	if (found == FOUND)
		*ret = link.ipvlan_mode;
	if (found == FOUND_NOT) {
		cni_fail(err, CNI_DAMAGED, "its interface %s is gone", p->page->ifname);
		cni_hint(err, "restart the pod");
	}
	return found == FOUND ? 0 : -1;
}

/* Updates an object of a pod with hostAccess: the host's address and the master's MAC address may
 * have changed since ADD. Returns whether they have. While the host has no address, the ledger
 * keeps the earlier one, which shows that the route requires one. */
static bool repair_renew(const struct repair_patient *p, struct object *object)
{
	const struct ip *src = &p->hosts.main[object->to.ip.family == AF_INET6];
	const struct object before = *object;

	if (p->master && object->kind == OBJECT_ROUTE && object->src.family && src->family)
		object->src = *src;
	if (p->master && object->kind == OBJECT_NEIGHBOUR)
		snprintf(object->lladdr, sizeof(object->lladdr), "%.19s", p->link.mac);
	return !ip_equal(&object->src, &before.src) || strcmp(object->lladdr, before.lladdr) != 0;
}

static int repair_adapt(const struct repair_patient *p, struct object *object, struct cni_error *err)
{
	repair_renew(p, object);
	if (object->kind == OBJECT_ROUTE && p->master &&
	    !p->hosts.main[object->to.ip.family == AF_INET6].family)
		object->src.family = 0;
	if (object->kind != OBJECT_ANCHOR)
		return 0;
	object->index = p->master ? repair_index_of_anchor(p->page, p->master) : 0;
	/* an ADD with "force" may have switched the mode */
	return repair_mode_now(p, &object->mode, err);
}

/* Who releases an attachment locks its page for long; who only looks whether its pod lives, for a moment. */
#define LOOKS 20
#define LOOK_MS 10

static enum found repair_lock_page(const struct repair_patient *p, int *lock)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	const struct attachment who = page_who(p->page);
	enum found found = page_lock(lock, &p->all->ledger, &who, false, NULL);

	for (int i = 1; found == FOUND_FAILED && i < LOOKS; i++) {
		nanosleep(&pause, NULL);
		found = page_lock(lock, &p->all->ledger, &who, false, NULL);
	}
	return found;
}

/* FOUND: the ledger is locked, until ledger_unlock(); the attachment is still the one that was read, and no
 * other call releases it. FOUND_FAILED: the ledger cannot be locked. */
static enum found repair_lock(const struct repair_patient *p, struct ledger *ledger, struct cni_error *err)
{
	autoclose int lock = -1;

	*ledger = p->all->ledger;
	if (repair_lock_page(p, &lock) != FOUND)
		return FOUND_NOT;
	/* a release that begins now waits for the ledger before it removes objects */
	if (ledger_lock_open(ledger, err) < 0)
		return FOUND_FAILED;
	if (page_is_ours(ledger, p->page, NULL) == 0)
		return FOUND;
	ledger_unlock(ledger);
	return FOUND_NOT;
}

/* Reports what cannot be mended, unless another call releases the attachment: then that is the cause. */
static void repair_give_up(const struct repair_patient *p, const struct object *object,
			   const struct cni_error *why)
{
	struct ledger ledger;
	enum found found = repair_lock(p, &ledger, NULL);

	if (found == FOUND)
		ledger_unlock(&ledger);
	if (found != FOUND_NOT)
		repair_tell(p, REPAIR_BEYOND, object, why);
}

/* error: 0, or the error of the repair. */
static void repair_tell_end(const struct repair_patient *p, enum repair_state done,
			    const struct object *object, int error, const struct cni_error *why)
{
	if (error)
		repair_give_up(p, object, why);
	else
		repair_tell(p, done, object, NULL);
}

/* Writes the present addresses to the ledger, so that the next ADD finds nothing to repair. */
static void repair_note(const struct repair_patient *p)
{
	const struct attachment who = page_who(p->page);
	struct ledger ledger;
	struct page page;
	bool changed = false;

	if (repair_lock(p, &ledger, NULL) != FOUND)
		return;
	if (page_read(&page, &ledger, &who, NULL) == FOUND) {
		for (size_t i = 0; i < page.n_objects; i++)
			changed |= repair_renew(p, &page.objects[i]);
		if (changed)
			page_write(&ledger, &page, NULL, NULL);
		page_free(&page);
	}
	ledger_unlock(&ledger);
}

static bool repair_is_old(const struct repair_patient *p)
{
	bool old = false;

	for (size_t i = 0; i < p->page->n_objects; i++) {
		struct object object = p->page->objects[i];

		old |= repair_renew(p, &object);
	}
	return old;
}

/* If the master is deleted, the kernel deletes the pod's interface: a repair cannot make that
 * again. */
static bool repair_is_master(const struct object *object)
{
	return object->kind == OBJECT_VLAN || object->kind == OBJECT_DUMMY;
}

/* Does an ADD hold it that is still in its IPAM plugin? It makes both with the addresses. */
static bool repair_is_early(const struct page *page, const struct object *object)
{
	if (object->kind != OBJECT_FENCE && object->kind != OBJECT_GUARD)
		return false;
	for (size_t i = 0; i < page->n_objects; i++)
		if (page->objects[i].kind == OBJECT_LEASE && page->objects[i].dev == object->dev)
			return false;
	return true;
}

static int repair_examine_object(struct repair_patient *p, const struct object *object, struct cni_error *err)
{
	enum found found;

	if (repair_is_early(p->page, object) || page_holds(&p->all->ledger, p->page, object, NULL) < 0)
		return 0; /* another call releases it, or holds it instead */
	found = object_look(&p->view, object, false, err) < 0 ? FOUND_FAILED
							      : object_find(&p->view, object, err);

	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	if (repair_is_master(object)) {
		cni_fail(err, CNI_DAMAGED, "the pod's interface was deleted with it");
		cni_hint(err, "restart the pod");
		return -1;
	}
	p->missing[p->n] = *object;
	if (repair_adapt(p, &p->missing[p->n], err) < 0)
		return -1;
	p->n++;
	return 0;
}

static void repair_mend_object(struct repair_patient *p, const struct object *object)
{
	struct cni_error why = { 0 };
	int rc = object_make(&p->view, object, &why);

	repair_tell(p, rc < 0 ? REPAIR_BEYOND : REPAIR_MENDED, object, rc < 0 ? &why : NULL);
}

static int repair_mend(struct repair_patient *p, struct cni_error *err)
{
	struct ledger ledger;
	enum found found = repair_lock(p, &ledger, err);

	if (found != FOUND)
		return (int)found;
	for (size_t i = 0; i < p->n; i++)
		if (!object_by_program(&p->missing[i]) &&
		    page_holds(&ledger, p->page, &p->missing[i], NULL) == 0)
			repair_mend_object(p, &p->missing[i]);
	ledger_unlock(&ledger);
	return 0;
}

/* Makes all objects of programs at once, unless another call has made them or releases them. */
static void repair_mend_by_program(struct repair_patient *p)
{
	struct cni_error why = { 0 };
	bool any = false;
	int rc;

	for (size_t i = 0; i < p->n; i++)
		any |= object_by_program(&p->missing[i]);
	if (!any)
		return;
	rc = page_make_by_program(p->page, &p->view, 0, true, &why);
	if (rc > 0)
		return;
	for (size_t i = 0; i < p->n; i++)
		if (object_by_program(&p->missing[i]))
			repair_tell_end(p, REPAIR_MENDED, &p->missing[i], rc, &why);
}

static int repair_treat(struct repair_patient *p, struct cni_error *err)
{
	const struct page *page = p->page;

	for (size_t i = 0; i < page->n_objects; i++) {
		struct cni_error why = { 0 };

		if (repair_examine_object(p, &page->objects[i], &why) < 0)
			repair_give_up(p, &page->objects[i], &why);
	}
	for (size_t i = 0; p->all->how->dry_run && i < p->n; i++)
		repair_tell(p, REPAIR_MISSING, &p->missing[i], NULL);
	if (p->all->how->dry_run || !p->n)
		return 0;
	if (repair_mend(p, err) < 0)
		return -1;
	repair_mend_by_program(p);
	return 0;
}

/* The namespace of a pod with hostAccess. */
struct repair_pod {
	struct repair_patient *p;
	struct rtnl rtnl;
	struct link link;
	struct prefix own[HOST_IPS_MAX];
	size_t n_own;
};

static void repair_keep_own(const struct addr_seen *seen, void *arg)
{
	struct repair_pod *pod = arg;

	if (seen->link == pod->link.index && seen->scope == RT_SCOPE_UNIVERSE && pod->n_own < HOST_IPS_MAX)
		pod->own[pod->n_own++] = seen->address;
}

/* Does the pod have an address of the family? *covered: is ip in the subnet of one? */
static bool repair_has_family(const struct repair_pod *pod, const struct ip *ip, bool *covered)
{
	bool any = false;

	*covered = false;
	for (size_t i = 0; i < pod->n_own; i++) {
		any |= pod->own[i].ip.family == ip->family;
		*covered |= prefix_contains(&pod->own[i], ip);
	}
	return any;
}

static void repair_route_in_pod(struct repair_pod *pod, const struct ip *host)
{
	const struct prefix to = prefix_host(host);
	const struct object object = object_route(pod->link.index, &to, NULL, NULL);
	const struct nexthop hop = { .gw.family = 0 };
	const struct route route = {
		.dst = to, .table = RT_TABLE_MAIN, .scope = RT_SCOPE_LINK, .hops = &hop, .n_hops = 1
	};
	struct cni_error why = { 0 };
	struct route_seen seen;

	if (route_lookup(&pod->rtnl, host, &seen, &why) == FOUND && prefix_equal(&seen.dst, &to))
		return;
	if (!repair_is_dry(pod->p, REPAIR_MISSING, &object))
		repair_tell_end(pod->p, REPAIR_MENDED, &object,
				route_add(&pod->rtnl, pod->link.index, &route, &why), &why);
}

static void repair_neighbour_in_pod(struct repair_pod *pod, const struct ip *host)
{
	const struct neighbour neighbour = { *host, pod->p->link.mac };
	const struct object object = object_neighbour(pod->link.index, host, pod->p->link.mac);
	struct cni_error why = { 0 };

	if (neighbour_find(&pod->rtnl, pod->link.index, &neighbour, &why) == FOUND)
		return;
	if (!repair_is_dry(pod->p, REPAIR_MISSING, &object))
		repair_tell_end(pod->p, REPAIR_MENDED, &object,
				neighbour_add(&pod->rtnl, pod->link.index, &neighbour, &why), &why);
}

/* Deletes the entry for an address that the host no longer has. */
static void repair_forget(const struct ip *ip, void *arg)
{
	struct repair_pod *pod = arg;
	const struct neighbour neighbour = { *ip, pod->p->link.mac };
	const struct object object = object_neighbour(pod->link.index, ip, pod->p->link.mac);
	struct cni_error why = { 0 };

	for (size_t i = 0; i < pod->p->hosts.n; i++)
		if (ip_equal(&pod->p->hosts.ips[i], ip))
			return;
	if (!repair_is_dry(pod->p, REPAIR_STALE, &object))
		repair_tell_end(pod->p, REPAIR_REMOVED, &object,
				neighbour_delete(&pod->rtnl, pod->link.index, &neighbour, &why), &why);
}

static int repair_look_into_pod(struct repair_pod *pod, struct cni_error *err)
{
	enum found found = link_find(&pod->rtnl, pod->p->page->ifname, &pod->link, err);

	if (found == FOUND_NOT) {
		cni_fail(err, CNI_DAMAGED, "its interface %s is gone", pod->p->page->ifname);
		return cni_hint(err, "restart the pod");
	}
	return found == FOUND_FAILED ? -1 : addr_each(&pod->rtnl, repair_keep_own, pod, err);
}

static void repair_in_pod(struct repair_pod *pod, struct cni_error *err)
{
	const bool l2 = pod->link.ipvlan_mode == IPVLAN_MODE_L2;
	bool covered;

	for (size_t i = 0; i < pod->p->hosts.n; i++) {
		const struct ip *host = &pod->p->hosts.ips[i];

		if (!repair_has_family(pod, host, &covered))
			continue;
		if (!covered)
			repair_route_in_pod(pod, host);
		if (l2 && host_ips_silent(host, pod->p->link.name))
			repair_neighbour_in_pod(pod, host);
	}
	if (l2)
		neighbour_each(&pod->rtnl, pod->link.index, pod->p->link.mac, repair_forget, pod, err);
}

/* Makes the pod's routes and neighbours for the host's addresses as ADD would now. */
static void repair_way_to_host(struct repair_patient *p)
{
	struct repair_pod pod = { .p = p };
	struct alive alive = p->all->alive;
	struct cni_error why = { 0 };
	autoclose int fd = -1;
	int rc = -1;

	p->in_pod = true;
	if (alive_open(&alive, &p->page->netns, &fd, &why) == FOUND && rtnl_open(&pod.rtnl, fd, &why) == 0) {
		rc = repair_look_into_pod(&pod, &why);
		if (rc == 0)
			repair_in_pod(&pod, &why);
		rtnl_close(&pod.rtnl);
	}
	if (rc < 0)
		repair_give_up(p, NULL, &why);
}

static bool repair_is_upon(const struct page *page, int master)
{
	for (size_t i = 0; i < page->n_objects; i++)
		if (page->objects[i].kind == OBJECT_ANCHOR && page->objects[i].dev == master)
			return true;
	return false;
}

static bool repair_is_wanted(const struct repair_run *all, const struct page *page)
{
	const char *only = all->how->only;
	struct alive alive = all->alive;

	return page->netns.inode && (!all->how->master || repair_is_upon(page, all->how->master)) &&
	       (!only || !strcmp(only, page->network) || !strcmp(only, page->container)) &&
	       alive_seen(&alive, &page->netns) != FOUND_NOT;
}

/* 1: its master does not exist, and so the pod's interface does not either. */
static int repair_look_at_host(struct repair_patient *p, struct cni_error *err)
{
	struct cni_error why = { 0 };
	enum found found;

	if (!p->master)
		return 0;
	found = link_find_index(p->all->how->host, p->master, &p->link, err);
	if (found == FOUND)
		return host_ips_read(&p->hosts, p->all->how->host, p->master, err);
	if (found == FOUND_FAILED)
		return -1;
	cni_fail(&why, CNI_DAMAGED, "its master, link %d, is gone", p->master);
	cni_hint(&why, "restart the pod");
	repair_give_up(p, NULL, &why);
	return 1;
}

static int repair_page(const struct page *page, void *arg, struct cni_error *err)
{
	struct repair_run *all = arg;
	struct repair_patient p = { .all = all, .page = page, .master = repair_master_of(page) };
	int rc;

	if (!repair_is_wanted(all, page))
		return 0;
	p.missing = calloc(page->n_objects + 1, sizeof(*p.missing));
	if (!p.missing)
		return cni_fail(err, CNI_RETRY, "out of memory");
	view_open(&p.view, all->how->host);
	memcpy(p.view.tables, all->tables, sizeof(all->tables));
	rc = repair_look_at_host(&p, err);
	if (rc == 0)
		rc = repair_treat(&p, err);
	memcpy(all->tables, p.view.tables, sizeof(all->tables));
	memset(p.view.tables, 0, sizeof(p.view.tables));
	view_close(&p.view);
	free(p.missing);
	if (rc == 0 && repair_has_access(page))
		repair_way_to_host(&p);
	if (rc == 0 && !all->how->dry_run && repair_is_old(&p))
		repair_note(&p);
	return rc < 0 ? -1 : 0;
}

static int repair_remove_stale(const struct repair_run *all, struct view *view, const struct object *route,
			       struct cni_error *err)
{
	struct ledger ledger = all->ledger;
	struct cni_error why = { 0 };
	int rc = 0;

	if (ledger_lock_open(&ledger, err) < 0)
		return -1;
	if (!hold_is_held(&all->ledger, route))
		rc = object_remove(view, route, &why);
	ledger_unlock(&ledger);
	repair_report(all->how, &(struct repair_finding){ .state = rc < 0 ? REPAIR_BEYOND : REPAIR_REMOVED,
							  .object = route,
							  .why = rc < 0 ? &why : NULL });
	return 0;
}

/* Removes routes of ours that no attachment holds: from a ledger that was lost, or from a killed
 * call. Those of a shared pool's blocks, which are unreachable, belong to addrpool-claim. */
static int repair_stale(const struct repair_run *all, int family, struct cni_error *err)
{
	const struct view_routes *routes;
	struct view view;
	int rc;

	view_open(&view, all->how->host);
	routes = &view.routes[family == AF_INET6];
	rc = view_read(&view, family, err);
	for (size_t i = 0; rc == 0 && i < routes->n; i++) {
		const struct route_seen *seen = &routes->list[i];
		const struct object route = object_route(seen->link, &seen->dst, &seen->gw, NULL);

		if (seen->protocol != OUR_NUMBER || seen->type != RTN_UNICAST ||
		    hold_is_held(&all->ledger, &route))
			continue;
		if (all->how->dry_run)
			repair_report(all->how,
				      &(struct repair_finding){ .state = REPAIR_STALE, .object = &route });
		else
			rc = repair_remove_stale(all, &view, &route, err);
	}
	view_close(&view);
	return rc;
}

int repair_run(const struct repair *repair, struct cni_error *err)
{
	struct repair_run all = { .how = repair };
	enum found found = ledger_open(&all.ledger, repair->host, err);
	int rc;

	if (found == FOUND_FAILED)
		return -1;
	alive_read(&all.alive);
	rc = found == FOUND ? pages_each(&all.ledger, repair_page, &all, err) : 0;
	if (rc == 0 && found == FOUND && !repair->only && !repair->master)
		rc = repair_stale(&all, AF_INET, err) < 0 ? -1 : repair_stale(&all, AF_INET6, err);
	view_forget_tables(all.tables);
	alive_free(&all.alive);
	ledger_close(&all.ledger);
	return rc;
}

void repair_log(const struct repair_finding *finding, void *arg)
{
	(void)arg;
	if (!finding->object || !finding->page)
		return;
	if (finding->state == REPAIR_BEYOND)
		cni_log("repair: \"%s\" of container %s, interface %s, is missing: %s",
			object_text(finding->object).s, finding->page->container, finding->page->ifname,
			finding->why->msg);
	else
		cni_log("repair: %s \"%s\" of container %s, interface %s%s",
			finding->state == REPAIR_REMOVED ? "removed" : "made", object_text(finding->object).s,
			finding->page->container, finding->page->ifname,
			finding->state == REPAIR_REMOVED ? ", which is stale" : ", again");
}

/* How many objects of a kind and a family are examined. */
#define OTHERS 4

struct repair_others {
	struct view view;
	const struct ledger *ledger;
	const struct link *master;
	int anchor; /* its index */
	struct host_ips hosts;
	size_t n[OBJECT_KINDS][2][2]; /* examined: of IPv4, of IPv6; without and with a source address */
	const struct object *object;  /* the one that is examined */
	bool examined, ill;
};

/* Is the object missing, or has the host's address or MAC address changed? */
static bool repair_is_ill(struct repair_others *others, const struct object *object)
{
	const struct ip *src = &others->hosts.main[object->to.ip.family == AF_INET6];

	if (object->kind == OBJECT_NEIGHBOUR)
		return strcmp(object->lladdr, others->master->mac) != 0;
	if (object->kind == OBJECT_ROUTE && object->src.family && src->family && !ip_equal(&object->src, src))
		return true;
	return object_find(&others->view, object, NULL) == FOUND_NOT;
}

/* Examines the object as a page of a living pod has it: only pages have the present source address. */
static int repair_ask(const struct page *page, void *arg)
{
	const struct netns_id now = netns_id(page->path);
	struct repair_others *others = arg;

	if (!page->netns.inode || !netns_is(&now, &page->netns)) /* its pod may have ended */
		return 0;
	for (size_t i = 0; !others->examined && i < page->n_objects; i++) {
		if (!object_same_place(&page->objects[i], others->object))
			continue;
		others->examined = true;
		others->ill = repair_is_ill(others, &page->objects[i]);
	}
	return others->examined;
}

/* Have enough objects of the kind and family been examined? A change of the host's address affects only
 * routes with a source address, which pods with hostAccess have. */
static bool repair_is_enough(const struct repair_others *others, enum object_kind kind, bool ipv6)
{
	const size_t *n = others->n[kind][ipv6];
	const bool has_src = kind == OBJECT_ROUTE && others->hosts.main[ipv6].family;

	return n[1] >= OTHERS || (!has_src && n[0] >= OTHERS);
}

static bool repair_wants(const char *key, void *arg)
{
	static const enum object_kind kinds[] = { OBJECT_ROUTE, OBJECT_NEIGHBOUR, OBJECT_PROXY };
	const bool ipv6 = strchr(key, ':');

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (object_is_key_of(kinds[i], key))
			return !repair_is_enough(arg, kinds[i], ipv6);
	return false;
}

static int repair_ask_holders(const struct object *object, void *arg)
{
	struct repair_others *others = arg;
	size_t *n = &others->n[object->kind][object->to.ip.family == AF_INET6][!!object->src.family];

	if ((object->dev != others->master->index && object->dev != others->anchor) || *n >= OTHERS)
		return 0;
	others->object = object;
	others->examined = false;
	hold_each_page(others->ledger, object, repair_ask, others);
	*n += others->examined;
	return others->ill;
}

/* Examines first what all attachments share. */
static bool repair_is_ill_shared(struct repair_others *others)
{
	const struct object hairpin = object_hairpin(others->master->index);
	struct link anchor;

	if (hold_is_held(others->ledger, &hairpin) && object_find(&others->view, &hairpin, NULL) == FOUND_NOT)
		return true;
	if (anchor_find(others->view.host, others->master->index, &anchor, NULL) != FOUND)
		return true;
	others->anchor = anchor.index;
	return false;
}

bool repair_is_due(struct rtnl *host, const struct link *master)
{
	const struct object held = object_anchor(master->index, 0);
	struct repair_others others = { .master = master };
	struct ledger ledger;

	if (ledger_open(&ledger, host, NULL) != FOUND)
		return false;
	others.ledger = &ledger;
	if (hold_is_held(&ledger, &held) && host_ips_read(&others.hosts, host, master->index, NULL) == 0) {
		view_open(&others.view, host);
		others.ill = repair_is_ill_shared(&others);
		if (!others.ill)
			hold_each_wanted(&ledger, repair_wants, repair_ask_holders, &others, NULL);
		view_close(&others.view);
	}
	ledger_close(&ledger);
	return others.ill;
}
