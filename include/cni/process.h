/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process inherits from its caller, and how it resets that.
 *
 * Ignored and blocked signals, timers, the umask and descriptors outlive exec(2). If the caller
 * ignores SIGCHLD, we cannot learn how a child ended. If it blocks SIGALRM, a wait with a limit
 * never ends. So each program calls process_begin() first. Each child that it starts calls
 * process_child() first.
 */
#ifndef CNI_PROCESS_H
#define CNI_PROCESS_H

#include <poll.h>
#include <stdbool.h>

/*
 * Blocks the signals of timers, closed pipes and limits, and unblocks all others. Sets the umask to
 * 022. Sets close-on-exec for all descriptors except the first three. Replaces each of these three
 * that is closed by one that gives no input and accepts no output. Returns 0, or -1 with errno.
 */
int process_begin(void);

/* In a child before exec(2): unblocks all signals, and stops ignoring those of pipes and timers. */
void process_child(void);

/* poll(2) that also ends, with EINTR, if a child ends. */
int process_poll(struct pollfd *fds, nfds_t n, int milliseconds);

/* While on, a system call that sleeps ends with EINTR within a second. */
void process_tick(bool on);

/* CLOCK_MONOTONIC. */
long long process_now_ms(void);

#endif
