/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line on standard error that names the thing for which a command waits. It is printed on a terminal
 * alone. text_put() and the end of the command remove it.
 *
 *	progress("asking %zu addresses of %s", n, name);
 *	...
 *	progress_end();
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

/* Replaces the line. Writes control characters as \xNN. */
__attribute__((format(printf, 1, 2))) void progress(const char *format, ...);

void progress_end(void);

#endif
