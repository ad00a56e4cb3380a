/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The findings of doctor. Each is a line: "ok", "warning" or "error", its subject, and its text; the
 * remedy is a line below. Or they are printed as JSON.
 *
 * A report of zeros prints each line at once, which suffices for short reports.
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
	bool quiet;   /* findings that are ok are counted, and not printed */
	json_t *list; /* the findings; NULL: they are printed at once */
	json_t *told; /* the faults so far, each of which is reported once; NULL: each time */
	char section[512], network[256];
	bool has_line; /* the section has a line */
	bool printed;  /* a line of any section was printed */
};

/* json, quiet: as above. report_end() prints the JSON, or a line that counts. */
void report_begin(struct report *ret, bool json, bool quiet);
void report_end(struct report *report);

/* Begins a section for the next findings: a file's name or a few words, and a network's name or "". */
void report_section(struct report *report, const char *section, const char *network);

/* remedy NULL or "": none. */
__attribute__((format(printf, 5, 6))) void report(struct report *report, enum level level, const char *about,
						  const char *remedy, const char *format, ...);

/* Reports an error of a plugin: its message, and its details as the remedy. */
void report_error(struct report *all, enum level level, const char *about, const struct cni_error *err);

#endif
