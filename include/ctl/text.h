/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for people on standard output.
 *
 * Users of this machine choose the names of containers, links and files. So these functions write
 * control characters, and all that is not ASCII, as \xNN. Colours, line ends and the lines of a tree
 * have functions of their own, so that no name imitates them. Colours, and lines and bars that are not
 * ASCII, are for terminals alone, so that scripts always read the same.
 */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

enum paint { PLAIN, BOLD, DIM, GREEN, YELLOW, RED };

/* Reads the terminal, NO_COLOR and the locale. Call it first. */
void text_begin(void);

__attribute__((format(printf, 2, 3))) void text_put(enum paint paint, const char *format, ...);
void text_end(void);

/* vasprintf(3) that ends the program if there is no memory. The caller frees the text. */
__attribute__((format(printf, 1, 0))) char *text_format(const char *format, va_list args);

/* Returns text with the same escapes. The caller frees it; never NULL. */
char *text_escape(const char *text);

/* The place of a line in a tree: its parent, and whether it is the last child. */
struct branch {
	const struct branch *above; /* NULL: it is at the root */
	bool last;
};

/* Prints the tree's lines before an entry, and before the text below an entry. */
void text_entry(const struct branch *branch);
void text_below(const struct branch *branch, bool has_children);

/* share: 0 to 1 */
void text_bar(enum paint paint, double share);

#endif
