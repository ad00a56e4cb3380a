/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/addr.h"
#include "plugin/kinds.h"

static struct nexthop route_hop_of(const struct object *object)
{
	return (struct nexthop){ .gw = object->via };
}

static struct route route_of(const struct object *object, const struct nexthop *hop)
{
	return (struct route){
		.dst = object->to,
		.table = RT_TABLE_MAIN,
		.scope = object->via.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.protocol = OUR_NUMBER,
		.src = object->src,
		.hops = hop,
		.n_hops = 1,
	};
}

struct rivals {
	bool same, differs;
	struct route_seen other; /* if differs */
};

/* The metric that the kernel gives a route without one: IP6_RT_PRIO_USER in IPv6. */
static unsigned int route_default_metric(const struct object *object)
{
	return object->to.ip.family == AF_INET6 ? 1024 : 0;
}

/* A route that refuses packets matters only if the kernel prefers it to ours. */
static bool route_is_rival(const struct object *object, const struct route_seen *seen)
{
	return seen->type == RTN_UNICAST || seen->priority <= route_default_metric(object);
}

/* Finds the routes to the same destination, those of other next hops with any metric. */
static int route_look(struct view *view, const struct object *object, struct rivals *ret,
		      struct cni_error *err)
{
	const struct route_seen *list;
	size_t n;

	*ret = (struct rivals){ .same = false };
	if (view_routes_to(view, &object->to, &list, &n, err) == FOUND_FAILED)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!route_is_rival(object, &list[i]))
			continue;
		if (list[i].type == RTN_UNICAST && list[i].link == object->dev &&
		    ip_equal(&list[i].gw, &object->via)) {
			ret->same = true;
		} else {
			ret->differs = true;
			ret->other = list[i];
		}
	}
	return 0;
}

/* The way of a route that has no next hop, in the terms of ip-route(8). NULL: it has one. */
static const char *route_refusal(const struct route_seen *seen)
{
	switch (seen->type) {
	case RTN_UNICAST:
		return NULL;
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_PROHIBIT:
		return "prohibit";
	case RTN_THROW:
		return "throw";
	default:
		return "of another type";
	}
}

static int route_report_other(const struct object *object, const struct route_seen *other,
			      struct cni_error *err)
{
	const char *refusal = route_refusal(other);
	char dev[24] = " on a new interface";

	if (object->dev)
		snprintf(dev, sizeof(dev), " dev %d", object->dev);
	cni_fail(err, CNI_CONFIG, "the host has another route to %s already", prefix_text(&object->to).s);
	if (refusal)
		return cni_hint(err, "%s metric %u; the configuration requires %s%s%s", refusal,
				other->priority, object->via.family ? "via " : "on the link",
				ip_text(&object->via).s, dev);
	return cni_hint(err, "%s%s dev %d metric %u; the configuration requires %s%s%s",
			other->gw.family ? "via " : "on the link", ip_text(&other->gw).s, other->link,
			other->priority, object->via.family ? "via " : "on the link", ip_text(&object->via).s,
			dev);
}

/* Did we make it? The routes of blocks are addrpool's, which refuse packets. */
static bool route_is_ours(const struct route_seen *seen)
{
	return seen->protocol == OUR_NUMBER && seen->type == RTN_UNICAST;
}

/* Deletes a route of ours with another next hop: no attachment holds it, so it is from a ledger
 * that was lost. */
static int route_remove_rival(struct view *view, const struct object *object, const struct route_seen *other,
			      struct cni_error *err)
{
	const struct nexthop hop = { .gw = other->gw };
	struct route old = route_of(object, &hop);

	if (!route_is_ours(other))
		return route_report_other(object, other, err);
	old.src.family = 0;
	return route_delete(view->host, other->link, &old, err);
}

static int route_refused(const struct object *object, const char *why, struct cni_error *err)
{
	return cni_fail(err, CNI_INTERNAL, "failed to add route '%s%s%s' on the host: %s",
			prefix_text(&object->to).s, object->via.family ? " via " : "",
			ip_text(&object->via).s, why);
}

int gateway_refuse(const char *link, const struct ip *gw, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "the gateway %s is not on the link of \"%s\"", ip_text(gw).s, link);
	return cni_hint(err,
			"the host requires an address of the gateway's subnet on that interface, which must "
			"be up: ip -d addr show dev %s",
			link);
}

int gateway_check(struct rtnl *host, int dev, const struct ip *gw, struct cni_error *err)
{
	struct link link = { .name = "" };

	if (route_gateway_is_near(host, dev, gw, err) != FOUND_NOT)
		return 0;
	link_find_index(host, dev, &link, NULL);
	return gateway_refuse(link.name, gw, err);
}

