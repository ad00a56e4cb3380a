/* SPDX-License-Identifier: Apache-2.0 */
/* Renamed, so that this program also has the C library's functions. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tap.h"

void *short_malloc(size_t size);
void short_free(void *ptr);
void *short_calloc(size_t nmemb, size_t size);
void *short_realloc(void *ptr, size_t size);

#define malloc short_malloc
#define free short_free
#define calloc short_calloc
#define realloc short_realloc
#include "../../plugin/memory/memory.c" /* NOLINT(bugprone-suspicious-include) */

static bool all(const char *block, char byte, size_t n)
{
	for (size_t i = 0; block && i < n; i++)
		if (block[i] != byte)
			return false;
	return block != NULL;
}

static void fill(char *block, char byte, size_t n)
{
	if (block)
		memset(block, byte, n);
}

static void test_blocks(void)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 4096, 20000, 40000, LARGE, NEXT_CHUNK, 1, 300 };
	enum { N = sizeof(sizes) / sizeof(*sizes) };
	char *blocks[N] = { NULL };

	for (size_t i = 0; i < N; i++) {
		blocks[i] = short_malloc(sizes[i]);
		ok(blocks[i] && (uintptr_t)blocks[i] % _Alignof(max_align_t) == 0,
		   "%zu bytes are there, and aligned", sizes[i]);
		ok(all(blocks[i], 0, sizes[i]), "%zu bytes are new", sizes[i]);
		fill(blocks[i], (char)(i + 1), sizes[i]);
	}
	for (size_t i = 0; i < N; i++)
		ok(all(blocks[i], (char)(i + 1), sizes[i]), "%zu bytes belong to one block", sizes[i]);
	for (size_t i = 0; i < N; i++)
		short_free(blocks[i]);
}

static void test_growth(void)
{
	char *block = NULL;

	for (size_t size = 1; size <= NEXT_CHUNK; size *= 3) {
		block = short_realloc(block, size);
		ok(block && all(block, 'x', size / 3), "the content stays when a block grows to %zu", size);
		fill(block, 'x', size);
	}
	ok(short_realloc(block, 10) == block, "a block that shrinks stays where it is");
}

static void test_many(void)
{
	char *last = NULL;
	bool good = true;

	for (size_t i = 0; i < 200000; i++) {
		char *block = short_calloc(1 + i % 7, 11);

		good = good && block && block != last && all(block, 0, 11 * (1 + i % 7));
		fill(block, 'y', 11 * (1 + i % 7));
		last = block;
	}
	ok(good, "200000 blocks do not overlap");
}

static void test_refused(void)
{
	static const struct {
		size_t n, size;
	} cases[] = { { SIZE_MAX, 1 },
		      { SIZE_MAX / 2, 2 },
		      { SIZE_MAX / 2 + 2, 2 },
		      { 2, SIZE_MAX },
		      { PTRDIFF_MAX, 1 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		errno = 0;
		ok(!short_calloc(cases[i].n, cases[i].size) && errno == ENOMEM,
		   "%zu times %zu bytes are refused", cases[i].n, cases[i].size);
	}
	errno = 0;
	ok(!short_malloc(SIZE_MAX) && errno == ENOMEM, "an allocation of SIZE_MAX is refused");
	ok(short_malloc(1), "and the next allocation succeeds");
}

int main(void)
{
	test_blocks();
	test_growth();
	test_many();
	test_refused();
	return done();
}
