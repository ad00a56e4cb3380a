/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard error: our lines, and those of the programs that we run.
 *
 * If its reader has stopped, a full pipe blocks its writer. So we wait for some seconds in all;
 * after that, bytes that find no room are dropped and counted. Names and other programs' lines may
 * contain control characters, which a terminal would obey.
 */
#ifndef CNI_STDERR_H
#define CNI_STDERR_H

#include <stdbool.h>
#include <stddef.h>

/* visible() writes at most so many bytes for one. */
#define VISIBLE_GROWTH 4

/*
 * Writes control characters, and bytes that are not UTF-8, as \xNN. Line ends and tabs stay, or
 * become blanks with one_line. text has a zero byte after len bytes, ret has room for
 * VISIBLE_GROWTH * len bytes. Returns how many it wrote.
 */
size_t visible(char *ret, const char *text, size_t len, bool one_line);

/* Writes the text of visible(). */
void stderr_put(const char *text, size_t len);

/* How many bytes were dropped since the last call. */
size_t stderr_lost(void);

#endif
