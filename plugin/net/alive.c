/* SPDX-License-Identifier: Apache-2.0 */
#include "net/alive.h"

#include <ctype.h>
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
#include "cni/file.h"

/* Something that keeps a namespace alive, and by which it can be opened. */
struct way {
	struct netns_id id; /* the cookie is read only when required */
	char *path;	    /* NULL: out of memory */
	size_t order;	    /* in which it was found */
	bool is_socket;	    /* path is the descriptor of a socket that was made there */
	bool is_mount;
};

#define FIRST_PID_NAMESPACE 0xEFFFFFFCU /* PROC_PID_INIT_INO, include/linux/proc_ns.h */

struct list {
	struct way *ways;
	size_t n, room;
	bool partial;
	char *unseen;	  /* of struct alive */
	struct statx own; /* our namespace: the files of all namespaces are on its device */
};

/* Mount namespaces that were read. */
struct inodes {
	ino_t *list;
	size_t n, room;
};

/* If a process or a file has ended meanwhile, that is not a failure: it no longer holds anything. */
__attribute__((format(printf, 3, 4))) static void alive_note_failure(struct list *list, int error,
								     const char *format, ...)
{
	const size_t size = sizeof(((struct alive *)0)->unseen);
	va_list words;
	int len;

	if (error == ENOENT || error == ESRCH || *list->unseen)
		return;
	va_start(words, format);
	len = vsnprintf(list->unseen, size, format, words);
	va_end(words);
	if (len >= 0 && (size_t)len < size)
		snprintf(list->unseen + len, size - (size_t)len, ": %s", errno_text(error));
}

/* Adds a copy of way, with the formatted path. */
__attribute__((format(printf, 3, 4))) static void alive_add(struct list *list, const struct way *way,
							    const char *format, ...)
{
	struct way *new;
	va_list words;

	if (list->n == list->room) {
		struct way *bigger = realloc(list->ways, (list->room * 2 + 64) * sizeof(*bigger));

		if (!bigger) {
			alive_note_failure(list, ENOMEM, "namespaces");
			return;
		}
		list->ways = bigger;
		list->room = list->room * 2 + 64;
	}
	new = &list->ways[list->n];
	*new = *way;
	new->order = list->n++;
	va_start(words, format);
	if (vasprintf(&new->path, format, words) < 0)
		new->path = NULL;
	va_end(words);
}

/* Reads a symbolic link of /proc. False: it no longer exists. */
static bool alive_read_link(struct list *list, int dir, const char *process, const char *path, char *ret,
			    size_t size)
{
	ssize_t len = readlinkat(dir, path, ret, size - 1);

	if (len < 0)
		alive_note_failure(list, errno, "/proc/%s/%s", process, path);
	ret[len < 0 ? 0 : len] = '\0';
	return len >= 0;
}

/* The inode in a text such as "net:[4026531840]"; 0: the text has another form. */
static ino_t alive_inode_of(const char *text, const char *kind)
{
	size_t len = strlen(kind);

	if (strncmp(text, kind, len) != 0 || strncmp(text + len, ":[", 2) != 0)
		return 0;
	return strtoul(text + len + 2, NULL, 10);
}

struct process {
	const char *name; /* below /proc */
	int dir, pidfd;
};

/* A walk through a directory of a process. */
struct process_walk {
	struct list *list;
	const struct process *process;
};

static void alive_each_entry(struct list *list, const struct process *process, const char *path,
			     bool (*each)(int dir, const char *name, void *arg))
{
	struct process_walk walk = { list, process };

	if (file_each(process->dir, path, each, &walk) < 0)
		alive_note_failure(list, errno, "/proc/%s/%s", process->name, path);
}

static bool alive_add_thread(int dir, const char *name, void *arg)
{
	const struct process_walk *walk = arg;
	char path[64], text[64];
	struct way way = { .order = 0 };

	snprintf(path, sizeof(path), "%s/ns/net", name);
	if (alive_read_link(walk->list, dir, walk->process->name, path, text, sizeof(text)))
		way.id.inode = alive_inode_of(text, "net");
	if (way.id.inode)
		alive_add(walk->list, &way, "/proc/%s/ns/net", name);
	return true;
}

/* Sends no requests to network file systems, and calls no function that musl lacks. */
static bool alive_status_of(int dir, const char *path, struct statx *ret)
{
	return syscall(SYS_statx, dir, path, AT_STATX_DONT_SYNC | AT_EMPTY_PATH, STATX_INO, ret) == 0;
}

