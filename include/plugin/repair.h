/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes again what attachments have lost: on the host the objects of the ledger, and in pods with
 * hostAccess the routes and neighbours for the present addresses of the host. Changes nothing else.
 */
#ifndef PLUGIN_REPAIR_H
#define PLUGIN_REPAIR_H

#include <stdbool.h>

#include "cni/counters.h"
#include "cni/error.h"
#include "net/link.h"
#include "net/rtnl.h"
#include "plugin/ledger.h"
#include "plugin/object.h"

enum repair_state {
	REPAIR_MISSING, /* found in a dry run */
	REPAIR_MENDED,
	REPAIR_STALE,	/* no attachment holds this route of ours; found in a dry run */
	REPAIR_REMOVED, /* such a route was removed */
	REPAIR_BEYOND,	/* it cannot be made again; why is the reason */
};

struct repair_finding {
	enum repair_state state;
	const struct page *page;
	const struct object *object; /* NULL: the whole attachment */
	bool in_pod;		     /* dev is in the pod's namespace */
	const struct cni_error *why;
};

struct repair {
	struct rtnl *host;
	const char *only; /* a network's or a container's name; NULL: all */
	int master;	  /* only attachments on this master; 0: all */
	bool dry_run;
	enum counters_by by; /* for the counters */
	/* page is NULL if the object belongs to no attachment. why is set only with REPAIR_BEYOND. */
	void (*each)(const struct repair_finding *finding, void *arg);
	void *arg;
};

/* An each() for struct repair: logs a line for each repair of an attachment. */
void repair_log(const struct repair_finding *finding, void *arg);

/*
 * Omits attachments whose network namespace does not exist, which GC releases, and those that
 * another call releases. Errors: CNI_IO, CNI_RETRY.
 */
int repair_run(const struct repair *repair, struct cni_error *err);

/*
 * Does an attachment on the master lack something that repair_run() would make again? Looks at a
 * few objects of each kind and family whose pods live: a flush of routes, or the removal of an address,
 * affects all of them. Pods that hold no such object cost nothing.
 */
bool repair_is_due(struct rtnl *host, const struct link *master);

#endif
