/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"

#define PARENT "/run/cni"
#define COUNTERS PARENT "/ipvlan.counters.1"
#define SIZE 4096

/* What has a place in the file. Additions go to the end of a list: there is room. Any other change
 * requires another file. */
static const char *const programs[] = { "ipvlan", "addrpool" };
static const char *const verbs[] = { "ADD", "DEL", "CHECK", "GC", "STATUS" };
static const int codes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 50, 51, 100, 101, 102, 999, -1 };
static const char *const bys[COUNTERS_BYS] = { "add", "ipvlanctl", "ipvlan-node" };
static const char *const repairs[COUNTERS_REPAIRS] = { "mended", "removed", "failed" };

#define N(list) (sizeof(list) / sizeof(*(list)))

struct counters {
	uint64_t calls[2][8][24];
	uint64_t repairs[4][8];
};

_Static_assert(sizeof(struct counters) <= SIZE, "the file is a page");
_Static_assert(N(programs) <= 2 && N(verbs) <= 8 && N(codes) <= 24, "all have a place");
_Static_assert(N(bys) <= 4 && N(repairs) <= 8, "all have a place");

static size_t counters_index_of(const char *const *list, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(list[i], name) != 0)
		i++;
	return i;
}

/* The last place is for all other codes. */
static size_t counters_place_of_code(int code)
{
	size_t i = 0;

	while (i + 1 < N(codes) && codes[i] != code)
		i++;
	return i;
}

static int counters_create(void)
{
	if (file_make_path(PARENT, 0755) < 0)
		return -1;
	return open(COUNTERS, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
}

/* If /run is full, writing to a page without memory would kill the process. */
static bool counters_have_memory(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	return (st.st_size >= SIZE && st.st_blocks * 512 >= SIZE) || fallocate(fd, 0, 0, SIZE) == 0;
}

/* NULL: there are no counters. A process maps them once and does not unmap them. */
static struct counters *counters_map(void)
{
	static struct counters *counters;
	autoclose int fd = -1;
	void *map;

	if (counters)
		return counters;
	fd = file_open(COUNTERS, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		fd = counters_create();
	if (fd < 0 || !counters_have_memory(fd))
		return NULL;
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? NULL : (counters = map);
}

// NOLINTNEXTLINE(readability-non-const-parameter): the compiler's own function writes there
static void counters_count(uint64_t *number)
{
	__atomic_fetch_add(number, 1, __ATOMIC_RELAXED);
}

void counters_add_call(const char *program, const char *verb, int code)
{
	const size_t i = counters_index_of(programs, N(programs), program),
		     k = counters_index_of(verbs, N(verbs), verb);
	struct counters *counters = i < N(programs) && k < N(verbs) ? counters_map() : NULL;

	if (counters)
		counters_count(&counters->calls[i][k][counters_place_of_code(code)]);
}

void counters_add_repair(enum counters_by by, enum counters_repair repair)
{
	struct counters *counters = counters_map();

	if (counters)
		counters_count(&counters->repairs[by][repair]);
}

static void counters_each_call(const struct counters *all, void (*each)(const struct counter *, void *),
			       void *arg)
{
	for (size_t i = 0; i < N(programs); i++)
		for (size_t k = 0; k < N(verbs); k++)
			for (size_t c = 0; c < N(codes); c++) {
				const struct counter counter = { .program = programs[i],
								 .verb = verbs[k],
								 .code = codes[c],
								 .n = all->calls[i][k][c] };

				if (!codes[c] || counter.n)
					each(&counter, arg);
			}
}

enum found counters_each(void (*each)(const struct counter *, void *), void *arg, struct cni_error *err)
{
	autoclose int fd = file_open(COUNTERS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	struct counters all;
	ssize_t len = fd < 0 ? -1 : pread(fd, &all, sizeof(all), 0);

	if ((fd < 0 && errno == ENOENT) || (len >= 0 && len < (ssize_t)sizeof(all)))
		return FOUND_NOT;
	if (len < 0)
		return cni_fail(err, CNI_IO, "cannot read %s: %s", COUNTERS, errno_text(errno));
	counters_each_call(&all, each, arg);
	for (size_t i = 0; i < N(bys); i++)
		for (size_t k = 0; k < N(repairs); k++)
			each(&(struct counter){ .by = bys[i], .repair = repairs[k], .n = all.repairs[i][k] },
			     arg);
	return FOUND;
}