/* The namespace in which a process made a socket: a descriptor, or -1 with errno. This requires a
 * copy of the socket, which is possible from Linux 5.6 on. */
static int alive_netns_of_socket(int pidfd, const char *name)
{
	autoclose int fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)strtol(name, NULL, 10), 0);

	return fd < 0 ? -1 : ioctl(fd, SIOCGSKNS);
}

static void alive_add_socket(struct list *list, const struct process *process, const char *name)
{
	autoclose int netns = alive_netns_of_socket(process->pidfd, name);
	struct way way = { .is_socket = true };
	struct statx st;

	if (netns >= 0 && alive_status_of(netns, "", &st)) {
		way.id.inode = st.stx_ino;
		alive_add(list, &way, "/proc/%s/fd/%s", process->name, name);
	} else if (netns < 0 && (errno == ENOSYS || errno == EPERM)) { /* Linux before 5.6; Yama */
		list->partial = true;
	} else if (netns >= 0 || errno != EBADF) { /* EBADF: it was closed */
		alive_note_failure(list, errno, "/proc/%s/fd/%s", process->name, name);
	}
}

/* The link of a descriptor that was opened by a path, such as that of a mounted namespace, has that
 * path, or "/" after the unmount. Then only its inode identifies the namespace. */
static bool alive_add_descriptor(int dir, const char *name, void *arg)
{
	const struct process_walk *walk = arg;
	const struct process *process = walk->process;
	struct list *list = walk->list;
	struct way way = { .order = 0 };
	char text[64];
	struct statx st;

	if (!alive_read_link(list, dir, process->name, name, text, sizeof(text)))
		return true;
	if (alive_inode_of(text, "socket")) {
		list->partial |= process->pidfd < 0;
		if (process->pidfd >= 0)
			alive_add_socket(list, process, name);
		return true;
	}
	way.id.inode = alive_inode_of(text, "net");
	if (!way.id.inode && *text == '/' && alive_status_of(dir, name, &st) &&
	    st.stx_dev_major == list->own.stx_dev_major && st.stx_dev_minor == list->own.stx_dev_minor)
		way.id.inode = st.stx_ino;
	if (way.id.inode)
		alive_add(list, &way, "/proc/%s/fd/%s", process->name, name);
	return true;
}

struct mounts {
	struct list *list;
	const char *process; /* NULL: our own */
};

static int alive_add_mount(uint64_t inode, const char *path, void *arg)
{
	const struct way way = { .id.inode = inode, .is_mount = true };
	const struct mounts *mounts = arg;

	if (mounts->process)
		alive_add(mounts->list, &way, "/proc/%s/root%s", mounts->process, path);
	else
		alive_add(mounts->list, &way, "%s", path);
	return 0;
}

static bool alive_add_mounts(struct list *list, const struct process *process, const char *prefix)
{
	autoclose int fd = openat(process->dir, "mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	struct mounts mounts = { list, prefix };
	bool whole;

	if (!file) { /* EINVAL: the process is ending */
		alive_note_failure(list, errno == EINVAL ? ESRCH : errno, "/proc/%s/mountinfo",
				   process->name);
		return false;
	}
	take_fd(&fd);
	errno = ENOMEM; /* in case the reader fails without an errno */
	netns_mounts(file, alive_add_mount, &mounts);
	whole = feof(file);
	if (!whole)
		alive_note_failure(list, errno == EINVAL ? ESRCH : errno, "/proc/%s/mountinfo",
				   process->name);
	fclose(file);
	return whole;
}

static bool alive_contains(const struct inodes *set, ino_t inode)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i] == inode)
			return true;
	return false;
}

/* Without memory the namespace is not remembered, and is read again. */
static void alive_remember(struct inodes *set, ino_t inode)
{
	ino_t *bigger = set->list;

	if (set->n == set->room) {
		bigger = realloc(set->list, (set->room * 2 + 16) * sizeof(*bigger));
		set->room = bigger ? set->room * 2 + 16 : set->room;
	}
	if (!bigger)
		return;
	set->list = bigger;
	set->list[set->n++] = inode;
}

/* Adds the mounts of the process's mount namespace, unless they were read from another process that
 * sees all of them. */
static void alive_add_mounts_once(struct list *list, const struct process *process, const char *prefix,
				  struct inodes *seen)
{
	char text[64], root[2] = "";
	bool sees_all = readlinkat(process->dir, "root", root, sizeof(root)) == 1;
	ino_t mounts = 0;

