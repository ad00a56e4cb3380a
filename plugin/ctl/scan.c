/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/scan.h"

#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cni/json.h"
#include "net/addr.h"
#include "net/alive.h"
#include "net/netns.h"
#include "plugin/fence.h"
#include "plugin/ledger.h"

struct links {
	struct link *list;
	size_t n, room;
};

/* A network namespace that was read. */
struct place {
	const char *path; /* NULL: the host's, which is ours */
	struct netns_id id;
	int our_id; /* its id for our namespace; -1: none */
	struct links links;
	json_t *pods; /* its pods, in the order of their links; borrowed */
};

struct scan {
	struct rtnl host;
	struct view view;
	struct place home;
	json_t *masters, *lost, *seen; /* seen: namespaces, as netns_id_text() */
	struct alive alive;
};

const char *scan_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

long long scan_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void scan_keep_link(const struct link *link, void *arg)
{
	struct links *links = arg;

	if (links->n == links->room) {
		size_t room = 2 * links->room + 16;
		struct link *bigger = realloc(links->list, room * sizeof(*bigger));

		if (!bigger)
			abort();
		links->list = bigger;
		links->room = room;
	}
	links->list[links->n++] = *link;
}

static const struct link *scan_link_of(const struct links *links, int index)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->list[i].index == index)
			return &links->list[i];
	return NULL;
}

static json_t *scan_holder_json(const struct place *place, const struct link *link)
{
	const struct link *holder = link->holder ? scan_link_of(&place->links, link->holder) : NULL;

	return holder ? json_pack("{s:o, s:s}", "name", json_text(holder->name), "kind", holder->kind)
		      : json_null();
}

/* link: NULL if the master is in a namespace that cannot be found. */
static json_t *scan_new_master(const struct place *place, const struct link *link, int index)
{
	json_t *master = json_pack("{s:i, s:n, s:n, s:n, s:n, s:[], s:[], s:[]}", "index", index, "mode",
				   "flag", "anchor", "holder", "addresses", "gateways", "pods");

	json_object_set_new(master, "name", link ? json_text(link->name) : json_null());
	json_object_set_new(master, "namespace", place && place->path ? json_text(place->path) : json_null());
	json_object_set_new(master, "namespaceInode", json_integer(place ? (json_int_t)place->id.inode : 0));
	if (!link)
		return master;
	json_object_set_new(master, "kind", json_string(link->kind));
	json_object_set_new(master, "mac", json_string(link->mac));
	json_object_set_new(master, "mtu", json_integer(link->mtu));
	json_object_set_new(master, "up", json_boolean(link->flags & IFF_UP));
	json_object_set_new(master, "holder", scan_holder_json(place, link));
	if (!strcmp(link->kind, "vlan")) {
		const struct link *parent =
			link->parent_elsewhere ? NULL : scan_link_of(&place->links, link->parent);

		json_object_set_new(master, "vlan", json_integer(link->vlan));
		json_object_set_new(master, "parent", parent ? json_text(parent->name) : json_null());
	}
	return master;
}

/* place: the master's; NULL: unknown. */
static json_t *scan_master_of(struct scan *scan, const struct place *place, int index)
{
	const json_int_t inode = place ? (json_int_t)place->id.inode : 0;
	json_t *master;
	size_t i;

	json_array_foreach(scan->masters, i, master)
		if (json_integer_value(json_object_get(master, "index")) == index &&
		    json_integer_value(json_object_get(master, "namespaceInode")) == inode)
			return master;
	master = scan_new_master(place, place ? scan_link_of(&place->links, index) : NULL, index);
	json_array_append_new(scan->masters, master);
	return master;
}

static json_t *scan_namespace_json(const char *path, const struct netns_id *id)
{
	json_t *place = json_pack("{s:o, s:I, s:I}", "path", path && *path ? json_text(path) : json_null(),
				  "inode", (json_int_t)id->inode, "cookie", (json_int_t)id->cookie);

	if (path && !strncmp(path, "/proc/", 6))
		json_object_set_new(place, "pid", json_integer(strtol(path + 6, NULL, 10)));
	return place;
}

