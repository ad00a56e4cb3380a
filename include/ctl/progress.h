/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command is waiting for: one line on standard error that is there while something takes its
 * time. On a terminal alone. text_put() removes it before it writes, and so does the end of the
 * command; nothing else need think of it.
 *
 *	progress("asking %zu addresses of %s", n, name);
 *	...
 *	progress_end();
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

/* In the place of the line that is there, if any. Control characters are written as \xNN. */
__attribute__((format(printf, 1, 2))) void progress(const char *format, ...);

void progress_end(void);

#endif