	if (alive_read_link(list, process->dir, process->name, "ns/mnt", text, sizeof(text)))
		mounts = alive_inode_of(text, "mnt");
	if (mounts && !alive_contains(seen, mounts) && alive_add_mounts(list, process, prefix) && sees_all)
		alive_remember(seen, mounts);
}

static void alive_add_process(struct list *list, int proc, const char *name, struct inodes *mount_namespaces)
{
	autoclose int dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(name, NULL, 10), 0);
	const struct process process = { name, dir, pidfd };

	if (dir < 0 || (pidfd < 0 && errno != ENOSYS)) {
		alive_note_failure(list, errno, "/proc/%s", name);
		return;
	}
	alive_each_entry(list, &process, "task", alive_add_thread);
	alive_each_entry(list, &process, "fd", alive_add_descriptor);
	alive_add_mounts_once(list, &process, name, mount_namespaces);
}

struct proc_walk {
	struct list *list;
	struct inodes *mount_namespaces;
};

static bool alive_add_if_process(int proc, const char *name, void *arg)
{
	const struct proc_walk *walk = arg;

	if (isdigit((unsigned char)name[0]))
		alive_add_process(walk->list, proc, name, walk->mount_namespaces);
	return true;
}

static void alive_add_processes(struct list *list, struct inodes *mount_namespaces)
{
	struct proc_walk walk = { list, mount_namespaces };

	if (file_each(AT_FDCWD, "/proc", alive_add_if_process, &walk) < 0)
		alive_note_failure(list, errno, "/proc");
}

/* Our own mounts come first: people know their paths. */
static void alive_add_our_mounts(struct list *list, struct inodes *mount_namespaces)
{
	autoclose int dir = file_open("/proc/self", O_RDONLY | O_DIRECTORY);
	const struct process self = { "self", dir, -1 };

	if (dir < 0)
		alive_note_failure(list, errno, "/proc/self");
	else
		alive_add_mounts_once(list, &self, NULL, mount_namespaces);
}

static int alive_by_number(const void *a, const void *b)
{
	const struct way *x = a, *y = b;

	return (x->id.inode > y->id.inode) - (x->id.inode < y->id.inode);
}

static int alive_by_number_and_order(const void *a, const void *b)
{
	const struct way *x = a, *y = b;
	int order = alive_by_number(a, b);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* Are we outside the first pid namespace? Also true if that is not known: there may be processes
 * that we do not see. */
static bool alive_is_nested(void)
{
	char text[64];
	ssize_t len = readlink("/proc/1/ns/pid", text, sizeof(text) - 1);

	text[len < 0 ? 0 : len] = '\0';
	return alive_inode_of(text, "pid") != FIRST_PID_NAMESPACE;
}

static void alive_read_list(struct alive *ret, bool processes)
{
	struct inodes mount_namespaces = { 0 };
	struct list list = { .n = 0 };

	*ret = (struct alive){ .partial = !processes || alive_is_nested() };
	list.unseen = ret->unseen;
	if (!alive_status_of(AT_FDCWD, "/proc/self/ns/net", &list.own))
		alive_note_failure(&list, errno == ENOENT ? EIO : errno, "/proc/self/ns/net");
	alive_add_our_mounts(&list, &mount_namespaces);
	if (processes)
		alive_add_processes(&list, &mount_namespaces);
	if (list.n)
		qsort(list.ways, list.n, sizeof(*list.ways), alive_by_number_and_order);
	else if (processes) /* not even our own: no /proc is mounted */
		alive_note_failure(&list, EIO, "/proc");
	ret->ways = list.ways;
	ret->n = list.n;
	ret->partial |= list.partial;
	free(mount_namespaces.list);
}

void alive_read(struct alive *ret)
{
	alive_read_list(ret, true);
}

void alive_read_mounted(struct alive *ret)
{
	alive_read_list(ret, false);
}

void alive_free(struct alive *alive)
{
	for (size_t i = 0; i < alive->n; i++)
		free(alive->ways[i].path);
	free(alive->ways);
	*alive = (struct alive){ 0 };
}

static int alive_open_by_socket(const char *path)
{
	autoclose int pidfd =
		(int)syscall(SYS_pidfd_open, (pid_t)strtol(path + strlen("/proc/"), NULL, 10), 0);

	return pidfd < 0 ? -1 : alive_netns_of_socket(pidfd, strrchr(path, '/') + 1);
}

/* FOUND_NOT: the way no longer leads to the namespace. */
static enum found alive_open_way(const struct way *way, int *ret, struct cni_error *err)
{
	autoclose int fd = -1;
	struct statx st;

	if (!way->path)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (way->is_socket)
		fd = alive_open_by_socket(way->path);
	else
		fd = file_open(way->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ESRCH || errno == EBADF) && !way->is_mount)
		return FOUND_NOT;
	if (fd < 0 || !alive_status_of(fd, "", &st))
		return cni_fail(err, CNI_IO, "cannot open the network namespace %s: %s", way->path,
				errno_text(errno));
	if (st.stx_ino != way->id.inode && way->is_mount)
		return cni_fail(err, CNI_IO, "the network namespace mounted at %s is hidden there",
				way->path);
	if (st.stx_ino != way->id.inode)
		return FOUND_NOT;
	*ret = take_fd(&fd);
	return FOUND;
}

