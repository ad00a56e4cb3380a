/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator reads: a line on stderr, which runtimes keep as the plugin's log,
 * or, with "logFile" in the configuration, in a file, with when and for whom.
 *
 *	2026-11-23T12:00:00Z warning ADD network=net container=c1 ifname=eth0: ...
 */
#ifndef CNI_LOG_H
#define CNI_LOG_H

#include <jansson.h>

#include "cni/error.h"
#include "cni/plugin.h"

enum log_level {
	LOG_ERROR,   /* what failed; the runtime is told as well */
	LOG_WARNING, /* what is not as it should be; cni_log() */
	LOG_INFO,    /* what was done */
};

/*
 * From here on all lines are about the request and go where its configuration says, or else
 * to stderr, on which errors and what was done are not repeated.
 */
void log_begin(const struct request *req);

/* Says what log_begin() would leave out of "logFile" and "logLevel". */
void log_check(const json_t *conf);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *line, ...);

/* A warning that something in the configuration is left out. Of all verbs ADD alone says so: STATUS
 * and CHECK come every few seconds. */
__attribute__((format(printf, 1, 2))) void log_ignored(const char *line, ...);

/* That the request was served, and how long it took since log_begin(). */
void log_done(void);

/* Warnings go to a function instead, for programs that read configurations for people; NULL: no more. */
void log_divert(void (*to)(void *arg, const char *line), void *arg);

#endif
