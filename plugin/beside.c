/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/beside.h"

#include <errno.h>
#include <string.h>

#include "net/addr.h"

#define IPV6_METRIC 1024 /* IP6_RT_PRIO_USER: the metric of a route that was added without one */

/* A route of the plan, and the other routes of the pod to its destination. */
struct beside {
	const struct route *route;
	int link;
	struct route_seen other; /* of another interface, with the lowest metric; link 0: none */
};

static void beside_compare(const struct route_seen *seen, void *arg)
{
	struct beside *beside = arg;

	if (!prefix_equal(&seen->dst, &beside->route->dst) || seen->table != beside->route->table ||
	    seen->type != RTN_UNICAST)
		return;
	if (seen->link != beside->link && (!beside->other.link || seen->priority < beside->other.priority))
		beside->other = *seen;
}

static const char *beside_effect(const struct route_seen *other, const struct route *route)
{
	if (route->dst.ip.family != AF_INET6 || route->priority != other->priority)
		return "the one of the new interface is used";
	if (!other->gw.family || !route->n_hops || !route->hops[0].gw.family)
		return "the kernel uses one of them";
	return "the kernel shares packets among both";
}

static void beside_log(struct iface *iface, const struct beside *beside, const struct route *route)
{
	struct link other = { .name = "" };

	link_find_index(&iface->pod, beside->other.link, &other, NULL);
	cni_log("the pod has two routes to %s, by %s with metric %u and by %s with metric %u: %s; "
		"\"priority\" in "
		"the route decides otherwise",
		prefix_text(&route->dst).s, other.name, beside->other.priority, iface->req->ifname,
		route->priority, beside_effect(&beside->other, route));
}

static int beside_add(struct iface *iface, const struct beside *beside, struct cni_error *err)
{
	struct route route = *beside->route;
	struct cni_error why = { 0 };
	int error;

	if (beside->other.link && !route.priority && route.dst.ip.family == AF_INET6)
		route.priority = beside->other.priority > 1 && beside->other.priority <= IPV6_METRIC
					 ? beside->other.priority - 1
					 : IPV6_METRIC;
	error = route_put(&iface->pod, iface->link.index, &route, &why);
	if (error == EEXIST) /* the kernel has this route already */
		return 0;
	if (error) {
		cni_fail(err, CNI_INTERNAL, "failed to add route '%s dev %s': %s", prefix_text(&route.dst).s,
			 iface->req->ifname, why.msg);
		return cni_hint(err, "%s", why.details);
	}
	if (beside->other.link)
		beside_log(iface, beside, &route);
	return 0;
}

int beside_place(struct iface *iface, const struct plan *plan, const bool *which, struct cni_error *err)
{
	for (size_t i = 0; i < plan->n_routes; i++) {
		struct beside beside = { .route = &plan->routes[i], .link = iface->link.index };

		if (!which[i])
			continue;
		if (route_each(&iface->pod, beside.route->dst.ip.family, beside.route->table, beside_compare,
			       &beside, err) < 0)
			return -1;
		if (beside_add(iface, &beside, err) < 0)
			return -1;
	}
	return 0;
}
