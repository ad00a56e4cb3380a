/* SPDX-License-Identifier: Apache-2.0 */
#include "node/job.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cni/process.h"

bool job_start(struct job *job, int (*run)(void *arg), void *arg, long long patience_ms)
{
	const pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		process_begin();
		_exit(run(arg));
	}
	if (child < 0)
		return false;
	*job = (struct job){ .pid = child, .limit = process_now_ms() + patience_ms };
	return true;
}

bool job_ended(struct job *job, int *status)
{
	if (!job->pid || waitpid(job->pid, status, WNOHANG) != job->pid)
		return false;
	job->pid = 0;
	return true;
}

void job_kill(const struct job *job)
{
	if (job->pid)
		kill(job->pid, SIGKILL);
}

void job_end(struct job *job)
{
	job_kill(job);
	if (job->pid)
		waitpid(job->pid, NULL, 0);
	job->pid = 0;
}
