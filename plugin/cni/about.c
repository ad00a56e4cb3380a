/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/about.h"

#include <stdio.h>
#include <string.h>

/* The Makefile defines it. */
#ifndef GIT_ID
#define GIT_ID ""
#endif

const char *about_version(void)
{
	return GIT_ID[0] ? PROJECT_VERSION " (git " GIT_ID ")" : PROJECT_VERSION;
}

/* test/linked writes it for static programs; others do not have it. */
extern const char about_linked[] __attribute__((weak));

void about_print_version(const char *name)
{
	printf("%s %s\n", name, about_version());
	if (about_linked)
		printf("contains %s\n", about_linked);
}

static void about_print_help(const struct about *about)
{
	printf("%s: %s\n\n%s\nMore: man %s\n", about->name, about->what, about->usage, about->page);
}

bool about_answers(const struct about *about, int argc, char **argv, int *status)
{
	const char *asked = argc == 2 ? argv[1] : "";

	if (!strcmp(asked, "--version") || !strcmp(asked, "-V"))
		about_print_version(about->name);
	else if (!strcmp(asked, "--help") || !strcmp(asked, "-h"))
		about_print_help(about);
	else
		return false;
	*status = fflush(stdout) < 0;
	return true;
}

int about_refuse(const struct about *about)
{
	fputs(about->usage, stderr);
	return EXIT_USAGE;
}
