/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process has from the one that started it, and what is done about it.
 *
 * Signals that are ignored or blocked, a timer that ticks, the umask, descriptors:
 * all of them outlive exec(2). A caller that ignores SIGCHLD hides how a child ended,
 * one that blocks SIGALRM turns a bounded wait into an endless one. So each program
 * begins with process_begin(), and knows its state from then on; what it starts
 * itself begins with process_child().
 */
#ifndef CNI_PROCESS_H
#define CNI_PROCESS_H

#include <poll.h>
#include <stdbool.h>

/*
 * No signal that the caller has chosen disturbs us: those of timers, of closed pipes
 * and of limits are blocked, all others are not. Files get the modes that we give them.
 * Descriptors but the first three go to no other program. Those three are open: what is
 * closed is replaced by one from which nothing comes and to which nothing can be
 * written. Returns 0, or -1 with errno when that cannot be done.
 */
int process_begin(void);

/* In a child before exec(2): no signal is blocked, those of pipes and timers not ignored. */
void process_child(void);

/* poll(2), which also ends, with EINTR, when a child does. */
int process_poll(struct pollfd *fds, nfds_t n, int milliseconds);

/* While it ticks, a system call that sleeps ends with EINTR within a second. */
void process_tick(bool on);

/* CLOCK_MONOTONIC. */
long long process_now_ms(void);

#endif