static bool scan_has_parent(const struct place *place, const struct link *slave)
{
	const struct link *parent = scan_link_of(&place->links, slave->parent);

	return parent && !strcmp(parent->mac, slave->mac);
}

/* The namespace of the slave's parent; NULL: unknown. */
static const struct place *scan_parent_place(const struct scan *scan, const struct place *place,
					     const struct link *slave)
{
	if (!link_tells_netns(slave))
		return scan_has_parent(place, slave)	     ? place
		       : scan_has_parent(&scan->home, slave) ? &scan->home
							     : NULL;
	if (!slave->parent_elsewhere)
		return place;
	return place->our_id >= 0 && slave->parent_netns == place->our_id ? &scan->home : NULL;
}

static void scan_add_pod(struct scan *scan, struct place *place, const struct link *link)
{
	const struct place *parent = scan_parent_place(scan, place, link);
	json_t *master = scan_master_of(scan, parent, link->parent), *pod;

	json_object_set_new(master, "mode", json_string(ipvlan_mode_text(link->ipvlan_mode)));
	json_object_set_new(master, "flag", json_string(ipvlan_flags_text(link->ipvlan_flags)));
	if (!place->path && link->group == OUR_NUMBER) {
		json_object_set_new(master, "anchor",
				    json_pack("{s:o, s:b}", "name", json_text(link->name), "up",
					      !!(link->flags & IFF_UP)));
		return;
	}
	pod = json_pack("{s:o, s:i, s:o, s:i, s:b, s:[], s:[], s:n, s:n, s:[]}", "interface",
			json_text(link->name), "index", link->index, "namespace",
			scan_namespace_json(place->path, &place->id), "mtu", (int)link->mtu, "up",
			!!(link->flags & IFF_UP), "addresses", "defaultRoutes", "container", "network",
			"objects");
	json_object_set_new(pod, "pod", json_null());
	json_object_set_new(pod, "age", json_null());
	json_array_append(place->pods, pod);
	json_array_append_new(json_object_get(master, "pods"), pod);
}

static json_t *scan_pod_of_link(const struct place *place, int index)
{
	json_t *pod;
	size_t i;

	json_array_foreach(place->pods, i, pod)
		if (json_integer_value(json_object_get(pod, "index")) == index)
			return pod;
	return NULL;
}

static void scan_add_address(const struct addr_seen *seen, void *arg)
{
	json_t *pod = scan_pod_of_link(arg, seen->link);

	if (pod && !ip_is_link_local(&seen->address.ip))
		json_array_append_new(json_object_get(pod, "addresses"),
				      json_string(prefix_text(&seen->address).s));
}

static void scan_add_route(const struct route_seen *route, void *arg)
{
	json_t *pod =
		route->dst.len || route->type != RTN_UNICAST ? NULL : scan_pod_of_link(arg, route->link);

	if (pod)
		json_array_append_new(json_object_get(pod, "defaultRoutes"),
				      route->gw.family ? json_string(ip_text(&route->gw).s)
						       : json_string("on the link"));
}

static json_t *scan_master_here(const struct scan *scan, int index)
{
	json_t *master;
	size_t i;

	json_array_foreach(scan->masters, i, master)
		if (json_integer_value(json_object_get(master, "index")) == index &&
		    json_integer_value(json_object_get(master, "namespaceInode")) ==
			    (json_int_t)scan->home.id.inode)
			return master;
	return NULL;
}

static void scan_add_host_address(const struct addr_seen *seen, void *arg)
{
	const json_t *master = scan_master_here(arg, seen->link);

	if (master && !ip_is_link_local(&seen->address.ip))
		json_array_append_new(json_object_get(master, "addresses"),
				      json_string(prefix_text(&seen->address).s));
}

