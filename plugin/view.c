/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/view.h"

#include <stdlib.h>
#include <string.h>

void view_open(struct view *ret, struct rtnl *host)
{
	*ret = (struct view){ .host = host };
}

void view_forget_tables(struct view_table *tables)
{
	for (size_t i = 0; i < VIEW_TABLES; i++) {
		json_decref(tables[i].list);
		tables[i].list = NULL;
	}
}

void view_close(struct view *view)
{
	free(view->routes[0].list);
	free(view->routes[1].list);
	view_forget_tables(view->tables);
	*view = (struct view){ .host = NULL };
}

static void view_keep_route(const struct route_seen *seen, void *arg)
{
	struct view_routes *routes = arg;

	if (routes->n == routes->room) {
		const size_t room = 2 * routes->room + 64;
		struct route_seen *bigger = realloc(routes->list, room * sizeof(*bigger));

		if (!bigger) {
			routes->failed = true;
			return;
		}
		routes->list = bigger;
		routes->room = room;
	}
	routes->list[routes->n++] = *seen;
}

static int view_by_destination(const void *a, const void *b)
{
	const struct route_seen *x = a, *y = b;
	const int order = memcmp(x->dst.ip.bytes, y->dst.ip.bytes, sizeof(x->dst.ip.bytes));

	return order ? order : (x->dst.len > y->dst.len) - (x->dst.len < y->dst.len);
}

static int view_read_routes(struct view *view, struct view_routes *routes, int family, struct cni_error *err)
{
	if (routes->read)
		return 0;
	routes->n = 0;
	if (route_each(view->host, family, RT_TABLE_MAIN, view_keep_route, routes, err) < 0)
		return -1;
	if (routes->failed)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (routes->n)
		qsort(routes->list, routes->n, sizeof(*routes->list), view_by_destination);
	routes->read = true;
	return 0;
}

/* Looks up a route to one address without reading all: the kernel finds the most specific one. */
static enum found view_ask(struct view *view, const struct prefix *dst, const struct route_seen **ret,
			   size_t *n, struct cni_error *err)
{
	enum found found = route_lookup(view->host, &dst->ip, &view->asked, err);

	if (found == FOUND && !prefix_equal(&view->asked.dst, dst))
		found = FOUND_NOT;
	*ret = &view->asked;
	*n = found == FOUND;
	return found;
}

enum found view_routes_to(struct view *view, const struct prefix *dst, const struct route_seen **ret,
			  size_t *n, struct cni_error *err)
{
	struct view_routes *routes = &view->routes[dst->ip.family == AF_INET6];
	const struct route_seen key = { .dst = *dst }, *found, *end;

	*n = 0;
	if (!routes->read && dst->len == 8 * ip_size(&dst->ip)) {
		const enum found asked = view_ask(view, dst, ret, n, err);

		if (asked == FOUND_FAILED || view->asked.dst.ip.family)
			return asked;
		/* the kernel refuses packets to the address, and does not show by which route */
	}
	if (view_read_routes(view, routes, dst->ip.family, err) < 0)
		return FOUND_FAILED;
	found = routes->n ? bsearch(&key, routes->list, routes->n, sizeof(key), view_by_destination) : NULL;
	if (!found)
		return FOUND_NOT;
	while (found > routes->list && !view_by_destination(&found[-1], &key))
		found--;
	end = routes->list + routes->n;
	for (*ret = found; found + *n < end && !view_by_destination(&found[*n], &key);)
		++*n;
	return FOUND;
}

int view_read(struct view *view, int family, struct cni_error *err)
{
	return view_read_routes(view, &view->routes[family == AF_INET6], family, err);
}
