/*
 * Files that several processes work on at once.
 */
#ifndef CNI_FILE_H
#define CNI_FILE_H

#include <sys/types.h>

/*
 * flock()s fd for this process alone, in turn with the others that wait. Returns 0,
 * or -1 with errno; EINTR says that it took longer than so many seconds. It uses
 * SIGALRM and ITIMER_REAL meanwhile.
 */
int file_lock(int fd, int seconds);

/* open(2), close-on-exec, in one system call, which with musl's open() is two. */
int file_open(const char *path, int flags);

/* mkdir -p. Returns 0, or -1 with errno. */
int file_make_path(const char *path, mode_t mode);

/* The start of the boot id, which tells this boot from all others of this machine;
 * "" when nobody can say. */
struct boot {
	char id[9];
};

struct boot file_boot(void);

#endif
