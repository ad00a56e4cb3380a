/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc() for programs that end within milliseconds: memory is handed out in the order that it is
 * asked for, and taken back by the kernel when the process ends. The static release has it in place
 * of the C library's, which asks the kernel for memory a dozen times and touches each page by itself:
 * a page fault is what costs most in a process that lives so short. Here the first pages come at once.
 *
 * There is one thread. Each block has its size before it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 16
#define FIRST_CHUNK (32 << 10) /* an ADD of ipvlan takes 22 KiB, a DEL 8 */
#define NEXT_CHUNK (1 << 20)
#define LARGE (NEXT_CHUNK / 4) /* has a mapping of its own, and wastes no end of a chunk */

static char *next;
static size_t left;

static size_t *header(void *block)
{
	return (size_t *)((char *)block - ALIGNMENT);
}

static void *map(size_t size, int flags)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	errno = ENOMEM;
	return NULL;
}

/* Where there is room for it in the chunk, in the next one, or in a mapping of its own. */
static char *take(size_t size)
{
	const size_t chunk = next ? NEXT_CHUNK : FIRST_CHUNK;
	char *taken;

	if (size > LARGE || (size > left && size > chunk))
		return map(size, 0);
	if (size > left) {
		taken = map(chunk, next ? 0 : MAP_POPULATE);
		if (!taken)
			return NULL;
		next = taken;
		left = chunk;
	}
	taken = next;
	next += size;
	left -= size;
	return taken;
}

static void *block_new(size_t size)
{
	char *block;

	if (size > PTRDIFF_MAX - (size_t)2 * ALIGNMENT) {
		errno = ENOMEM;
		return NULL;
	}
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	block = take(ALIGNMENT + size);
	if (!block)
		return NULL;
	block += ALIGNMENT;
	*header(block) = size;
	return block;
}

void *malloc(size_t size)
{
	return block_new(size);
}

void free(void *ptr)
{
	(void)ptr;
}

/* No block has been another's before, so all are zero. */
void *calloc(size_t nmemb, size_t size)
{
	if (size && nmemb > PTRDIFF_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return block_new(nmemb * size);
}

void *realloc(void *ptr, size_t size)
{
	void *larger;

	if (ptr && size <= *header(ptr))
		return ptr;
	larger = block_new(size);
	if (ptr && larger)
		memcpy(larger, ptr, *header(ptr));
	return larger;
}
