/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard error: our own lines, and what the programs say that we run.
 *
 * Somebody may have stopped reading it, and a pipe that is full keeps its writer
 * waiting: here for some seconds in all, after which what finds no room is lost, and
 * counted. Names and other programs may bring control characters, which a terminal
 * would obey.
 */
#ifndef CNI_STDERR_H
#define CNI_STDERR_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes that visible() makes of one. */
#define VISIBLE_GROWTH 4

/*
 * Writes control characters, and what is not UTF-8, as \xNN. Line ends and tabs stay as
 * they are in several lines, and become blanks in what is to be one line. text ends with
 * a zero byte after len, ret has room for VISIBLE_GROWTH * len bytes; returns how many
 * there are.
 */
size_t visible(char *ret, const char *text, size_t len, bool one_line);

/* Writes what visible() has made. */
void stderr_put(const char *text, size_t len);

/* How many bytes were lost since this was asked last. */
size_t stderr_lost(void);

#endif
