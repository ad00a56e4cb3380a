/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts, since the machine started, how often each verb was called, how it ended, and what was
 * repaired.
 *
 *	/run/cni/ipvlan.counters.1	numbers in fixed places; only root reads it
 *
 * Each call is a process, so the numbers are in a file. Each process maps the file and adds to a
 * number in one step, without a lock: a process that is killed has counted or not. Counting never
 * makes a call fail: without the file nothing is counted. A version that moves the places uses
 * another file.
 */
#ifndef CNI_COUNTERS_H
#define CNI_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "cni/error.h"

/* Which program repairs. */
enum counters_by { COUNTERS_ADD, COUNTERS_COMMAND, COUNTERS_NODE, COUNTERS_BYS };

/* The result of a repair. */
enum counters_repair { COUNTERS_MENDED, COUNTERS_REMOVED, COUNTERS_FAILED, COUNTERS_REPAIRS };

/* Counts a call that has ended with this error code, 0: success. Programs and verbs without a place
 * in the file are not counted. */
void counters_add_call(const char *program, const char *verb, int code);
void counters_add_repair(enum counters_by by, enum counters_repair repair);

/* A number of the file. */
struct counter {
	const char *program, *verb; /* of a call; NULL: of a repair */
	int code;		    /* 0: success; -1: a code that the file has no place for */
	const char *by, *repair;
	uint64_t n;
};

/* Calls each() for all repairs and for all calls, except for codes that have not occurred.
 * FOUND_NOT: nothing was counted yet. Errors: CNI_IO. */
enum found counters_each(void (*each)(const struct counter *counter, void *arg), void *arg,
			 struct cni_error *err);

#endif
