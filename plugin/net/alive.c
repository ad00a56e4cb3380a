#include "net/alive.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/stat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cni/cleanup.h"

/* Someone who keeps a namespace alive. */
struct seen {
	struct netns_id id; /* the cookie when it was asked for */
	char *path;	    /* to ask for it; NULL: there is no way */
};

#define FIRST_PID_NAMESPACE 0xEFFFFFFCU /* PROC_PID_INIT_INO, include/linux/proc_ns.h */

struct set {
	struct seen *list;
	size_t n, room;
	bool failed;
	struct statx own; /* our namespace: all are files of its device */
};

/* path becomes the set's. */
static void add(struct set *set, uint64_t inode, char *path)
{
	if (set->n == set->room) {
		struct seen *bigger = realloc(set->list, (set->room * 2 + 64) * sizeof(*bigger));

		if (!bigger) {
			free(path);
			set->failed = true;
			return;
		}
		set->list = bigger;
		set->room = set->room * 2 + 64;
	}
	set->list[set->n++] = (struct seen){ .id.inode = inode, .path = path };
}

/* One without a path can be told as well, only not from a later one. */
__attribute__((format(printf, 1, 2))) static char *path_of(const char *format, ...)
{
	va_list words;
	char *path;

	va_start(words, format);
	if (vasprintf(&path, format, words) < 0)
		path = NULL;
	va_end(words);
	return path;
}

static bool contains(const struct set *set, uint64_t inode)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i].id.inode == inode)
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
		add(set, inode, path_of("/proc/%s/ns/net", name));
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
		add(set, st.stx_ino, NULL);
	else if (fd >= 0 || errno != EBADF)
		note_failure(set, errno);
}

struct process {
	const char *name;
	int pidfd;
};

/* One that was opened by a name, as that of a mounted namespace, is told by that name,
 * and by "/" after it was unmounted: what it is then only its inode tells. */
static void add_descriptor(struct set *set, int dir, const char *name, void *arg)
{
	ino_t inode = link_inode(dir, name, "net");
	const struct process *process = arg;
	struct statx st;
	char first;

	if (inode)
		add(set, inode, path_of("/proc/%s/fd/%s", process->name, name));
	else if (link_inode(dir, name, "socket"))
		add_socket(set, process->pidfd, name);
	else if (readlinkat(dir, name, &first, 1) == 1 && first == '/' && status_of(dir, name, &st) &&
		 st.stx_dev_major == set->own.stx_dev_major && st.stx_dev_minor == set->own.stx_dev_minor)
		add(set, st.stx_ino, path_of("/proc/%s/fd/%s", process->name, name));
}

struct mounts {
	struct set *set;
	const char *process;
};

static int add_mount(uint64_t inode, const char *path, void *arg)
{
	const struct mounts *mounts = arg;

	add(mounts->set, inode, path_of("/proc/%s/root%s", mounts->process, path));
	return 0;
}

static bool add_mounts(struct set *set, int process, const char *name)
{
	autoclose int fd = openat(process, "mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	struct mounts mounts = { set, name };

	if (!file) {
		note_failure(set, errno == EINVAL ? ESRCH : errno); /* it is ending */
		return false;
	}
	take_fd(&fd);
	errno = ENOMEM; /* unless reading says otherwise */
	netns_mounts(file, add_mount, &mounts);
	if (!feof(file))
		note_failure(set, errno);
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
	struct process who = { name, pidfd };
	struct set *mount_namespaces = arg;
	ino_t mounts;

	if (process < 0 || pidfd < 0) {
		note_failure(set, errno);
		return;
	}
	each_number(set, process, "task", add_thread, NULL);
	each_number(set, process, "fd", add_descriptor, &who);
	mounts = link_inode(process, "ns/mnt", "mnt");
	if (!mounts || contains(mount_namespaces, mounts))
		return;
	if (add_mounts(set, process, name) && sees_all(process))
		add(mount_namespaces, mounts, NULL);
}

static int by_number(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return (x->id.inode > y->id.inode) - (x->id.inode < y->id.inode);
}

void alive_read(struct alive *ret)
{
	struct set netns = { 0 }, mount_namespaces = { 0 };

	netns.failed = !status_of(AT_FDCWD, "/proc/self/ns/net", &netns.own);
	each_number(&netns, AT_FDCWD, "/proc", add_process, &mount_namespaces);
	if (netns.n)
		qsort(netns.list, netns.n, sizeof(*netns.list), by_number);
	*ret = (struct alive){ .seen = netns.list, .n = netns.n };
	ret->complete = netns.n && !netns.failed && !mount_namespaces.failed &&
			link_inode(AT_FDCWD, "/proc/1/ns/pid", "pid") == FIRST_PID_NAMESPACE;
	free(mount_namespaces.list);
}

void alive_free(struct alive *alive)
{
	for (size_t i = 0; i < alive->n; i++)
		free(alive->seen[i].path);
	free(alive->seen);
	*alive = (struct alive){ 0 };
}

/* Is the one that has this inode now another? Asked through any that leads into it. */
static bool is_later(struct seen *seen, const struct seen *end, const struct netns_id *netns)
{
	for (struct seen *way = seen; !seen->id.cookie && way < end && way->id.inode == netns->inode; way++) {
		const struct netns_id there = way->path ? netns_id(way->path) : (struct netns_id){ 0 };

		if (there.inode == netns->inode)
			seen->id.cookie = there.cookie;
	}
	return !netns_is(&seen->id, netns);
}

enum found alive_find(struct alive *alive, const struct netns_id *netns)
{
	const struct seen key = { .id = *netns };
	struct seen *seen = alive->n ? bsearch(&key, alive->seen, alive->n, sizeof(key), by_number) : NULL;

	while (seen && seen > alive->seen && seen[-1].id.inode == netns->inode)
		seen--;
	if (seen)
		return netns->cookie && is_later(seen, alive->seen + alive->n, netns) ? FOUND_NOT : FOUND;
	return alive->complete ? FOUND_NOT : FOUND_FAILED;
}
