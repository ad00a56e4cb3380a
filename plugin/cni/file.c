#include "cni/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include "cni/cleanup.h"

static void ignore(int signal)
{
	(void)signal;
}

/* Whoever waits in flock() is served in turn, which polling would not be. The
 * timer goes on ticking, so that a tick before we sleep is not the last. */
int file_lock(int fd, int seconds)
{
	const struct itimerval tick = { .it_interval = { .tv_sec = 1 }, .it_value = { .tv_sec = 1 } };
	const struct sigaction wake = { .sa_handler = ignore };
	const struct itimerval never = { .it_value = { .tv_sec = 0 } };
	struct timespec start, now;
	int rc;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &start);
	sigaction(SIGALRM, &wake, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	do {
		rc = flock(fd, LOCK_EX);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (rc < 0 && errno == EINTR && now.tv_sec - start.tv_sec < seconds);
	setitimer(ITIMER_REAL, &never, NULL);
	return rc;
}

int file_open(const char *path, int flags)
{
	return openat(AT_FDCWD, path, flags | O_CLOEXEC);
}

int file_make_path(const char *path, mode_t mode)
{
	autofree char *copy = strdup(path);

	if (!copy)
		return -1;
	for (char *slash = copy + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return -1;
	}
	return mkdir(copy, mode) < 0 && errno != EEXIST ? -1 : 0;
}

struct boot file_boot(void)
{
	static struct boot boot; /* a process does not outlive it */
	autoclose int fd = -1;

	if (boot.id[0])
		return boot;
	fd = file_open("/proc/sys/kernel/random/boot_id", O_RDONLY);
	if (fd < 0 || read(fd, boot.id, sizeof(boot.id) - 1) != (ssize_t)sizeof(boot.id) - 1)
		boot.id[0] = '\0';
	return boot;
}
