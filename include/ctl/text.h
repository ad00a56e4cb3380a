/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people read on standard output.
 *
 * Names come from whoever made a container, a link or a file. So everything that is
 * formatted here has its control characters, and all that is not ASCII, written as
 * \xNN; colours, line ends and the lines of a tree are put by functions of their own,
 * which a name cannot imitate. Colours, and lines and bars that are not ASCII, are for
 * terminals alone, so that what a script reads stays the same.
 */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

enum paint { PLAIN, BOLD, DIM, GREEN, YELLOW, RED };

/* Looks at the terminal, NO_COLOR and the locale. To be called first. */
void text_begin(void);

__attribute__((format(printf, 2, 3))) void text_put(enum paint paint, const char *format, ...);
void text_end(void);

/* vasprintf(3), which ends the program where there is no memory. The caller frees it. */
__attribute__((format(printf, 1, 0))) char *text_format(const char *format, va_list args);

/* The same escapes, for other formats. The caller frees it; never NULL. */
char *text_escape(const char *text);

/* Where a line is in a tree: what is above it, and whether more comes after it. */
struct branch {
	const struct branch *above; /* NULL: it is at the root */
	bool last;
};

/* The lines before an entry, and before what is written below it. */
void text_entry(const struct branch *branch);
void text_below(const struct branch *branch, bool has_children);

/* share: 0 to 1 */
void text_bar(enum paint paint, double share);

#endif
