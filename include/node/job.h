/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that a child does, while the loop goes on: what it takes of memory ends with it, and what hangs
 * is killed.
 */
#ifndef NODE_JOB_H
#define NODE_JOB_H

#include <stdbool.h>
#include <sys/types.h>

struct job {
	pid_t pid;	 /* 0: none runs */
	long long limit; /* when it is killed, as process_now_ms() */
};

/* run(arg) in a child, whose exit status it returns; it ends with us. False: it could not be started. */
bool job_start(struct job *job, int (*run)(void *arg), void *arg, long long patience_ms);

/* Has it ended? Then *status is as wait(2) has it. */
bool job_ended(struct job *job, int *status);

void job_kill(const struct job *job);

/* Kills it, and waits for its end. */
void job_end(struct job *job);

#endif