static void scan_add_gateway(const struct route_seen *route, void *arg)
{
	const json_t *master =
		route->dst.len || !route->gw.family ? NULL : scan_master_here(arg, route->link);

	if (master)
		json_array_append_new(json_object_get(master, "gateways"),
				      json_string(ip_text(&route->gw).s));
}

/* Adds the host's addresses and gateways to its masters. Requires all masters. */
static int scan_look_at_host(struct scan *scan, struct cni_error *err)
{
	return addr_each(&scan->host, scan_add_host_address, scan, err) |
	       route_each(&scan->host, AF_INET, RT_TABLE_MAIN, scan_add_gateway, scan, err) |
	       route_each(&scan->host, AF_INET6, RT_TABLE_MAIN, scan_add_gateway, scan, err);
}

/* Reads the links of one namespace, then their addresses and routes. */
static int scan_namespace(struct scan *scan, struct place *place, struct rtnl *nl, struct cni_error *err)
{
	int rc = link_each(nl, scan_keep_link, &place->links, err);

	place->pods = json_array();
	for (size_t i = 0; rc == 0 && i < place->links.n; i++)
		if (link_is_ipvlan(&place->links.list[i]))
			scan_add_pod(scan, place, &place->links.list[i]);
	if (rc == 0 && json_array_size(place->pods))
		rc = addr_each(nl, scan_add_address, place, err) |
		     route_each(nl, AF_INET, RT_TABLE_MAIN, scan_add_route, place, err) |
		     route_each(nl, AF_INET6, RT_TABLE_MAIN, scan_add_route, place, err);
	json_decref(place->pods);
	place->pods = NULL;
	return rc;
}

/* Names a namespace that cannot be read, and goes on with the others. */
static int scan_look_into(int netns, const char *path, void *arg, struct cni_error *err)
{
	struct scan *scan = arg;
	struct place place = { .path = path, .our_id = -1 };
	struct rtnl nl;
	int rc;

	if (netns < 0) {
		cni_log("ipvlanctl: %s", path);
		return 0;
	}
	if (rtnl_open(&nl, netns, err) < 0)
		return -1;
	place.id = netns_id_of(netns);
	if (rtnl_our_id(&nl, &place.our_id, NULL) != FOUND)
		place.our_id = -1;
	rc = scan_namespace(scan, &place, &nl, err);
	json_array_append_new(scan->seen, json_string(netns_id_text(&place.id).s));
	rtnl_close(&nl);
	free(place.links.list);
	return rc;
}

static json_t *scan_pod_of_page(const struct scan *scan, const struct page *page)
{
	const json_t *master;
	json_t *pod;
	size_t i, k;

	json_array_foreach(scan->masters, i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod) {
			const json_t *place = json_object_get(pod, "namespace");
			const struct netns_id id = {
				.inode = (uint64_t)json_integer_value(json_object_get(place, "inode")),
				.cookie = (uint64_t)json_integer_value(json_object_get(place, "cookie")),
			};
			bool here = page->netns.inode ? netns_is(&id, &page->netns)
						      : !strcmp(scan_text(place, "path"), page->path);

			if (here && !strcmp(scan_text(pod, "interface"), page->ifname))
				return pod;
		}
	return NULL;
}

/* As object_text(), with the link's name in place of its index. */
static json_t *scan_object(struct scan *scan, const struct object *object)
{
	const struct link *dev = object->dev ? scan_link_of(&scan->home.links, object->dev) : NULL;
	const struct object_text text = object_text(object);
	char number[24], named[sizeof(text) + IFNAMSIZ];
	const char *at;

	snprintf(number, sizeof(number), " dev %d", object->dev);
	at = dev ? strstr(text.s, number) : NULL;
	if (at)
		snprintf(named, sizeof(named), "%.*s dev %s%s", (int)(at - text.s), text.s, dev->name,
			 at + strlen(number));
	else
		snprintf(named, sizeof(named), "%s", text.s);
	return json_pack("{s:o, s:b}", "object", json_text(named), "found",
			 object_find(&scan->view, object, NULL) == FOUND);
}

