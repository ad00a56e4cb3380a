/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "ctl/progress.h"

#define BAR_WIDTH 20

static bool colours, lines;

static const char *const paints[] = {
	[PLAIN] = "", [BOLD] = "1", [DIM] = "2", [GREEN] = "32", [YELLOW] = "33", [RED] = "31",
};

void text_begin(void)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;

	setlocale(LC_CTYPE, "");
	colours = terminal && !(no_colour && *no_colour);
	lines = terminal && !strcmp(nl_langinfo(CODESET), "UTF-8");
}

char *text_escape(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	char *escaped = malloc(4 * strlen(text) + 1), *to = escaped;

	if (!escaped)
		abort();
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c >= ' ' && *c <= '~') {
			*to++ = (char)*c;
			continue;
		}
		*to++ = '\\';
		*to++ = 'x';
		*to++ = digits[*c >> 4];
		*to++ = digits[*c & 15];
	}
	*to = '\0';
	return escaped;
}

char *text_format(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

void text_put(enum paint paint, const char *format, ...)
{
	autofree char *text = NULL, *safe = NULL;
	va_list args;

	va_start(args, format);
	text = text_format(format, args);
	va_end(args);
	safe = text_escape(text);
	progress_end();
	if (colours && paint != PLAIN)
		printf("\033[%sm%s\033[0m", paints[paint], safe);
	else
		fputs(safe, stdout);
}

void text_end(void)
{
	putchar('\n');
}

/* Prints the tree's line of each level above. */
// NOLINTNEXTLINE(misc-no-recursion): a tree of four levels, written from its root
static void text_put_above(const struct branch *branch)
{
	if (!branch)
		return;
	text_put_above(branch->above);
	fputs(branch->last ? "   " : lines ? "│  " : "|  ", stdout);
}

void text_entry(const struct branch *branch)
{
	text_put_above(branch->above);
	if (lines)
		fputs(branch->last ? "└─ " : "├─ ", stdout);
	else
		fputs(branch->last ? "`- " : "|- ", stdout);
}

void text_below(const struct branch *branch, bool has_children)
{
	text_put_above(branch);
	fputs(!has_children ? "   " : lines ? "│  " : "|  ", stdout);
}

void text_bar(enum paint paint, double share)
{
	int full = (int)(share * BAR_WIDTH + 0.5);

	/* only an empty bar is drawn empty, and only a full one full */
	if (full == 0 && share > 0)
		full = 1;
	if (full >= BAR_WIDTH)
		full = share < 1 ? BAR_WIDTH - 1 : BAR_WIDTH;
	if (!lines)
		putchar('[');
	if (colours && paint != PLAIN)
		printf("\033[%sm", paints[paint]);
	for (int i = 0; i < BAR_WIDTH; i++)
		fputs(i < full ? lines ? "█" : "#" : lines ? "░" : ".", stdout);
	if (colours && paint != PLAIN)
		fputs("\033[0m", stdout);
	if (!lines)
		putchar(']');
}
