/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that several processes use at the same time.
 */
#ifndef CNI_FILE_H
#define CNI_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Locks fd exclusively by flock(), in the order in which processes wait for it. Returns 0, or -1
 * with errno; EINTR: it took longer than so many seconds.
 */
int file_lock(int fd, int seconds);

/* open(2) with O_CLOEXEC in one system call; musl's open() makes two. */
int file_open(const char *path, int flags);

/*
 * Calls each() for each name in a directory that does not begin with a dot, until each() returns
 * false. dir is open, for openat(2). Returns 0, or -1 with errno if the directory cannot be read.
 */
int file_each(int at, const char *path, bool (*each)(int dir, const char *name, void *arg), void *arg);

/* For file_each(): unlinks the name. Goes on if that fails. */
bool file_unlink(int dir, const char *name, void *arg);

/* mkdir -p. Returns 0, or -1 with errno. */
int file_make_path(const char *path, mode_t mode);

/*
 * Is there room for so many files with content in the directory? Returns 0, or -1 with errno:
 * ENOENT, ENOTDIR, EACCES, EROFS, or ENOSPC.
 */
int file_has_room(const char *directory, unsigned int files);

/* The start of the boot id, which differs for each boot of this machine; "": it cannot be read. */
struct boot {
	char id[9];
};

struct boot file_boot(void);

#endif
