/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/plan.h"

#include <stdint.h>
#include <stdlib.h>

#include "cni/cleanup.h"

static bool plan_is_near(const struct result *result, const struct ip *gw)
{
	if (ip_is_link_local(gw))
		return true;
	for (size_t i = 0; i < result->n_ips; i++) {
		const struct prefix *address = &result->ips[i].address;

		/* a /32 or /128 has no other address in its subnet, and its own cannot be a gateway */
		if (address->len < 8 * ip_size(gw) && prefix_contains(address, gw))
			return true;
	}
	return false;
}

static const struct ip *plan_family_gateway(const struct result *result, int family)
{
	for (size_t i = 0; i < result->n_ips; i++)
		if (result->ips[i].gateway.family == family)
			return &result->ips[i].gateway;
	return NULL;
}

/*
 * The rule of the Go plugins: a route without gw uses that of the first address of its family that
 * has one; gw 0.0.0.0 means none. In addition: a route with a scope of link or narrower has no
 * gateway, as the kernel requires.
 */
static struct nexthop plan_next_hop(const struct result *result, const struct cni_route *route)
{
	const struct ip *gw = route->gw.family ? &route->gw : NULL;
	struct nexthop hop = { .onlink = false };

	if (!gw && route->scope < RT_SCOPE_LINK)
		gw = plan_family_gateway(result, route->dst.ip.family);
	if (!gw || ip_is_any(gw))
		return hop;
	hop.gw = *gw;
	hop.onlink = !plan_is_near(result, gw);
	return hop;
}

static uint32_t plan_table_of(const struct cni_route *route)
{
	return route->table > 0 ? (uint32_t)route->table : RT_TABLE_MAIN;
}

static int plan_compare_numbers(long long a, long long b)
{
	return a < b ? -1 : a > b;
}

static int plan_compare_routes(const struct cni_route *a, const struct cni_route *b)
{
	const struct prefix x = prefix_network(&a->dst), y = prefix_network(&b->dst);
	int order = prefix_compare(&x, &y);

	order = order ? order : plan_compare_numbers(plan_table_of(a), plan_table_of(b));
	order = order ? order : plan_compare_numbers(a->priority, b->priority);
	order = order ? order : plan_compare_numbers(a->scope, b->scope);
	order = order ? order : plan_compare_numbers(a->mtu, b->mtu);
	return order ? order : plan_compare_numbers(a->advmss, b->advmss);
}

/* A route of the result, and its next hop. */
struct plan_entry {
	const struct cni_route *from;
	struct nexthop hop;
};

/* 0: x and y are next hops of one route. The kernel refuses a route with a next hop by a gateway and one by
 * none. */
static int plan_compare_entries(const struct plan_entry *x, const struct plan_entry *y)
{
	int order = plan_compare_routes(x->from, y->from);

	return order ? order : plan_compare_numbers(!x->hop.gw.family, !y->hop.gw.family);
}

/* Sorts next hops of one route together, in the order of the list. */
static int plan_by_route(const void *a, const void *b)
{
	const struct plan_entry *x = a, *y = b;
	int order = plan_compare_entries(x, y);

	return order ? order : plan_compare_numbers(x->from - y->from, 0);
}

static bool plan_has_hop(const struct route *route, const struct nexthop *hop)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (ip_equal(&route->hops[i].gw, &hop->gw))
			return true;
	return false;
}

/* Adds a route with the next hops of n entries. */
static int plan_add_route(struct plan *plan, const struct plan_entry *entries, size_t n, size_t *n_hops,
			  struct cni_error *err)
{
	const struct cni_route *from = entries[0].from;
	struct route *route = &plan->routes[plan->n_routes++];

	*route = (struct route){
		.dst = prefix_network(&from->dst),
		.mtu = from->mtu,
		.advmss = from->advmss,
		.priority = from->priority,
		.table = plan_table_of(from),
		.hops = &plan->hops[*n_hops],
	};
	for (size_t i = 0; i < n; i++) {
		if (plan_has_hop(route, &entries[i].hop))
			continue;
		if (route->n_hops == PLAN_HOPS_MAX)
			return cni_fail(err, CNI_CONFIG, "more than %d gateways to %s", PLAN_HOPS_MAX,
					prefix_text(&route->dst).s);
		plan->hops[(*n_hops)++] = entries[i].hop;
		route->n_hops++;
	}
	/* as iproute2 does: a route without a gateway has the scope link */
	route->scope = from->scope >= 0		  ? (unsigned char)from->scope
		       : route->hops[0].gw.family ? RT_SCOPE_UNIVERSE
						  : RT_SCOPE_LINK;
	return 0;
}

/* sorted: the entries of result in the order of plan_by_route(). first: for each route of result that is
 * the first of its next hops, their start in sorted; else SIZE_MAX. */
static void plan_group(const struct result *result, struct plan_entry *sorted, size_t *first)
{
	for (size_t i = 0; i < result->n_routes; i++) {
		sorted[i].from = &result->routes[i];
		sorted[i].hop = plan_next_hop(result, &result->routes[i]);
		first[i] = SIZE_MAX;
	}
	qsort(sorted, result->n_routes, sizeof(*sorted), plan_by_route);
	for (size_t i = 0; i < result->n_routes; i++)
		if (!i || plan_compare_entries(&sorted[i - 1], &sorted[i]) != 0)
			first[sorted[i].from - result->routes] = i;
}

static int plan_fill(struct plan *plan, const struct result *result, struct cni_error *err)
{
	autofree struct plan_entry *sorted = calloc(result->n_routes + 1, sizeof(*sorted));
	autofree size_t *first = calloc(result->n_routes + 1, sizeof(*first));
	size_t n_hops = 0;

	plan->routes = calloc(result->n_routes + 1, sizeof(*plan->routes));
	plan->hops = calloc(result->n_routes + 1, sizeof(*plan->hops));
	if (!sorted || !first || !plan->routes || !plan->hops)
		return cni_fail(err, CNI_RETRY, "out of memory");
	plan_group(result, sorted, first);
	for (size_t i = 0; i < result->n_routes; i++) {
		size_t end = first[i];

		if (end == SIZE_MAX)
			continue;
		do
			end++;
		while (end < result->n_routes && plan_compare_entries(&sorted[end - 1], &sorted[end]) == 0);
		if (plan_add_route(plan, &sorted[first[i]], end - first[i], &n_hops, err) < 0)
			return -1;
	}
	return 0;
}

int plan_make(struct plan *ret, const struct result *result, struct cni_error *err)
{
	struct plan plan = { .n_routes = 0 };

	if (plan_fill(&plan, result, err) == 0) {
		*ret = plan;
		return 0;
	}
	plan_free(&plan);
	return -1;
}

void plan_free(struct plan *plan)
{
	free(plan->routes);
	free(plan->hops);
}
