/*
 * What doctor finds: a line each, "ok", "warning" or "error", what it is about, and
 * below it, where there is one, the remedy.
 */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include "cni/error.h"

enum level { OK, WARNING, ERROR };

struct report {
	enum level worst; /* so far */
};

/* remedy NULL or "": none. */
__attribute__((format(printf, 5, 6))) void report(struct report *report, enum level level, const char *about,
						  const char *remedy, const char *format, ...);

/* What a plugin would say: its message, and its details as the remedy. */
void report_error(struct report *all, enum level level, const char *about, const struct cni_error *err);

#endif
