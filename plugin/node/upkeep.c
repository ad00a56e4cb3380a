/* SPDX-License-Identifier: Apache-2.0 */
#include "node/upkeep.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cni/log.h"
#include "cni/process.h"
#include "node/changes.h"

#define GATHER_MS 100
#define PERIOD_MS 60000
#define PATIENCE_MS 120000
#define REST_MS 400
#define RETRY_MS 1000
#define REST_MAX_MS 300000

int upkeep_open(struct upkeep *ret, const struct host *host, struct cni_error *err)
{
	const struct options *options = host->options;
	const bool places = options_place(options);

	*ret = (struct upkeep){ .host = host,
				.changes = -1,
				.place_at = places ? 0 : -1,
				.collect_at = options->gc_s ? 0 : -1,
				.rest = REST_MS,
				.retry = RETRY_MS,
				.ready = !places };
	if (pass_open(&ret->pass, options, err) < 0)
		return -1;
	pass_report(&ret->pass, ret->ready);
	if (!places)
		return 0;
	ret->changes = changes_open(options, err);
	return ret->changes < 0 ? -1 : 0;
}

/* A pass that was killed leaves nothing half written. */
int upkeep_close(struct upkeep *upkeep, bool asked, struct cni_error *err)
{
	struct pass *pass = &upkeep->pass;
	const bool last = pass->options->uninstall_last && pass->place.instances >= 0;
	int rc = 0;

	job_end(&upkeep->placing);
	job_end(&upkeep->collecting);
	if (asked && last && place_is_last(&pass->place))
		rc = place_undo(&pass->place, err);
	pass_report(pass, false);
	pass_close(pass);
	if (upkeep->changes >= 0)
		close(upkeep->changes);
	return rc;
}

void upkeep_read(struct upkeep *upkeep)
{
	const long long soon = process_now_ms() + GATHER_MS;

	if (changes_read(upkeep->changes) && upkeep->place_at > soon)
		upkeep->place_at = soon > upkeep->rested ? soon : upkeep->rested;
}

/* Twice as long, up to the last. */
static long long upkeep_longer(long long milliseconds)
{
	return milliseconds * 2 < REST_MAX_MS ? milliseconds * 2 : REST_MAX_MS;
}

/* A pass that failed is tried again by itself; a change, which may be the remedy, does not wait for that. */
static void upkeep_passed(struct upkeep *upkeep, long long now)
{
	int status, passed;

	if (!job_ended(&upkeep->placing, &status))
		return;
	passed = WIFEXITED(status) ? WEXITSTATUS(status) : PASS_FAILED;
	upkeep->ready = passed != PASS_FAILED;
	pass_report(&upkeep->pass, upkeep->ready);
	upkeep->rested = now + upkeep->rest;
	upkeep->place_at = now + (upkeep->ready ? PERIOD_MS : upkeep->retry);
	upkeep->retry = upkeep->ready ? RETRY_MS : upkeep_longer(upkeep->retry);
	upkeep->rest = passed == PASS_REPLACED ? upkeep_longer(upkeep->rest) : REST_MS;
}

static int upkeep_collect(void *arg)
{
	const struct upkeep *upkeep = arg;

	return host_ipvlanctl(upkeep->host,
			      (char *const[]){ (char *)"ipvlanctl", (char *)"gc", (char *)"--yes",
					       (char *)"--quiet", NULL },
			      -1);
}

static void upkeep_start(struct job *job, int (*run)(void *), void *arg)
{
	if (!job_start(job, run, arg, PATIENCE_MS))
		cni_log("cannot start a process: %s", errno_text(errno));
}

static long long upkeep_next_of(const struct job *job, long long at)
{
	return job->pid ? job->limit : at;
}

long long upkeep_next(const struct upkeep *upkeep)
{
	const long long place = upkeep_next_of(&upkeep->placing, upkeep->place_at),
			collect = upkeep_next_of(&upkeep->collecting, upkeep->collect_at);

	return collect < 0 || (place >= 0 && place < collect) ? place : collect;
}

static bool upkeep_is_due(const struct job *job, long long at, long long now)
{
	if (job->pid && now >= job->limit)
		job_kill(job);
	return !job->pid && at >= 0 && now >= at;
}

/* If no process can be started, the next period tries again. */
void upkeep_act(struct upkeep *upkeep, long long now)
{
	int status;

	upkeep_passed(upkeep, now);
	job_ended(&upkeep->collecting, &status);
	if (upkeep_is_due(&upkeep->placing, upkeep->place_at, now)) {
		upkeep->place_at = now + PERIOD_MS;
		upkeep_start(&upkeep->placing, pass_run, &upkeep->pass);
	}
	if (upkeep_is_due(&upkeep->collecting, upkeep->collect_at, now)) {
		upkeep->collect_at = now + upkeep->host->options->gc_s * 1000LL;
		upkeep_start(&upkeep->collecting, upkeep_collect, upkeep);
	}
}
