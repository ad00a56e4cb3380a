/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When ipvlan-node repairs: soon after an event, never twice at once, and again later if a repair failed.
 */
#ifndef NODE_REPAIRS_H
#define NODE_REPAIRS_H

#include "node/host.h"
#include "node/job.h"
#include "node/watch.h"

struct repairs {
	struct rtnl host;
	struct watch watch;
	const struct host *files; /* borrowed */
	struct watch_due due;
	long long gathered, rested; /* a repair that is due begins after both */
	long long retry;	    /* milliseconds */
	struct job job;
};

/* Listens, unless options->no_repair is set; everything is due. Errors: CNI_IO. */
int repairs_open(struct repairs *ret, const struct host *files, struct cni_error *err);
void repairs_close(struct repairs *repairs);

/* A source of repairs->watch has events. */
void repairs_read(struct repairs *repairs, int source);

/* When something must be done without an event, as process_now_ms(); -1: never. */
long long repairs_next(const struct repairs *repairs);
void repairs_act(struct repairs *repairs, long long now);

/* Has the last one failed? */
bool repairs_failed(const struct repairs *repairs);

#endif
