/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the Test Anything Protocol that these tests use. A test's name is a
 * sentence that holds when the test passes; it may be a format with arguments.
 */
#ifndef TAP_H
#define TAP_H

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_tests, tap_failures;

__attribute__((format(printf, 2, 3))) static inline bool tap(bool passed, const char *name, ...)
{
	char line[256];
	va_list args;

	va_start(args, name);
	vsnprintf(line, sizeof(line), name, args);
	va_end(args);
	for (char *c = line; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	tap_failures += !passed;
	printf("%s %d - %s\n", passed ? "ok" : "not ok", ++tap_tests, line);
	return passed;
}

/* Prints where a test failed and the actual value. */
#define tap_because(...) (printf("#   %s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), putchar('\n'))

#define ok(condition, ...) ((void)(tap(condition, __VA_ARGS__) || tap_because("not true: %s", #condition)))

#define is_int(got, wanted, ...) \
	do { \
		long long tap_got = (got), tap_wanted = (wanted); \
		if (!tap(tap_got == tap_wanted, __VA_ARGS__)) \
			tap_because("got %lld, wanted %lld", tap_got, tap_wanted); \
	} while (0)

#define is_str(got, wanted, ...) \
	do { \
		const char *tap_got = (got), *tap_wanted = (wanted); \
		if (!tap(tap_got && !strcmp(tap_got, tap_wanted), __VA_ARGS__)) \
			tap_because("got    \"%s\"\n#   wanted \"%s\"", tap_got ? tap_got : "(null)", \
				    tap_wanted); \
	} while (0)

/* The end of every main(). */
static inline int done(void)
{
	printf("1..%d\n", tap_tests);
	return tap_failures != 0;
}

#endif
