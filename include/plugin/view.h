/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's tables as one call sees them: each is read once, when it is first asked for.
 */
#ifndef PLUGIN_VIEW_H
#define PLUGIN_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"
#include "net/rtnl.h"

struct ledger;

#define VIEW_TABLES 2

struct view {
	struct rtnl *host; /* borrowed: a conversation in our own namespace */
	struct view_routes {
		struct route_seen *list; /* of the main table, by destination */
		size_t n, room;
		bool read, failed;
	} routes[2];		 /* IPv4, IPv6 */
	struct route_seen asked; /* the last one that was asked for alone */
	bool looked;		 /* object_look() was called for all that may have to be removed */
	const char *use;	 /* what else uses a master that we have made; NULL: nothing */
	struct view_table {
		char name[32];
		json_t *list;	     /* as `nft -j` lists it; NULL: not read */
	} tables[VIEW_TABLES];	     /* of nft: plugin/nft.h */
	const struct ledger *ledger; /* borrowed: who else holds what is made; NULL: nobody */
};

void view_open(struct view *ret, struct rtnl *host);
void view_close(struct view *view);

/* What was listed of VIEW_TABLES tables is no more. */
void view_forget_tables(struct view_table *tables);

/* The routes to dst: a list of n, which the view owns. */
enum found view_routes_to(struct view *view, const struct prefix *dst, const struct route_seen **ret,
			  size_t *n, struct cni_error *err);

/* Reads all routes of the family now: for those who hold a lock later, or ask for many. */
int view_read(struct view *view, int family, struct cni_error *err);

#endif
