/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's tables during one call: each is read once, at its first use.
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
	struct rtnl *host; /* borrowed: a connection in our own namespace */
	struct view_routes {
		struct route_seen *list; /* of the main table, sorted by destination */
		size_t n, room;
		bool read, failed;
	} routes[2];		 /* IPv4, IPv6 */
	struct route_seen asked; /* the last route that was looked up alone */
	bool looked;		 /* object_look() was called for all objects to remove */
	struct view_use {
		int link;	  /* a master that we made */
		const char *what; /* that else uses it; NULL: nothing */
	} uses[2];		  /* a pod's VLAN, and the VLAN or dummy that this one is on */
	struct view_table {
		char name[32];
		json_t *list;	     /* as `nft -j` lists it; NULL: not read */
	} tables[VIEW_TABLES];	     /* of nftables: plugin/nft.h */
	const struct ledger *ledger; /* borrowed: the holders of what is made; NULL: no others */
};

void view_open(struct view *ret, struct rtnl *host);
void view_close(struct view *view);

/* Frees the lists of VIEW_TABLES tables. */
void view_forget_tables(struct view_table *tables);

/* The routes to dst: *n routes from *ret on, which the view owns. */
enum found view_routes_to(struct view *view, const struct prefix *dst, const struct route_seen **ret,
			  size_t *n, struct cni_error *err);

/* Reads all routes of the family now, for callers that hold a lock later, or look up many. */
int view_read(struct view *view, int family, struct cni_error *err);

#endif