static json_t *scan_objects(struct scan *scan, const struct page *page)
{
	json_t *list = json_array();

	for (size_t i = 0; i < page->n_objects; i++)
		json_array_append_new(list, scan_object(scan, &page->objects[i]));
	return list;
}

static json_t *scan_count(const struct fence_traffic *traffic, size_t direction)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "packets", (json_int_t)traffic->packets[direction], "bytes",
			 (json_int_t)traffic->bytes[direction], "late", (json_int_t)traffic->late[direction],
			 "denied", (json_int_t)traffic->denied[direction]);
}

static void scan_add_denial(const char *rule, long long packets, void *arg)
{
	json_t *rules = arg;
	const json_int_t before = json_integer_value(json_object_get(rules, rule));

	/* a rule of the configuration may be two of nft, one for each family */
	json_object_set_new(rules, rule, json_integer(before + packets));
}

/* Adds the drops of a policy's rules to the master, once. */
static void scan_add_denials(struct scan *scan, const struct page *page, const struct object *policy)
{
	json_t *master = scan_master_here(scan, policy->dev), *denied = json_object_get(master, "denied"),
	       *rules;
	const json_t *entry;
	size_t i;

	json_array_foreach(denied, i, entry)
		if (!strcmp(scan_text(entry, "policy"), policy->name))
			return;
	if (!master)
		return;
	if (!denied)
		json_object_set_new(master, "denied", denied = json_array());
	rules = json_object();
	policy_each_denied(&scan->view, policy, scan_add_denial, rules, NULL);
	json_array_append_new(denied, json_pack("{s:s, s:s, s:o}", "network", page->network, "policy",
						policy->name, "rules", rules));
}

/* Adds the counters of the master's fence for the pod's addresses, if there is a fence. */
static void scan_add_traffic(struct scan *scan, json_t *pod, const struct page *page)
{
	struct fence_traffic traffic = { .packets = { 0 } };
	bool any = false;

	for (size_t i = 0; i < page->n_objects; i++)
		if (page->objects[i].kind == OBJECT_LEASE)
			any |= fence_count(&scan->view, &page->objects[i], &traffic, NULL) == FOUND;
	for (size_t i = 0; i < page->n_objects; i++) {
		if (page->objects[i].kind == OBJECT_RATE)
			fence_count_late(&scan->view, &page->objects[i], &traffic);
		if (page->objects[i].kind == OBJECT_SUBJECT)
			policy_count_denied(&scan->view, &page->objects[i], &traffic);
		if (page->objects[i].kind == OBJECT_POLICY)
			scan_add_denials(scan, page, &page->objects[i]);
	}
	if (any)
		json_object_set_new(pod, "traffic",
				    json_pack("{s:o, s:o}", "out", scan_count(&traffic, 0), "in",
					      scan_count(&traffic, 1)));
}

static void scan_add_drop(const char *reason, long long packets, void *drops)
{
	json_object_set_new(drops, reason, json_integer(packets));
}

/* Adds the drops on a master with antiSpoof. */
static void scan_add_drops(const struct object *guard, void *arg)
{
	struct scan *scan = arg;
	json_t *master = scan_master_here(scan, guard->dev), *drops;

	if (!master)
		return;
	drops = json_object();
	fence_each_drop(&scan->view, guard->dev, scan_add_drop, drops, NULL);
	json_object_set_new(master, "dropped", drops);
}