static int route_check_gateway(struct view *view, const struct object *object, struct cni_error *err)
{
	return object->via.family && object->dev ? gateway_check(view->host, object->dev, &object->via, err)
						 : 0;
}

/* Explains why the kernel has refused the route. */
static int route_explain(struct view *view, const struct object *object, const struct cni_error *why,
			 struct cni_error *err)
{
	if (route_check_gateway(view, object, err) < 0)
		return -1;
	route_refused(object, why->msg, err);
	return cni_hint(err, "%s", why->details);
}

/* Reads the routes again: the view may be older than the ledger's lock. */
static int route_settle(struct view *view, const struct object *object, const struct route *route,
			struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct rivals rivals;
	struct view now;
	int rc, error;

	view_open(&now, view->host);
	rc = route_look(&now, object, &rivals, err);
	if (rc == 0 && !rivals.same && rivals.differs)
		rc = route_remove_rival(&now, object, &rivals.other, err);
	view_close(&now);
	if (rc < 0 || rivals.same)
		return rc;
	error = route_add(view->host, object->dev, route, &why);
	return error ? route_explain(view, object, &why, err) : 0;
}

static int route_make(struct view *view, const struct object *object, struct cni_error *err)
{
	const struct nexthop hop = route_hop_of(object);
	const struct route route = route_of(object, &hop);
	struct cni_error why = { 0 };
	struct rivals rivals;
	int error;

	if (route_look(view, object, &rivals, err) < 0)
		return -1;
	if (!rivals.same && rivals.differs)
		return route_settle(view, object, &route, err);
	error = route_add(view->host, object->dev, &route, &why);
	if (error == EEXIST)
		return rivals.same ? 0 : route_settle(view, object, &route, err);
	return error ? route_explain(view, object, &why, err) : 0;
}

static int route_check(struct view *view, const struct object *object, struct cni_error *err)
{
	struct rivals rivals;

	if (route_look(view, object, &rivals, err) < 0)
		return -1;
	if (rivals.same)
		return 0;
	if (rivals.differs && !route_is_ours(&rivals.other))
		return route_report_other(object, &rivals.other, err);
	return route_check_gateway(view, object, err);
}

/* Reads all routes. A route to one address is looked up alone when it is made. */
static int route_read(struct view *view, const struct object *object, bool removing, struct cni_error *err)
{
	if (removing || object->to.len == 8 * ip_size(&object->to.ip))
		return 0;
	return view_read(view, object->to.ip.family, err);
}

static int route_remove(struct view *view, const struct object *object, struct cni_error *err)
{
	const struct nexthop hop = route_hop_of(object);
	const struct route route = route_of(object, &hop);

	return route_delete(view->host, object->dev, &route, err);
}

static enum found route_find(struct view *view, const struct object *object, struct cni_error *err)
{
	struct rivals rivals;

	if (route_look(view, object, &rivals, err) < 0)
		return FOUND_FAILED;
	return rivals.same ? FOUND : FOUND_NOT;
}

const struct kind kind_route = {
	.name = "route",
	.key = KEY_PREFIX,
	.make = route_make,
	.remove = route_remove,
	.find = route_find,
	.check = route_check,
	.look = route_read,
};

static struct neighbour neighbour_of(const struct object *object)
{
	return (struct neighbour){ object->to.ip, object->kind == OBJECT_PROXY ? NULL : object->lladdr };
}

static int neighbour_make(struct view *view, const struct object *object, struct cni_error *err)
{
	const struct neighbour neighbour = neighbour_of(object);

	return neighbour_add(view->host, object->dev, &neighbour, err);
}

static int neighbour_remove(struct view *view, const struct object *object, struct cni_error *err)
{
	const struct neighbour neighbour = neighbour_of(object);

	return neighbour_delete(view->host, object->dev, &neighbour, err);
}

static enum found neighbour_is(struct view *view, const struct object *object, struct cni_error *err)
{
	struct neighbour neighbour = neighbour_of(object);
	struct link link;

	/* the kernel sets the anchor's MAC address to that of the master */
	if (neighbour.mac && link_find_index(view->host, object->dev, &link, err) == FOUND)
		neighbour.mac = link.mac;
	return neighbour_find(view->host, object->dev, &neighbour, err);
}

const struct kind kind_neighbour = {
	.name = "neighbour",
	.key = KEY_DEV | KEY_ADDRESS,
	.make = neighbour_make,
	.remove = neighbour_remove,
	.find = neighbour_is,
};

static int proxy_remove(struct view *view, const struct object *object, struct cni_error *err)
{
	return object->before ? 0 : neighbour_remove(view, object, err);
}

const struct kind kind_proxy = {
	.name = "proxy",
	.key = KEY_DEV | KEY_ADDRESS,
	.make = neighbour_make,
	.remove = proxy_remove,
	.find = neighbour_is,
	.anonymous = true,
};
