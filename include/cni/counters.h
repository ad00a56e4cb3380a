/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often the verbs were called, how they ended, and what was repaired, since the machine
 * was started.
 *
 *	/run/cni/ipvlan.counters.1	numbers in fixed places, for root alone
 *
 * A call is a process of its own, so the numbers are in a file. Each process maps the file and adds
 * to a number in one step, without a lock: a process that is killed has counted or not.
 * Counting never makes a call fail: where the file cannot be had, nothing is counted. A version
 * with other places has another file.
 */
#ifndef CNI_COUNTERS_H
#define CNI_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "cni/error.h"

/* Who repairs. */
enum counters_by { COUNTERS_ADD, COUNTERS_COMMAND, COUNTERS_NODE, COUNTERS_BYS };

/* What came of it. */
enum counters_repair { COUNTERS_MENDED, COUNTERS_REMOVED, COUNTERS_FAILED, COUNTERS_REPAIRS };

/* A call of a program that has ended, with the code of its error, or 0. Programs and verbs that
 * have no place are not counted. */
void counters_add_call(const char *program, const char *verb, int code);
void counters_add_repair(enum counters_by by, enum counters_repair repair);

/* A number of the file. */
struct counter {
	const char *program, *verb; /* of a call; NULL: of a repair */
	int code;		    /* 0: success; -1: a code that the file has no place for */
	const char *by, *repair;
	uint64_t n;
};

/* Calls each() for all calls that can be counted, but for codes that have never come, and for all
 * repairs. FOUND_NOT: nothing was counted yet. CNI_IO. */
enum found counters_each(void (*each)(const struct counter *counter, void *arg), void *arg,
			 struct cni_error *err);

#endif
