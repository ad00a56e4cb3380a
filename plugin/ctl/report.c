/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "ctl/text.h"

static const struct {
	const char *word;
	enum paint paint;
} levels[] = { [OK] = { "ok", GREEN }, [WARNING] = { "warning", YELLOW }, [ERROR] = { "error", RED } };

void report_begin(struct report *ret, bool json, bool quiet)
{
	*ret = (struct report){ .quiet = quiet, .told = json_object() };
	if (json)
		ret->list = json_array();
}

static void report_put_count(const struct report *report)
{
	const size_t warnings = report->n[WARNING], errors = report->n[ERROR];

	if (report->printed)
		text_end();
	text_put(levels[report->worst].paint, "%zu warning%s, %zu error%s", warnings,
		 warnings == 1 ? "" : "s", errors, errors == 1 ? "" : "s");
	text_end();
}

void report_end(struct report *report)
{
	if (!report->list)
		report_put_count(report);
	else if (json_dumpf(report->list, stdout, JSON_INDENT(4)) == 0)
		text_end();
	json_decref(report->told);
	json_decref(report->list);
}

void report_section(struct report *report, const char *section, const char *network)
{
	snprintf(report->section, sizeof(report->section), "%s", section);
	snprintf(report->network, sizeof(report->network), "%s", network);
	report->has_line = false;
}

static void report_put_section(struct report *report)
{
	const bool first = report->has_line || !*report->section;

	if (first)
		return;
	if (report->printed)
		text_end();
	text_put(BOLD, "%s", report->section);
	text_end();
	report->has_line = true;
}

static void report_put(struct report *report, enum level level, const char *about, const char *text,
		       const char *remedy)
{
	report_put_section(report);
	report->printed = true;
	text_put(levels[level].paint, "%-7s", levels[level].word);
	text_put(BOLD, "  %s: ", about);
	text_put(PLAIN, "%s", text);
	text_end();
	if (!*remedy)
		return;
	text_put(PLAIN, "         -> %s", remedy);
	text_end();
}

static void report_add(struct report *report, enum level level, const char *about, const char *text,
		       const char *remedy)
{
	json_array_append_new(report->list,
			      json_pack("{s:s, s:o, s:s, s:o, s:o}", "level", levels[level].word, "network",
					*report->network ? json_text(report->network) : json_null(),
					"subject", about, "text", json_text(text), "remedy",
					*remedy ? json_text(remedy) : json_null()));
}

/* Two networks, or two plugins, may report the same fault. */
static bool report_is_known(struct report *report, enum level level, const char *text)
{
	if (level == OK || !report->told)
		return false;
	if (json_object_get(report->told, text))
		return true;
	json_object_set_new(report->told, text, json_true());
	return false;
}

void report(struct report *report, enum level level, const char *about, const char *remedy,
	    const char *format, ...)
{
	autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_format(format, args);
	va_end(args);
	if (report_is_known(report, level, text))
		return;
	report->n[level]++;
	if (level > report->worst)
		report->worst = level;
	if (report->list)
		report_add(report, level, about, text, remedy ? remedy : "");
	else if (level != OK || !report->quiet)
		report_put(report, level, about, text, remedy ? remedy : "");
}

void report_error(struct report *all, enum level level, const char *about, const struct cni_error *err)
{
	report(all, level, about, err->details, "%s", err->msg);
}
