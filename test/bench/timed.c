/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the program of its own path with ".program" behind it, and appends a line of JSON about this to the
 * file of its own path with ".calls" behind it: the verb of CNI, the exit status, milliseconds from start to
 * end, and those of processor time of the program and of the programs that it ran. A runtime calls it as a
 * CNI plugin.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void timed_fail(const char *what)
{
	fprintf(stderr, "timed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double timed_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double timed_ms(const struct timeval *time)
{
	return (double)time->tv_sec * 1e3 + (double)time->tv_usec / 1e3;
}

/* One write(), so that lines of calls at the same time do not mix. */
static void timed_record(const char *own, int status, double ms)
{
	const char *verb = getenv("CNI_COMMAND");
	char path[PATH_MAX], line[256];
	struct rusage usage;
	int fd, len;

	getrusage(RUSAGE_CHILDREN, &usage);
	snprintf(path, sizeof(path), "%s.calls", own);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	len = snprintf(line, sizeof(line), "{\"verb\":\"%s\",\"status\":%d,\"ms\":%.3f,\"cpu\":%.3f}\n",
		       verb ? verb : "", status, ms, timed_ms(&usage.ru_utime) + timed_ms(&usage.ru_stime));
	if (fd < 0 || write(fd, line, (size_t)len) != len)
		timed_fail(path);
	close(fd);
}

int main(int argc, char **argv)
{
	char program[PATH_MAX];
	double started;
	int status;
	pid_t pid;

	(void)argc;
	snprintf(program, sizeof(program), "%s.program", argv[0]);
	started = timed_now();
	errno = posix_spawn(&pid, program, NULL, NULL, argv, environ);
	if (errno)
		timed_fail(program);
	if (waitpid(pid, &status, 0) < 0)
		timed_fail("waitpid");
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	timed_record(argv[0], status, timed_now() - started);
	return status;
}
