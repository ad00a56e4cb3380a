/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "ctl/text.h"

#define WIDTH_UNKNOWN 80

static bool shown;

static bool progress_is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

/* The terminal would wrap a longer line, and only one line is removed. */
static int progress_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return WIDTH_UNKNOWN - 1;
	return size.ws_col - 1;
}

void progress(const char *format, ...)
{
	autofree char *safe = NULL;
	char text[512]; /* no screen is wider */
	va_list args;

	if (!progress_is_terminal())
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	safe = text_escape(text);
	fflush(stdout); /* earlier output must be above the line */
	fprintf(stderr, "\r%.*s\033[K", progress_width(), safe);
	fflush(stderr);
	shown = true;
}

void progress_end(void)
{
	if (!shown)
		return;
	shown = false;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}