/* Opens the namespace by the first of n ways that still leads to it. */
static enum found alive_open_any(const struct way *ways, size_t n, int *ret, const char **path,
				 struct cni_error *err)
{
	struct cni_error why = { 0 };
	enum found found = FOUND_NOT;

	for (size_t i = 0; i < n; i++) {
		enum found one = alive_open_way(&ways[i], ret, &why);

		*path = ways[i].path;
		if (one == FOUND)
			return one;
		if (one == FOUND_FAILED)
			found = one;
	}
	if (found == FOUND_FAILED)
		cni_fail_as(err, &why);
	return found;
}

/* The ways to namespaces with this inode. */
static struct way *alive_ways_of(const struct alive *alive, uint64_t inode, size_t *n)
{
	const struct way key = { .id.inode = inode };
	struct way *way =
		alive->n ? bsearch(&key, alive->ways, alive->n, sizeof(key), alive_by_number) : NULL;

	*n = 0;
	while (way && way > alive->ways && way[-1].id.inode == inode)
		way--;
	while (way && way + *n < alive->ways + alive->n && way[*n].id.inode == inode)
		++*n;
	return way;
}

/* Does another namespace have the inode now? */
static bool alive_is_later(struct way *ways, size_t n, const struct netns_id *netns)
{
	autoclose int fd = -1;
	const char *path;

	if (!netns->cookie)
		return false;
	if (!ways->id.cookie && alive_open_any(ways, n, &fd, &path, NULL) == FOUND)
		ways->id.cookie = netns_id_of(fd).cookie;
	return !netns_is(&ways->id, netns);
}

enum found alive_find(struct alive *alive, const struct netns_id *netns)
{
	size_t n;
	struct way *ways = alive_ways_of(alive, netns->inode, &n);

	if (n)
		return alive_is_later(ways, n, netns) ? FOUND_NOT : FOUND;
	return alive->partial || *alive->unseen ? FOUND_FAILED : FOUND_NOT;
}

enum found alive_seen(struct alive *alive, const struct netns_id *netns)
{
	enum found found = alive_find(alive, netns);

	return found == FOUND_FAILED && !*alive->unseen ? FOUND_NOT : found;
}

enum found alive_open(struct alive *alive, const struct netns_id *netns, int *ret, struct cni_error *err)
{
	enum found found = alive_seen(alive, netns);
	const char *path;
	size_t n;
	struct way *ways = alive_ways_of(alive, netns->inode, &n);

	if (found == FOUND)
		return alive_open_any(ways, n, ret, &path, err);
	if (found == FOUND_FAILED)
		cni_fail(err, CNI_IO, "cannot find out whether this network namespace exists: %s: %s",
			 netns_id_text(netns).s, alive->unseen);
	return found;
}

int alive_each(const struct alive *alive,
	       int (*each)(int netns, const char *path, void *arg, struct cni_error *err), void *arg,
	       struct cni_error *err)
{
	const struct netns_id own = netns_id("/proc/self/ns/net");
	size_t n;

	if (!own.inode)
		return cni_fail(err, CNI_IO, "cannot read %s", "/proc/self/ns/net");
	for (size_t i = 0; i < alive->n; i += n) {
		const struct way *ways = alive_ways_of(alive, alive->ways[i].id.inode, &n);
		autoclose int fd = -1;
		struct cni_error why = { 0 };
		const char *path;
		enum found found;
		int rc;

		if (ways->id.inode == own.inode)
			continue;
		found = alive_open_any(ways, n, &fd, &path, &why);
		rc = found == FOUND_NOT ? 0 : each(fd, found == FOUND ? path : why.msg, arg, err);
		if (rc)
			return rc;
	}
	return 0;
}
