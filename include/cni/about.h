/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How each program answers --help, -h, --version and -V, and arguments that it does not know.
 */
#ifndef CNI_ABOUT_H
#define CNI_ABOUT_H

#include <stdbool.h>

#define EXIT_USAGE 2

struct about {
	const char *name;  /* of the program */
	const char *what;  /* in one line */
	const char *usage; /* lines, the first of which begins with "usage: " */
	const char *page;  /* of the manual: "ipvlan-cni" */
};

/* The version of this build: "1.2.3 (git abc1234)"; with "+" if the sources were changed after that
 * commit. "1.2.3" if the sources are an archive that does not name its commit. */
const char *about_version(void);

/* Prints name and version. A static program has a second line: "contains jansson 2.14-2, musl 1.2.3-1". */
void about_print_version(const char *name);

/* Is the argument one of the four options? Then this prints the answer on standard output, and
 * *status is main()'s exit status. */
bool about_answers(const struct about *about, int argc, char **argv, int *status);

/* Prints the usage on standard error. Returns EXIT_USAGE. */
int about_refuse(const struct about *about);

#endif
