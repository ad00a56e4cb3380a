/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running another program, bounded: in time, in what it may write.
 */
#ifndef CNI_CHILD_H
#define CNI_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"

#define CHILD_ARGS 8
#define STDERR_KEPT 2048

struct child {
	const char *what;	      /* before what is said of it that could not be started */
	const char *argv[CHILD_ARGS]; /* the program's path, arguments, NULL */
	char *const *env;
	const char *input; /* all of its standard input */
	size_t input_len;
	int patience_s;
	size_t output_max; /* bytes; 0: a megabyte */
	bool quiet;	   /* what it says on stderr is kept, and not passed on */
};

/* What it left behind. */
struct outcome {
	char *output; /* ends with a zero byte; good until the next child_run() */
	size_t output_len, output_max;
	char stderr_end[STDERR_KEPT + 1]; /* the last of what it said on stderr */
	size_t stderr_len;
	int status; /* as wait(2) has it */
};

/*
 * Runs it to its end, or kills it and all that it has started. CNI_IO when it
 * cannot be started or writes more than it may, CNI_RETRY when it takes
 * longer than allowed or there is no memory. Otherwise 0, however it ended.
 */
int child_run(const struct child *child, struct outcome *ret, struct cni_error *err);

/* The error of a plugin that failed, in Go's words, or its stderr where it has none. */
int outcome_explain(const struct outcome *o, struct cni_error *err);

#endif
