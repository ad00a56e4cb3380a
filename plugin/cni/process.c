/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "cni/file.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* The signals by which the caller's timers, limits and closed pipes would kill us. */
static void process_block(sigset_t *set)
{
	static const int blocked[] = { SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGXFSZ };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(blocked) / sizeof(*blocked); i++)
		sigaddset(set, blocked[i]);
}

/* With a handler, unlike SIG_DFL, the signal ends a system call that sleeps. */
static void process_wake(int signal)
{
	(void)signal;
}

static void process_handle(int signal, void (*handler)(int))
{
	const struct sigaction action = { .sa_handler = handler };

	sigaction(signal, &action, NULL);
}

/*
 * Opens closed standard streams. Else the next file to be opened would get the number of one, and
 * we would write the answer for the runtime to that file.
 */
static int process_open_streams(void)
{
	struct pollfd streams[] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };

	if (poll(streams, 3, 0) < 0)
		return -1;
	for (int fd = 0; fd < 3; fd++)
		if (streams[fd].revents & POLLNVAL && open("/dev/null", O_RDONLY) < 0)
			return -1;
	return 0;
}

int process_begin(void)
{
	sigset_t set;

	process_block(&set);
	sigaddset(&set, SIGCHLD); /* only process_poll() unblocks it */
	sigprocmask(SIG_SETMASK, &set, NULL);
	process_handle(SIGCHLD, process_wake);
	umask(S_IWGRP | S_IWOTH);
	if (process_open_streams() < 0)
		return -1;
#ifdef SYS_close_range
	/* before Linux 5.11 this fails, and they stay unchanged */
	syscall(SYS_close_range, STDERR_FILENO + 1U, UINT_MAX, CLOSE_RANGE_CLOEXEC);
#endif
	return 0;
}

void process_child(void)
{
	sigset_t none;

	process_handle(SIGPIPE, SIG_DFL);
	process_handle(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int process_poll(struct pollfd *fds, nfds_t n, int milliseconds)
{
	const struct timespec patience = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
	sigset_t set;

	process_block(&set);
	return ppoll(fds, n, &patience, &set);
}

void process_tick(bool on)
{
	const struct itimerval tick = { .it_interval = { .tv_sec = on }, .it_value = { .tv_sec = on } };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	if (on)
		process_handle(SIGALRM, process_wake);
	else
		sigprocmask(SIG_BLOCK, &set, NULL);
	/* repeats, in case the first tick comes before the sleep */
	setitimer(ITIMER_REAL, &tick, NULL);
	if (on)
		sigprocmask(SIG_UNBLOCK, &set, NULL);
}

long long process_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
