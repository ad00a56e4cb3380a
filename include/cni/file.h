/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that several processes work on at once.
 */
#ifndef CNI_FILE_H
#define CNI_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * flock()s fd for this process alone, in turn with the others that wait. Returns 0,
 * or -1 with errno; EINTR says that it took longer than so many seconds.
 */
int file_lock(int fd, int seconds);

/* open(2), close-on-exec, in one system call, which with musl's open() is two. */
int file_open(const char *path, int flags);

/*
 * Calls each() for the names in a directory, but for those that begin with a dot, until it
 * returns false. dir is open, for openat(2). Returns 0, or -1 with errno: the directory
 * cannot be read.
 */
int file_each(int at, const char *path, bool (*each)(int dir, const char *name, void *arg), void *arg);

/* An each() that unlinks the name. Goes on if that fails. */
bool file_unlink(int dir, const char *name, void *arg);

/* mkdir -p. Returns 0, or -1 with errno. */
int file_make_path(const char *path, mode_t mode);

/*
 * Can so many files, with content, be made in the directory? Returns 0, or -1 with errno:
 * ENOENT, ENOTDIR, EACCES, EROFS, or ENOSPC.
 */
int file_has_room(const char *directory, unsigned int files);

/* The start of the boot id, which tells this boot from all others of this machine;
 * "" when nobody can say. */
struct boot {
	char id[9];
};

struct boot file_boot(void);

#endif
