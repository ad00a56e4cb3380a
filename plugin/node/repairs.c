/* SPDX-License-Identifier: Apache-2.0 */
#include "node/repairs.h"

#include <errno.h>

#include "cni/log.h"
#include "cni/process.h"
#include "plugin/repair.h"

/* What happens together is repaired together: a repair begins so long after the first event, ... */
#define GATHER_MS 100
/* ... and so long after the one before has ended. */
#define REST_MS 400
/* One that takes longer hangs. */
#define PATIENCE_MS 120000
/* One that failed is tried again: first after so long, then after twice as long, up to the last. */
#define RETRY_MS 2000
#define RETRY_MAX_MS 300000

int repairs_open(struct repairs *ret, const struct host *files, struct cni_error *err)
{
	*ret = (struct repairs){ .files = files, .retry = RETRY_MS };
	if (files->options->no_repair)
		return 0;
	ret->due.any = true; /* what happened before we listened */
	if (rtnl_open(&ret->host, -1, err) < 0)
		return -1;
	return watch_open(&ret->watch, &ret->host, err);
}

void repairs_close(struct repairs *repairs)
{
	job_end(&repairs->job);
	watch_close(&repairs->watch);
	rtnl_close(&repairs->host);
}

void repairs_read(struct repairs *repairs, int source)
{
	const bool due = repairs->due.any;

	watch_read(&repairs->watch, source, &repairs->due);
	if (!due)
		repairs->gathered = process_now_ms() + GATHER_MS;
}

/* In the child, with a conversation of its own. Returns its exit status. */
static int repairs_child(void *arg)
{
	const struct repairs *repairs = arg;
	struct cni_error err = { 0 };
	struct rtnl host;
	struct repair repair = {
		.host = &host, .master = repairs->due.master, .by = COUNTERS_NODE, .each = repair_log
	};
	int rc = host_enter(repairs->files, &err);

	if (rc == 0)
		rc = rtnl_open(&host, -1, &err);
	if (rc == 0)
		rc = repair_run(&repair, &err);
	if (rc < 0)
		cni_log("repair: %s", err.msg);
	return rc < 0 ? 1 : 0;
}

static void repairs_try_later(struct repairs *repairs, long long now)
{
	repairs->due = (struct watch_due){ .any = true };
	repairs->rested = now + repairs->retry;
	repairs->retry = repairs->retry * 2 < RETRY_MAX_MS ? repairs->retry * 2 : RETRY_MAX_MS;
}

static void repairs_begin(struct repairs *repairs, long long now)
{
	if (job_start(&repairs->job, repairs_child, repairs, PATIENCE_MS)) {
		repairs->due = (struct watch_due){ .any = false };
		return;
	}
	cni_log("cannot start a repair: %s", errno_text(errno));
	repairs_try_later(repairs, now);
}

static void repairs_finish(struct repairs *repairs, long long now)
{
	int status;

	if (!job_ended(&repairs->job, &status))
		return;
	repairs->rested = now + REST_MS;
	if (status == 0)
		repairs->retry = RETRY_MS;
	else
		repairs_try_later(repairs, now);
}

long long repairs_next(const struct repairs *repairs)
{
	if (repairs->job.pid)
		return repairs->job.limit;
	if (!repairs->due.any)
		return -1;
	return repairs->gathered > repairs->rested ? repairs->gathered : repairs->rested;
}

void repairs_act(struct repairs *repairs, long long now)
{
	long long next;

	repairs_finish(repairs, now);
	next = repairs_next(repairs);
	if (next < 0 || next > now)
		return;
	if (repairs->job.pid)
		job_kill(&repairs->job);
	else
		repairs_begin(repairs, now);
}

bool repairs_failed(const struct repairs *repairs)
{
	return repairs->retry > RETRY_MS;
}
