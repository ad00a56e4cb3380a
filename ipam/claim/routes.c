/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/routes.h"

#include <errno.h>

#include "net/addr.h"
#include "net/rtnl.h"

/* Of a route to one address, which "hostAccess" may have a route to as well: that one is used. It is above
 * IPv6's metric of a route without one, 1024. */
#define METRIC_OF_ADDRESS 4096

static void routes_change(const struct prefix *block,
			  int (*how)(struct rtnl *nl, int link, const struct route *route,
				     struct cni_error *err))
{
	const struct route route = {
		.dst = *block,
		.table = RT_TABLE_MAIN,
		.protocol = OUR_NUMBER,
		.priority = block->len == 8 * ip_size(&block->ip) ? METRIC_OF_ADDRESS : 0,
	};
	struct cni_error why = { 0 };
	struct rtnl nl;
	int error;

	if (rtnl_open(&nl, -1, &why) < 0) {
		cni_log("cannot change the route of block %s: %s", prefix_text(block).s, why.msg);
		return;
	}
	error = how(&nl, 0, &route, &why);
	if (error && error != EEXIST)
		cni_log("cannot change the route of block %s: %s", prefix_text(block).s, why.msg);
	rtnl_close(&nl);
}

void block_route_add(const struct prefix *block)
{
	routes_change(block, route_add);
}

void block_route_delete(const struct prefix *block)
{
	routes_change(block, route_delete);
}
