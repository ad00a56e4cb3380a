#include "ctl/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cni/cleanup.h"
#include "ctl/text.h"

void report(struct report *report, enum level level, const char *about, const char *remedy,
	    const char *format, ...)
{
	static const struct {
		const char *word;
		enum paint paint;
	} levels[] = {
		[OK] = { "ok", GREEN }, [WARNING] = { "warning", YELLOW }, [ERROR] = { "error", RED }
	};
	autofree char *text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		abort();
	if (level > report->worst)
		report->worst = level;
	text_put(levels[level].paint, "%-7s", levels[level].word);
	text_put(BOLD, "  %s: ", about);
	text_put(PLAIN, "%s", text);
	text_end();
	if (!remedy || !*remedy)
		return;
	text_put(PLAIN, "         -> %s", remedy);
	text_end();
}

void report_error(struct report *all, enum level level, const char *about, const struct cni_error *err)
{
	report(all, level, about, err->details, "%s", err->msg);
}
