#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/addr.h"
#include "plugin/kinds.h"

static struct nexthop hop_of(const struct object *object)
{
	return (struct nexthop){ .gw = object->via };
}

static struct route route_of(const struct object *object, const struct nexthop *hop)
{
	return (struct route){
		.dst = prefix_network(&object->to),
		.table = RT_TABLE_MAIN,
		.scope = object->via.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.protocol = OUR_NUMBER,
		.src = object->src,
		.hops = hop,
		.n_hops = 1,
	};
}

struct search {
	struct prefix dst;
	const struct object *wanted;
	bool same;
	struct route_seen other; /* link 0: there is none */
};

static void match_route(const struct route_seen *seen, void *arg)
{
	struct search *search = arg;

	if (!prefix_equal(&seen->dst, &search->dst) || seen->type != RTN_UNICAST)
		return;
	if (seen->link == search->wanted->dev && ip_equal(&seen->gw, &search->wanted->via))
		search->same = true;
	else
		search->other = *seen;
}

static int look(struct rtnl *host, struct search *search, struct cni_error *err)
{
	return route_each(host, search->dst.ip.family, RT_TABLE_MAIN, match_route, search, err);
}

static int refuse(const struct object *object, const struct route_seen *other, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "the host has another route to %s already", prefix_text(&object->to).s);
	return cni_hint(err, "%s%s dev %d; the configuration wants %s%s dev %d",
			other->gw.family ? "via " : "on the link", ip_text(&other->gw).s, other->link,
			object->via.family ? "via " : "on the link", ip_text(&object->via).s, object->dev);
}

/* Somebody has a route there. The same will do; one of ours that leads elsewhere is
 * left from an attachment that is gone. */
static int replace_route(struct rtnl *host, const struct object *object, const struct route *route,
			 struct cni_error *err)
{
	struct search search = { .dst = route->dst, .wanted = object };
	struct route old = *route;
	struct nexthop hop = { .onlink = false };

	if (look(host, &search, err) < 0)
		return -1;
	if (search.same)
		return 0;
	if (search.other.protocol != OUR_NUMBER)
		return refuse(object, &search.other, err);
	hop.gw = search.other.gw;
	old.hops = &hop;
	if (route_delete(host, search.other.link, &old, err) < 0)
		return -1;
	return route_add(host, object->dev, route, err) ? -1 : 0;
}

static int make_route(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	const struct nexthop hop = hop_of(object);
	const struct route route = route_of(object, &hop);
	struct cni_error why = { 0 };
	int error = route_add(host, object->dev, &route, &why);

	if (!error)
		return 0;
	if (error == EEXIST)
		return replace_route(host, object, &route, err);
	cni_fail(err, error == ENETUNREACH || error == EHOSTUNREACH ? CNI_CONFIG : CNI_INTERNAL,
		 "failed to add route '%s%s%s' on the host: %s", prefix_text(&object->to).s,
		 object->via.family ? " via " : "", ip_text(&object->via).s, why.msg);
	return cni_hint(err, "%s", why.details);
}

static int remove_route(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	const struct nexthop hop = hop_of(object);
	const struct route route = route_of(object, &hop);

	return route_delete(host, object->dev, &route, err);
}

static enum found find_route(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	struct search search = { .dst = prefix_network(&object->to), .wanted = object };

	if (look(host, &search, err) < 0)
		return FOUND_FAILED;
	return search.same ? FOUND : FOUND_NOT;
}

const struct kind kind_route = {
	.name = "route",
	.make = make_route,
	.remove = remove_route,
	.find = find_route,
};

static int make_neighbour(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	const struct neighbour neighbour = { object->to.ip, object->lladdr };

	return neighbour_add(host, object->dev, &neighbour, err);
}

static int remove_neighbour(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	return neighbour_delete(host, object->dev, &object->to.ip, err);
}

static enum found find_neighbour(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	const struct neighbour neighbour = { object->to.ip, object->lladdr };

	return neighbour_find(host, object->dev, &neighbour, err);
}

const struct kind kind_neighbour = {
	.name = "neighbour",
	.make = make_neighbour,
	.remove = remove_neighbour,
	.find = find_neighbour,
};
