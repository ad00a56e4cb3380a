/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/process.h"

/* Waits in flock(), which serves waiters in order; polling would not. */
int file_lock(int fd, int seconds)
{
	long long end;
	int rc;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	end = process_now_ms() + seconds * 1000LL;
	process_tick(true);
	do
		rc = flock(fd, LOCK_EX);
	while (rc < 0 && errno == EINTR && process_now_ms() < end);
	process_tick(false);
	return rc;
}

int file_open(const char *path, int flags)
{
	return openat(AT_FDCWD, path, flags | O_CLOEXEC);
}

int file_each(int at, const char *path, bool (*each)(int dir, const char *name, void *arg), void *arg)
{
	autoclose int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool more = true;
	int error;

	if (!dir)
		return -1;
	take_fd(&fd);
	for (errno = 0; more && (entry = readdir(dir)); errno = 0)
		more = entry->d_name[0] == '.' || each(dirfd(dir), entry->d_name, arg);
	error = more ? errno : 0;
	closedir(dir);
	errno = error;
	return error ? -1 : 0;
}

bool file_unlink(int dir, const char *name, void *arg)
{
	(void)arg;
	unlinkat(dir, name, 0);
	return true;
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
	static struct boot boot; /* a process cannot outlive the boot */
	autoclose int fd = -1;

	if (boot.id[0])
		return boot;
	fd = file_open("/proc/sys/kernel/random/boot_id", O_RDONLY);
	if (fd < 0 || read(fd, boot.id, sizeof(boot.id) - 1) != (ssize_t)sizeof(boot.id) - 1)
		boot.id[0] = '\0';
	return boot;
}

int file_has_room(const char *directory, unsigned int files)
{
	autoclose int fd = file_open(directory, O_PATH | O_DIRECTORY);
	struct statvfs room;

	if (fd < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0 || fstatvfs(fd, &room) < 0)
		return -1;
	/* a file system without a limit for files reports 0 of them */
	if (room.f_bavail && (!room.f_files || room.f_favail >= files))
		return 0;
	errno = ENOSPC;
	return -1;
}
