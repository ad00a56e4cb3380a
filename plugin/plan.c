#include "plugin/plan.h"

#include <stdlib.h>

static bool covered(const struct result *result, const struct ip *gw)
{
	if (ip_is_link_local(gw))
		return true;
	for (size_t i = 0; i < result->n_ips; i++) {
		const struct prefix *address = &result->ips[i].address;

		/* no gateway behind a /32 or /128, not even the address itself */
		if (address->len < 8 * ip_size(gw) && prefix_contains(address, gw))
			return true;
	}
	return false;
}

static const struct ip *family_gateway(const struct result *result, int family)
{
	for (size_t i = 0; i < result->n_ips; i++)
		if (result->ips[i].gateway.family == family)
			return &result->ips[i].gateway;
	return NULL;
}

/*
 * Go's rule: a route without gw takes that of its family's first address which
 * has one; gw 0.0.0.0 means none. Beyond it: a scope of link or narrower means
 * that there is no gateway, which the kernel insists on.
 */
static struct nexthop next_hop(const struct result *result, const struct cni_route *route)
{
	const struct ip *gw = route->gw.family ? &route->gw : NULL;
	struct nexthop hop = { .onlink = false };

	if (!gw && route->scope < RT_SCOPE_LINK)
		gw = family_gateway(result, route->dst.ip.family);
	if (!gw || ip_is_any(gw))
		return hop;
	hop.gw = *gw;
	hop.onlink = !covered(result, gw);
	return hop;
}

static uint32_t table_of(const struct cni_route *route)
{
	return route->table > 0 ? (uint32_t)route->table : RT_TABLE_MAIN;
}

static bool same_route(const struct cni_route *a, const struct cni_route *b)
{
	struct prefix x = prefix_network(&a->dst), y = prefix_network(&b->dst);

	return prefix_equal(&x, &y) && table_of(a) == table_of(b) && a->priority == b->priority &&
	       a->scope == b->scope && a->mtu == b->mtu && a->advmss == b->advmss;
}

static bool seen_before(const struct result *result, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_route(&result->routes[k], &result->routes[i]))
			return true;
	return false;
}

static bool has_hop(const struct route *route, const struct nexthop *hop)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (ip_equal(&route->hops[i].gw, &hop->gw))
			return true;
	return false;
}

static int add_route(struct plan *plan, const struct result *result, size_t first, size_t *n_hops,
		     struct cni_error *err)
{
	const struct cni_route *from = &result->routes[first];
	struct route *route = &plan->routes[plan->n_routes++];

	*route = (struct route){
		.dst = prefix_network(&from->dst),
		.mtu = from->mtu,
		.advmss = from->advmss,
		.priority = from->priority,
		.table = table_of(from),
		.hops = &plan->hops[*n_hops],
	};
	for (size_t i = first; i < result->n_routes; i++) {
		struct nexthop hop;

		if (!same_route(&result->routes[i], from))
			continue;
		hop = next_hop(result, &result->routes[i]);
		if (has_hop(route, &hop))
			continue;
		if (route->n_hops == PLAN_HOPS_MAX)
			return cni_fail(err, CNI_CONFIG, "more than %d gateways to %s", PLAN_HOPS_MAX,
					prefix_text(&route->dst).s);
		plan->hops[(*n_hops)++] = hop;
		route->n_hops++;
	}
	/* as iproute2 does: what has no gateway reaches no further than the link */
	route->scope = from->scope >= 0		  ? (unsigned char)from->scope
		       : route->hops[0].gw.family ? RT_SCOPE_UNIVERSE
						  : RT_SCOPE_LINK;
	return 0;
}

int plan_make(struct plan *ret, const struct result *result, struct cni_error *err)
{
	struct plan plan = { .n_routes = 0 };
	size_t n_hops = 0;

	plan.routes = calloc(result->n_routes + 1, sizeof(*plan.routes));
	plan.hops = calloc(result->n_routes + 1, sizeof(*plan.hops));
	if (!plan.routes || !plan.hops) {
		plan_free(&plan);
		return cni_fail(err, CNI_RETRY, "out of memory");
	}
	for (size_t i = 0; i < result->n_routes; i++) {
		if (seen_before(result, i) || add_route(&plan, result, i, &n_hops, err) == 0)
			continue;
		plan_free(&plan);
		return -1;
	}
	*ret = plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	free(plan->routes);
	free(plan->hops);
}
