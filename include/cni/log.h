/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log, for operators: lines on stderr, which runtimes keep, or, with "logFile" in the
 * configuration, lines with time and attachment in that file.
 *
 *	2026-11-23T12:00:00Z warning ADD network=net container=c1 ifname=eth0: ...
 */
#ifndef CNI_LOG_H
#define CNI_LOG_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"
#include "cni/plugin.h"

enum log_level {
	LOG_ERROR,   /* an error, which is also the answer to the runtime */
	LOG_WARNING, /* something is wrong, and the call goes on; cni_log() */
	LOG_INFO,    /* what was done */
};

/*
 * From now on all lines are about the request and go to its "logFile". Without one they go to
 * stderr, but only warnings: the runtime has the error already.
 */
void log_begin(const struct request *req);
/* The request and its document may be freed after this. */
void log_end(void);

/* Warns of values of "logFile" and "logLevel" that log_begin() would ignore. */
void log_check(const json_t *conf);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *line, ...);

/* A warning that something in the configuration is ignored. Only ADD logs it: runtimes call STATUS
 * and CHECK every few seconds. */
__attribute__((format(printf, 1, 2))) void log_ignored(const char *line, ...);

/* Logs that the request has succeeded, and the time since log_begin(). */
void log_done(void);

/* Is there a logFile? Otherwise lines go to stderr. */
bool log_has_file(void);

/* Passes warnings to a function instead, for programs that show configurations to people; NULL: no
 * longer. */
void log_divert(void (*to)(void *arg, const char *line), void *arg);

#endif
