/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim/local.h"
#include "ipam/block.h"
#include "ipam/identity.h"
#include "net/addr.h"
#include "net/netns.h"
#include "net/rtnl.h"

/* Of a route to one address, which "hostAccess" may have a route to as well: that one is used. It is above
 * IPv6's metric of a route without one, 1024. */
#define METRIC_OF_ADDRESS 4096

static struct route routes_route_of(const struct prefix *block)
{
	return (struct route){
		.dst = *block,
		.table = RT_TABLE_MAIN,
		.protocol = OUR_NUMBER,
		.priority = block->len == 8 * ip_size(&block->ip) ? METRIC_OF_ADDRESS : 0,
	};
}

/* An earlier configuration neither makes routes nor ends them: a later one may have said otherwise. */
static bool routes_may_begin(const struct node *node)
{
	return node->conf->cluster.block_routes && !node->earlier;
}

static bool routes_may_stay(const struct node *node)
{
	return node->conf->cluster.block_routes || node->earlier;
}

void block_route_add(const struct node *node, const struct prefix *block)
{
	const struct route route = routes_route_of(block);
	struct cni_error why = { 0 };
	struct rtnl nl;
	int error = -1;

	if (!routes_may_begin(node))
		return;
	if (rtnl_open(&nl, -1, &why) == 0) {
		error = route_add(&nl, 0, &route, &why);
		rtnl_close(&nl);
	}
	if (error && error != EEXIST)
		cni_log("cannot make the route of block %s: %s", prefix_text(block).s, why.msg);
}

int block_route_delete(const struct prefix *block, struct cni_error *err)
{
	const struct route route = routes_route_of(block);
	struct rtnl nl;
	int rc;

	if (block->ip.family == AF_INET6 && !netns_has_ipv6()) /* nor has it the route */
		return 0;
	if (rtnl_open(&nl, -1, err) < 0)
		return -1;
	rc = route_delete(&nl, 0, &route, err);
	rtnl_close(&nl);
	return rc;
}

/* The routes that the node's notes are about. */
struct routes_noted {
	struct prefix dst;
	bool ours, there; /* the node's; in the kernel */
};

struct routes {
	struct routes_noted *list;
	size_t n;
	struct cni_error why; /* if something could not be read */
};

static struct routes_noted *routes_find(const struct routes *routes, const struct prefix *dst)
{
	for (size_t i = 0; i < routes->n; i++)
		if (prefix_equal(&routes->list[i].dst, dst))
			return &routes->list[i];
	return NULL;
}

/* An address may have several notes: of a container that has it, and of one that had it. */
static bool routes_note(struct routes *routes, const struct prefix *dst, bool ours)
{
	struct routes_noted *noted = routes_find(routes, dst);

	if (!noted) {
		noted = realloc(routes->list, (routes->n + 1) * sizeof(*noted));
		if (!noted) {
			cni_fail(&routes->why, CNI_RETRY, "out of memory");
			return false;
		}
		routes->list = noted;
		noted += routes->n++;
		*noted = (struct routes_noted){ .dst = *dst };
	}
	noted->ours |= ours;
	return true;
}

static bool routes_note_identity(void *arg, const struct identity *identity)
{
	char copy[sizeof(identity->addresses)], *rest = NULL;
	struct prefix dst;

	snprintf(copy, sizeof(copy), "%s", identity->addresses);
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (!ip_parse(word, &dst.ip))
			continue;
		dst.len = (unsigned int)(8 * ip_size(&dst.ip));
		if (!routes_note(arg, &dst, identity->state == IDENTITY_HELD))
			return false;
	}
	return true;
}

static void routes_read_notes(struct routes *ret, const struct node *node)
{
	struct blocks blocks;
	struct store store;

	if (local_open(&store, node, &ret->why) < 0)
		return;
	if (blocks_read(&blocks, &store, &ret->why) == 0)
		identities_each(&store, routes_note_identity, ret);
	/* a route stays while its block is claimed again, which the engine has lost: pods use it */
	for (size_t i = 0; i < blocks.n; i++)
		if (blocks.list[i].state != BLOCK_CLAIMING || !routes_may_stay(node))
			routes_note(ret, &blocks.list[i].prefix, block_counts(&blocks.list[i]));
	blocks_free(&blocks);
	store_close(&store);
}

static void routes_see(const struct route_seen *seen, void *arg)
{
	struct routes_noted *noted = routes_find(arg, &seen->dst);

	if (noted && seen->type == RTN_UNREACHABLE)
		noted->there = true;
}

static void routes_read_kernel(struct routes *routes)
{
	struct rtnl nl;

	if (rtnl_open(&nl, -1, &routes->why) < 0)
		return;
	if (route_each_of(&nl, AF_INET, RT_TABLE_MAIN, OUR_NUMBER, routes_see, routes, &routes->why) == 0)
		route_each_of(&nl, AF_INET6, RT_TABLE_MAIN, OUR_NUMBER, routes_see, routes, &routes->why);
	rtnl_close(&nl);
}

int block_routes_follow(const struct node *node, struct cni_error *err)
{
	struct routes routes = { .list = NULL };

	routes_read_notes(&routes, node);
	if (routes.n && !*routes.why.msg)
		routes_read_kernel(&routes);
	for (size_t i = 0; i < routes.n && !*routes.why.msg; i++) {
		const struct routes_noted *noted = &routes.list[i];

		if (noted->ours && !noted->there)
			block_route_add(node, &noted->dst);
		if (noted->there && !(noted->ours && routes_may_stay(node)))
			block_route_delete(&noted->dst, &routes.why);
	}
	free(routes.list);
	return *routes.why.msg ? cni_fail_as(err, &routes.why) : 0;
}

void block_routes_mend(const struct node *node)
{
	struct cni_error why = { 0 };

	if (block_routes_follow(node, &why) < 0)
		cni_log("the routes of blocks may be wrong until the next call: %s", why.msg);
}
