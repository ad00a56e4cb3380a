/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs another program, with limits for its time and its output.
 */
#ifndef CNI_CHILD_H
#define CNI_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"

#define CHILD_ARGS 8
#define STDERR_KEPT 2048

struct child {
	const char *what;	      /* precedes the error if it cannot be started */
	const char *argv[CHILD_ARGS]; /* the program's path, arguments, NULL */
	char *const *env;
	const char *input; /* all of its standard input */
	size_t input_len;
	int patience_s;
	size_t output_max; /* bytes; 0: a megabyte */
	bool quiet;	   /* its stderr is kept, but not passed on */
};

/* What the program left. */
struct outcome {
	char *output; /* ends with a zero byte; good until the next child_run() */
	size_t output_len, output_max;
	char stderr_end[STDERR_KEPT + 1]; /* the end of its stderr */
	size_t stderr_len;
	int status; /* as wait(2) has it */
};

/*
 * Runs the program until it ends, or kills it and all processes that it started. Returns 0 whatever
 * its exit status is. Errors: CNI_IO, if it cannot be started or writes too much; CNI_RETRY, if it
 * takes too long or there is no memory.
 */
int child_run(const struct child *child, struct outcome *ret, struct cni_error *err);

/* The error of a plugin that failed, in the words of the Go library. If the plugin printed none:
 * its stderr. */
int outcome_explain(const struct outcome *o, struct cni_error *err);

#endif
