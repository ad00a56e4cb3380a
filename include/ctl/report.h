/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What doctor finds: a line each, "ok", "warning" or "error", what it is about, and
 * below it, where there is one, the remedy. Or the same as JSON.
 *
 * All 0 is a report that prints each line at once, which is enough for short ones.
 */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"

enum level { OK, WARNING, ERROR, LEVELS };

struct report {
	enum level worst; /* so far */
	size_t n[LEVELS];
	bool quiet;   /* what is ok is counted alone */
	json_t *list; /* of findings, which are not printed then; NULL: they are */
	json_t *told; /* the faults so far: each is reported once; NULL: as often as it is found */
	char section[512], network[256];
	bool has_line; /* the section has one */
	bool printed;  /* a line, of whatever section */
};

/* json, quiet: as above. report_end() prints the JSON, or a line that counts. */
void report_begin(struct report *ret, bool json, bool quiet);
void report_end(struct report *report);

/* What the next findings are of: a file's name or a few words, and a network's name or "". */
void report_section(struct report *report, const char *section, const char *network);

/* remedy NULL or "": none. */
__attribute__((format(printf, 5, 6))) void report(struct report *report, enum level level, const char *about,
						  const char *remedy, const char *format, ...);

/* What a plugin would say: its message, and its details as the remedy. */
void report_error(struct report *all, enum level level, const char *about, const struct cni_error *err);

#endif
