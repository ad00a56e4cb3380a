/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes again what somebody has taken away from attachments: on the host what the ledger
 * says, and in pods with hostAccess their way to the host's addresses of now. Nothing that
 * is as it should be is touched.
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
	REPAIR_STALE,	/* a route of ours that no attachment holds; found in a dry run */
	REPAIR_REMOVED, /* such a route */
	REPAIR_BEYOND,	/* it cannot be made again; why says the reason */
};

struct repair_finding {
	enum repair_state state;
	const struct page *page;
	const struct object *object; /* NULL: the whole attachment */
	bool in_pod;		     /* dev is of the pod's namespace */
	const struct cni_error *why;
};

struct repair {
	struct rtnl *host;
	const char *only; /* a network's or a container's name; NULL: all */
	int master;	  /* those of this one; 0: all */
	bool dry_run;
	enum counters_by by; /* what is counted as whose repair */
	/* page NULL: of no attachment. why: only with REPAIR_BEYOND. */
	void (*each)(const struct repair_finding *finding, void *arg);
	void *arg;
};

/* Of struct repair, each(): what was done for attachments is a line in the log. */
void repair_log(const struct repair_finding *finding, void *arg);

/*
 * Attachments whose network namespace does not exist are passed over: they are for GC. So
 * are those that another call releases. Errors: CNI_IO, CNI_RETRY.
 */
int repair_run(const struct repair *repair, struct cni_error *err);

/*
 * Does an attachment on the master lack what repair_run() would make again? Whoever flushes
 * routes, or takes an address away, does so to all of them: a few that live stand for all.
 */
bool repair_is_due(struct rtnl *host, const struct link *master);

#endif
