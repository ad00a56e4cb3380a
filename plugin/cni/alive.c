#include "cni/alive.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cni/cleanup.h"

#define FIRST_PID_NAMESPACE 0xEFFFFFFCU /* PROC_PID_INIT_INO, include/linux/proc_ns.h */

struct set {
	ino_t *list;
	size_t n, room;
	bool failed;
	struct statx own; /* our namespace: all are files of its device */
};

static void add(struct set *set, ino_t inode)
{
	if (set->n == set->room) {
		ino_t *bigger = realloc(set->list, (set->room * 2 + 64) * sizeof(*bigger));

		if (!bigger) {
			set->failed = true;
			return;
		}
		set->list = bigger;
		set->room = set->room * 2 + 64;
	}
	set->list[set->n++] = inode;
}

static bool contains(const struct set *set, ino_t inode)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i] == inode)
			return true;
	return false;
}

/* The inode that a link to "net:[4026531840]" tells; 0: it is something else. */
static ino_t link_inode(int dir, const char *path, const char *kind)
{
	char text[64];
	ssize_t len = readlinkat(dir, path, text, sizeof(text) - 1);
	size_t prefix = strlen(kind);

	if (len < 0)
		return 0;
	text[len] = '\0';
	if (strncmp(text, kind, prefix) != 0 || strncmp(text + prefix, ":[", 2) != 0)
		return 0;
	return strtoul(text + prefix + 2, NULL, 10);
}

/* What has gone is no failure, since then what was in it has. */
static void note_failure(struct set *set, int error)
{
	if (error != ENOENT && error != ESRCH)
		set->failed = true;
}

/* Calls each() for all entries of a directory that are numbers. */
static void each_number(struct set *set, int parent, const char *path,
			void (*each)(struct set *set, int dir, const char *name, void *arg), void *arg)
{
	int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		note_failure(set, errno);
		cleanup_close(&fd);
		return;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (isdigit((unsigned char)entry->d_name[0]))
			each(set, dirfd(dir), entry->d_name, arg);
	if (errno)
		note_failure(set, errno);
	closedir(dir);
}

static void add_thread(struct set *set, int dir, const char *name, void *arg)
{
	char path[64];
	ino_t inode;

	(void)arg;
	snprintf(path, sizeof(path), "%s/ns/net", name);
	inode = link_inode(dir, path, "net");
	if (inode)
		add(set, inode);
}

/* Asks no file system over a network, and calls no function that musl has not. */
static bool status_of(int dir, const char *path, struct statx *ret)
{
	return syscall(SYS_statx, dir, path, AT_STATX_DONT_SYNC | AT_EMPTY_PATH, STATX_INO, ret) == 0;
}

/* A socket holds the namespace that it was made in. To ask for that it must be ours,
 * which Linux 5.6 is the first to allow; before it nobody is called dead. */
static void add_socket(struct set *set, int pidfd, const char *name)
{
	autoclose int fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)strtol(name, NULL, 10), 0);
	autoclose int netns = fd < 0 ? -1 : ioctl(fd, SIOCGSKNS);
	struct statx st;

	if (netns >= 0 && status_of(netns, "", &st))
		add(set, st.stx_ino);
	else if (fd >= 0 || errno != EBADF)
		note_failure(set, errno);
}

/* One that was opened by a name, as that of a mounted namespace, is told by that name,
 * and by "/" after it was unmounted: what it is then only its inode tells. */
static void add_descriptor(struct set *set, int dir, const char *name, void *arg)
{
	ino_t inode = link_inode(dir, name, "net");
	const int *pidfd = arg;
	struct statx st;
	char first;

	if (inode)
		add(set, inode);
	else if (link_inode(dir, name, "socket"))
		add_socket(set, *pidfd, name);
	else if (readlinkat(dir, name, &first, 1) == 1 && first == '/' && status_of(dir, name, &st) &&
		 st.stx_dev_major == set->own.stx_dev_major && st.stx_dev_minor == set->own.stx_dev_minor)
		add(set, st.stx_ino);
}

/* "... / /run/netns/a rw shared:1 - nsfs nsfs rw", with "net:[4026532345]" as the root. */
static bool add_mounts(struct set *set, int process)
{
	autoclose int fd = openat(process, "mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;

	if (!file) {
		note_failure(set, errno == EINVAL ? ESRCH : errno); /* it is ending */
		return false;
	}
	take_fd(&fd);
	while (getline(&line, &room, file) >= 0) {
		const char *root = strstr(line, " net:[");

		if (root && strstr(line, " - nsfs "))
			add(set, strtoul(root + strlen(" net:["), NULL, 10));
	}
	if (!feof(file))
		note_failure(set, errno);
	free(line);
	fclose(file);
	return true;
}

/* Can it see all of its mount namespace? */
static bool sees_all(int process)
{
	char root[2];

	return readlinkat(process, "root", root, sizeof(root)) == 1;
}

static void add_process(struct set *set, int proc, const char *name, void *arg)
{
	autoclose int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(name, NULL, 10), 0);
	struct set *mount_namespaces = arg;
	ino_t mounts;

	if (process < 0 || pidfd < 0) {
		note_failure(set, errno);
		return;
	}
	each_number(set, process, "task", add_thread, NULL);
	each_number(set, process, "fd", add_descriptor, &pidfd);
	mounts = link_inode(process, "ns/mnt", "mnt");
	if (!mounts || contains(mount_namespaces, mounts))
		return;
	if (add_mounts(set, process) && sees_all(process))
		add(mount_namespaces, mounts);
}

static int by_number(const void *a, const void *b)
{
	ino_t x = *(const ino_t *)a, y = *(const ino_t *)b;

	return (x > y) - (x < y);
}

void alive_read(struct alive *ret)
{
	struct set netns = { 0 }, mount_namespaces = { 0 };

	netns.failed = !status_of(AT_FDCWD, "/proc/self/ns/net", &netns.own);
	each_number(&netns, AT_FDCWD, "/proc", add_process, &mount_namespaces);
	if (netns.n)
		qsort(netns.list, netns.n, sizeof(*netns.list), by_number);
	*ret = (struct alive){ .netns = netns.list, .n = netns.n };
	ret->complete = netns.n && !netns.failed && !mount_namespaces.failed &&
			link_inode(AT_FDCWD, "/proc/1/ns/pid", "pid") == FIRST_PID_NAMESPACE;
	free(mount_namespaces.list);
}

void alive_free(struct alive *alive)
{
	free(alive->netns);
	*alive = (struct alive){ 0 };
}

enum found alive_find(const struct alive *alive, ino_t netns)
{
	if (alive->n && bsearch(&netns, alive->netns, alive->n, sizeof(*alive->netns), by_number))
		return FOUND;
	return alive->complete ? FOUND_NOT : FOUND_FAILED;
}