static const char *scan_state_of(struct scan *scan, const struct page *page)
{
	const json_t *seen;
	size_t i;

	if (!page->netns.inode)
		return "unknown";
	json_array_foreach(scan->seen, i, seen) {
		const struct netns_id id = netns_id_parse(json_string_value(seen));

		if (netns_is(&id, &page->netns))
			return "no interface";
	}
	switch (alive_find(&scan->alive, &page->netns)) {
	case FOUND:
		return "hidden";
	case FOUND_NOT:
		return "gone";
	default:
		return "unknown";
	}
}

/* Adds the pod's name and age. */
static void scan_add_workload(json_t *pod, const struct page *page)
{
	const struct workload *workload = &page->workload;
	struct timespec now = { .tv_sec = 0 };
	long long age;

	if (*workload->name)
		json_object_set_new(pod, "pod",
				    json_pack("{s:o, s:o}", "namespace", json_text(workload->namespace),
					      "name", json_text(workload->name)));
	clock_gettime(CLOCK_BOOTTIME, &now);
	age = now.tv_sec - page->made_at;
	if (page->made_at > 0 && age >= 0)
		json_object_set_new(pod, "age", json_integer(age));
}

static int scan_add_page(const struct page *page, void *arg, struct cni_error *err)
{
	struct scan *scan = arg;
	json_t *pod = scan_pod_of_page(scan, page);

	(void)err;
	if (!pod) {
		pod = json_pack("{s:o, s:o, s:s, s:n, s:n}", "interface", json_text(page->ifname),
				"namespace", scan_namespace_json(page->path, &page->netns), "state",
				scan_state_of(scan, page), "pod", "age");
		json_array_append_new(scan->lost, pod);
	}
	json_object_set_new(pod, "container", json_text(page->container));
	json_object_set_new(pod, "network", json_text(page->network));
	json_object_set_new(pod, "objects", scan_objects(scan, page));
	scan_add_traffic(scan, pod, page);
	scan_add_workload(pod, page);
	return 0;
}

/* Takes no lock, so that no call waits for a reader. */
static int scan_read_ledger(struct scan *scan, struct cni_error *err)
{
	struct ledger ledger;
	enum found found = ledger_open(&ledger, &scan->host, err);
	int rc = found == FOUND ? pages_each(&ledger, scan_add_page, scan, err) : (int)found;

	if (found == FOUND && rc == 0)
		rc = hold_each(&ledger, OBJECT_GUARD, scan_add_drops, scan, err);

	ledger_close(&ledger);
	return rc;
}

static int scan_read_all(struct scan *scan, struct cni_error *err)
{
	int rc = scan_namespace(scan, &scan->home, &scan->host, err);

	if (rc == 0)
		rc = alive_each(&scan->alive, scan_look_into, scan, err);
	if (rc == 0 && *scan->alive.unseen)
		cni_log("ipvlanctl: the search for namespaces is not complete: %s", scan->alive.unseen);
	if (rc == 0 && json_array_size(scan->masters))
		rc = scan_look_at_host(scan, err);
	return rc == 0 ? scan_read_ledger(scan, err) : rc;
}

json_t *scan(struct cni_error *err)
{
	struct scan scan = { .masters = json_array(), .lost = json_array(), .seen = json_array() };
	json_t *doc = json_pack("{s:o, s:o}", "masters", scan.masters, "lost", scan.lost);
	int rc = rtnl_open(&scan.host, -1, err);

	if (rc == 0) {
		scan.home = (struct place){ .id = netns_id("/proc/self/ns/net"), .our_id = -1 };
		view_open(&scan.view, &scan.host);
		/* one listing serves all objects */
		view_read(&scan.view, AF_INET, NULL);
		view_read(&scan.view, AF_INET6, NULL);
		alive_read(&scan.alive);
		rc = scan_read_all(&scan, err);
		alive_free(&scan.alive);
		view_close(&scan.view);
		rtnl_close(&scan.host);
	}
	free(scan.home.links.list);
	json_decref(scan.seen);
	if (rc == 0)
		return doc;
	json_decref(doc);
	return NULL;
}
