#include "ctl/scan.h"

#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/json.h"
#include "net/addr.h"
#include "net/alive.h"
#include "net/netns.h"
#include "plugin/ledger.h"

struct links {
	struct link *list;
	size_t n, room;
};

/* A network namespace that was looked into. */
struct place {
	const char *path; /* NULL: the host's, ours */
	struct netns_id id;
	int our_id; /* by which it knows ours, -1: it does not */
	struct links links;
	json_t *pods; /* those in it, by the order of their links; borrowed */
};

struct scan {
	struct rtnl host;
	struct place home;
	json_t *masters, *lost, *seen; /* seen: places, as netns_id_text() has them */
	struct alive alive;
};

const char *scan_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void keep_link(const struct link *link, void *arg)
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

static const struct link *link_of(const struct links *links, int index)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->list[i].index == index)
			return &links->list[i];
	return NULL;
}

static json_t *holder_json(const struct place *place, const struct link *link)
{
	const struct link *holder = link->holder ? link_of(&place->links, link->holder) : NULL;

	return holder ? json_pack("{s:o, s:s}", "name", json_text(holder->name), "kind", holder->kind)
		      : json_null();
}

/* Where somebody else's master is, nobody tells: link is NULL then. */
static json_t *new_master(const struct place *place, const struct link *link, int index)
{
	json_t *master = json_pack("{s:i, s:n, s:n, s:n, s:n, s:[]}", "index", index, "mode", "flag",
				   "anchor", "holder", "pods");

	json_object_set_new(master, "name", link ? json_text(link->name) : json_null());
	json_object_set_new(master, "namespace", place && place->path ? json_text(place->path) : json_null());
	json_object_set_new(master, "namespaceInode", json_integer(place ? (json_int_t)place->id.inode : 0));
	if (!link)
		return master;
	json_object_set_new(master, "kind", json_string(link->kind));
	json_object_set_new(master, "mac", json_string(link->mac));
	json_object_set_new(master, "mtu", json_integer(link->mtu));
	json_object_set_new(master, "up", json_boolean(link->flags & IFF_UP));
	json_object_set_new(master, "holder", holder_json(place, link));
	return master;
}

/* place is where the master is, NULL: nobody knows. */
static json_t *master_of(struct scan *scan, const struct place *place, int index)
{
	const json_int_t inode = place ? (json_int_t)place->id.inode : 0;
	json_t *master;
	size_t i;

	json_array_foreach(scan->masters, i, master)
		if (json_integer_value(json_object_get(master, "index")) == index &&
		    json_integer_value(json_object_get(master, "namespaceInode")) == inode)
			return master;
	master = new_master(place, place ? link_of(&place->links, index) : NULL, index);
	json_array_append_new(scan->masters, master);
	return master;
}

static json_t *namespace_json(const char *path, const struct netns_id *id)
{
	json_t *place = json_pack("{s:o, s:I, s:I}", "path", path && *path ? json_text(path) : json_null(),
				  "inode", (json_int_t)id->inode, "cookie", (json_int_t)id->cookie);

	if (path && !strncmp(path, "/proc/", 6))
		json_object_set_new(place, "pid", json_integer(strtol(path + 6, NULL, 10)));
	return place;
}

static void add_pod(struct scan *scan, struct place *place, const struct link *link)
{
	const struct place *parent = !link->parent_elsewhere					 ? place
				     : place->our_id >= 0 && link->parent_netns == place->our_id ? &scan->home
												 : NULL;
	json_t *master = master_of(scan, parent, link->parent), *pod;

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
			namespace_json(place->path, &place->id), "mtu", (int)link->mtu, "up",
			!!(link->flags & IFF_UP), "addresses", "defaultRoutes", "container", "network",
			"objects");
	json_array_append(place->pods, pod);
	json_array_append_new(json_object_get(master, "pods"), pod);
}

static json_t *pod_of_link(const struct place *place, int index)
{
	json_t *pod;
	size_t i;

	json_array_foreach(place->pods, i, pod)
		if (json_integer_value(json_object_get(pod, "index")) == index)
			return pod;
	return NULL;
}

static void add_address(const struct addr_seen *seen, void *arg)
{
	json_t *pod = pod_of_link(arg, seen->link);

	if (pod && !ip_is_link_local(&seen->address.ip))
		json_array_append_new(json_object_get(pod, "addresses"),
				      json_string(prefix_text(&seen->address).s));
}

