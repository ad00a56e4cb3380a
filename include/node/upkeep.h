/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When ipvlan-node compares what it has placed, and when it collects what is left of pods.
 *
 * A pass comes at the start, soon after a change that inotify reports, and each minute, since the node's
 * addresses change without one. Two installers that overwrite each other's programs get slower each time.
 */
#ifndef NODE_UPKEEP_H
#define NODE_UPKEEP_H

#include "node/host.h"
#include "node/job.h"
#include "node/pass.h"

struct upkeep {
	struct pass pass;
	const struct host *host; /* borrowed */
	int changes;		 /* descriptor of changes_open(), -1: none */
	struct job placing, collecting;
	long long place_at, rested, collect_at; /* -1: never */
	long long rest;	 /* milliseconds after a pass, longer while others overwrite programs */
	long long retry; /* milliseconds after a pass that failed */
	bool ready;
};

int upkeep_open(struct upkeep *ret, const struct host *host, struct cni_error *err);

/* asked: by a signal. Then it undoes what was placed, if options->uninstall_last is set and no other
 * instance runs. An instance that could not start is started again, and undoes nothing. */
int upkeep_close(struct upkeep *upkeep, bool asked, struct cni_error *err);

void upkeep_read(struct upkeep *upkeep);
long long upkeep_next(const struct upkeep *upkeep);
void upkeep_act(struct upkeep *upkeep, long long now);

#endif