static void add_route(const struct route_seen *route, void *arg)
{
	json_t *pod = route->dst.len || route->type != RTN_UNICAST ? NULL : pod_of_link(arg, route->link);

	if (pod)
		json_array_append_new(json_object_get(pod, "defaultRoutes"),
				      route->gw.family ? json_string(ip_text(&route->gw).s)
						       : json_string("on the link"));
}

/* Links, then what is on them, of one namespace. */
static int look(struct scan *scan, struct place *place, struct rtnl *nl, struct cni_error *err)
{
	int rc = link_each(nl, keep_link, &place->links, err);

	place->pods = json_array();
	for (size_t i = 0; rc == 0 && i < place->links.n; i++)
		if (!strcmp(place->links.list[i].kind, "ipvlan"))
			add_pod(scan, place, &place->links.list[i]);
	if (rc == 0 && json_array_size(place->pods))
		rc = addr_each(nl, add_address, place, err) |
		     route_each(nl, AF_INET, RT_TABLE_MAIN, add_route, place, err) |
		     route_each(nl, AF_INET6, RT_TABLE_MAIN, add_route, place, err);
	json_decref(place->pods);
	place->pods = NULL;
	return rc;
}

static int look_into(int netns, const char *path, void *arg, struct cni_error *err)
{
	struct scan *scan = arg;
	struct place place = { .path = path, .our_id = -1 };
	struct rtnl nl;
	int rc;

	if (rtnl_open(&nl, netns, err) < 0)
		return -1;
	place.id = netns_id_of(netns);
	place.our_id = rtnl_own_id(&nl, NULL);
	rc = look(scan, &place, &nl, err);
	json_array_append_new(scan->seen, json_string(netns_id_text(&place.id).s));
	rtnl_close(&nl);
	free(place.links.list);
	return rc;
}

static json_t *pod_of_page(const struct scan *scan, const struct page *page)
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

/* As object_text() has it, with the names of links in place of their numbers. */
static json_t *object_json(struct scan *scan, const struct object *object)
{
	const struct link *dev = object->dev ? link_of(&scan->home.links, object->dev) : NULL;
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
			 object_find(&scan->host, object, NULL) == FOUND);
}

static json_t *objects_json(struct scan *scan, const struct page *page)
{
	json_t *list = json_array();

	for (size_t i = 0; i < page->n_objects; i++)
		json_array_append_new(list, object_json(scan, &page->objects[i]));
	return list;
}

static const char *state_of(struct scan *scan, const struct page *page)
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

static int add_page(const struct page *page, void *arg, struct cni_error *err)
{
	struct scan *scan = arg;
	json_t *pod = pod_of_page(scan, page);

	(void)err;
	if (!pod) {
		pod = json_pack("{s:o, s:o, s:s}", "interface", json_text(page->ifname), "namespace",
				namespace_json(page->path, &page->netns), "state", state_of(scan, page));
		json_array_append_new(scan->lost, pod);
	}
	json_object_set_new(pod, "container", json_text(page->container));
	json_object_set_new(pod, "network", json_text(page->network));
	json_object_set_new(pod, "objects", objects_json(scan, page));
	return 0;
}

static int read_ledger(struct scan *scan, struct cni_error *err)
{
	struct ledger ledger;
	enum found found = ledger_open(&ledger, &scan->host, false, err);
	int rc;

	if (found != FOUND)
		return (int)found;
	alive_read(&scan->alive);
	rc = ledger_each(&ledger, add_page, scan, err);
	alive_free(&scan->alive);
	ledger_close(&ledger);
	return rc;
}

json_t *scan(struct cni_error *err)
{
	struct scan scan = { .masters = json_array(), .lost = json_array(), .seen = json_array() };
	json_t *doc = json_pack("{s:o, s:o}", "masters", scan.masters, "lost", scan.lost);
	int rc = rtnl_open(&scan.host, -1, err);

	scan.home = (struct place){ .id = netns_id("/proc/self/ns/net"), .our_id = -1 };
	if (rc == 0)
		rc = look(&scan, &scan.home, &scan.host, err);
	if (rc == 0)
		rc = netns_each(look_into, &scan, err);
	if (rc == 0)
		rc = read_ledger(&scan, err);
	rtnl_close(&scan.host);
	free(scan.home.links.list);
	json_decref(scan.seen);
	if (rc == 0)
		return doc;
	json_decref(doc);
	return NULL;
}
