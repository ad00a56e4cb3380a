/* SPDX-License-Identifier: Apache-2.0 */
#include "net/netns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cni/cleanup.h"
#include "cni/file.h"

#define OUR_NETNS "/proc/self/ns/net"

#ifndef SO_NETNS_COOKIE /* musl */
#define SO_NETNS_COOKIE 71
#endif
#ifndef NS_GET_ID /* Linux 6.18 */
#define NS_GET_ID _IOR(NSIO, 13, uint64_t)
#endif

static const char *netns_kind(int type)
{
	switch (type) {
	case CLONE_NEWNS:
		return "a mount";
	case CLONE_NEWUTS:
		return "a uts";
	case CLONE_NEWIPC:
		return "an ipc";
	case CLONE_NEWUSER:
		return "a user";
	case CLONE_NEWPID:
		return "a pid";
	default:
		return "another kind of";
	}
}

/* Uses the words of the Go library, which name the magic number of the file system. */
static enum netns netns_check_kind(const char *path, int fd, struct cni_error *err)
{
	struct statfs fs;
	int type = -1;

	if (fstatfs(fd, &fs) < 0 || (fs.f_type == NSFS_MAGIC && (type = ioctl(fd, NS_GET_NSTYPE)) < 0)) {
		cni_fail(err, CNI_IO, "failed to open netns \"%s\": cannot look at it: %s", path,
			 errno_text(errno));
		return NETNS_FAILED;
	}
	if (type == CLONE_NEWNET)
		return NETNS_OPEN;
	if (type >= 0)
		cni_fail(err, CNI_ENVIRONMENT,
			 "failed to open netns \"%s\": %s namespace, not a network "
			 "namespace",
			 path, netns_kind(type));
	else
		cni_fail(err, CNI_ENVIRONMENT, "failed to open netns \"%s\": unknown FS magic on \"%s\": %lx",
			 path, path, (unsigned long)fs.f_type);
	cni_hint(err, "CNI_NETNS must name a network namespace, as /run/netns/NAME or /proc/PID/ns/net do");
	return NETNS_GONE;
}

/* The namespace in which we were started, which stays open; or -1. */
static int netns_ours(struct cni_error *err)
{
	static int fd = -1;

	if (fd < 0)
		fd = file_open(OUR_NETNS, O_RDONLY);
	if (fd < 0)
		return cni_fail(err, CNI_IO, "cannot open %s: %s", OUR_NETNS, errno_text(errno));
	return fd;
}

static enum netns netns_check_foreign(const char *path, int fd, struct cni_error *err)
{
	const int home = netns_ours(err);
	struct stat ours, theirs;

	if (home < 0)
		return NETNS_FAILED;
	if (fstat(home, &ours) < 0 || fstat(fd, &theirs) < 0) {
		cni_fail(err, CNI_IO, "failed to open netns \"%s\": cannot look at it: %s", path,
			 errno_text(errno));
		return NETNS_FAILED;
	}
	if (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev)
		return NETNS_OPEN;
	cni_fail(err, CNI_NETNS, "plugin's netns and netns from CNI_NETNS should not be the same");
	cni_hint(err, "CNI_NETNS=%s is the namespace in which the plugin runs; nothing was changed", path);
	return NETNS_OURS;
}

enum netns netns_open(const char *path, bool ours_allowed, int *ret, struct cni_error *err)
{
	/* does not block: the path may be a pipe, for instance */
	autoclose int fd = file_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	enum netns answer;

	if (fd < 0) {
		bool gone = errno == ENOENT || errno == ENOTDIR;

		cni_fail(err, gone ? CNI_ENVIRONMENT : CNI_IO,
			 "failed to open netns \"%s\": failed to Statfs \"%s\": %s", path, path,
			 errno_text(errno));
		cni_hint(err, gone ? "CNI_NETNS names a network namespace that does not exist"
				   : "the plugin must be able to open the path in CNI_NETNS");
		return gone ? NETNS_GONE : NETNS_FAILED;
	}
	answer = netns_check_kind(path, fd, err);
	if (answer == NETNS_OPEN && !ours_allowed)
		answer = netns_check_foreign(path, fd, err);
	if (answer == NETNS_OPEN)
		*ret = take_fd(&fd);
	return answer;
}

int netns_run(int netns, int (*fn)(void *arg, struct cni_error *err), void *arg, struct cni_error *err)
{
	int home, rc;

	if (netns < 0)
		return fn(arg, err);
	home = netns_ours(err);
	if (home < 0)
		return -1;
	if (setns(netns, CLONE_NEWNET) < 0) {
		cni_fail(err, CNI_IO, "cannot enter the network namespace: %s", errno_text(errno));
		return cni_hint(err, "entering a namespace requires root (CAP_SYS_ADMIN)");
	}
	rc = fn(arg, err);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* we cannot return from a pod's namespace */
	return rc;
}

/* Replaces the escapes of /proc for white space: \040 is a blank. */
static void netns_unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		char octal[4] = "";

		if (*from != '\\' || strlen(from) < 4) {
			*to = *from++;
			continue;
		}
		memcpy(octal, from + 1, 3);
		*to = (char)strtoul(octal, NULL, 8);
		from += 4;
	}
	*to = '\0';
}

int netns_mounts(FILE *mountinfo, int (*each)(uint64_t inode, const char *path, void *arg), void *arg)
{
	char *line = NULL;
	size_t size = 0;
	int rc = 0;

	while (rc == 0 && getline(&line, &size, mountinfo) > 0) {
		/* ID PARENT DEVICE net:[INODE] PATH ... */
		char *root = strstr(line, " net:["), *path = root ? strstr(root, "] ") : NULL;

		if (!path)
			continue;
		path += strlen("] ");
		path[strcspn(path, " \n")] = '\0';
		netns_unescape(path);
		rc = each(strtoull(root + strlen(" net:["), NULL, 10), path, arg);
	}
	free(line);
	return rc;
}

uint64_t netns_number(int socket)
{
	struct stat st = { .st_ino = 0 };
	uint64_t cookie;
	socklen_t len = sizeof(cookie);

	if (getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) == 0)
		return cookie;
	stat(OUR_NETNS, &st);
	return st.st_ino;
}

static int netns_read_cookie(void *arg, struct cni_error *err)
{
	autoclose int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t *cookie = arg;
	socklen_t len = sizeof(*cookie);

	(void)err;
	return getsockopt(any, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &len);
}

struct netns_id netns_id_of(int netns)
{
	struct netns_id id = { 0 };
	struct stat st;

	if (fstat(netns, &st) < 0)
		return id;
	id.inode = st.st_ino;
	if (ioctl(netns, NS_GET_ID, &id.cookie) < 0 &&
	    netns_run(netns, netns_read_cookie, &id.cookie, NULL) < 0)
		id.cookie = 0;
	return id;
}

struct netns_id netns_id_by(int netns, int socket)
{
	struct netns_id id = { 0 };
	socklen_t len = sizeof(id.cookie);
	struct stat st;

	if (fstat(netns, &st) == 0)
		id.inode = st.st_ino;
	if (getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &id.cookie, &len) < 0)
		id.cookie = 0;
	return id;
}

struct netns_id netns_id(const char *path)
{
	autoclose int fd = -1;

	return netns_open(path, true, &fd, NULL) == NETNS_OPEN ? netns_id_of(fd) : (struct netns_id){ 0 };
}

struct netns_id netns_id_asked(const struct request *req)
{
	return req->pod && req->pod->inode ? *req->pod : netns_id(req->netns);
}

bool netns_is(const struct netns_id *a, const struct netns_id *b)
{
	return a->inode == b->inode && (a->cookie == b->cookie || !a->cookie || !b->cookie);
}

struct netns_id_text netns_id_text(const struct netns_id *id)
{
	const unsigned long long inode = id->inode, cookie = id->cookie;
	struct netns_id_text text;

	if (cookie)
		snprintf(text.s, sizeof(text.s), "%llu/%llu", inode, cookie);
	else
		snprintf(text.s, sizeof(text.s), "%llu", inode);
	return text;
}

struct netns_id netns_id_parse(const char *text)
{
	char *rest;
	struct netns_id id = { .inode = strtoull(text, &rest, 10) };

	if (*rest == '/')
		id.cookie = strtoull(rest + 1, NULL, 10);
	return id;
}

struct sysctls {
	const struct sysctl *list;
	size_t n;
};

static int netns_write_sysctls(void *arg, struct cni_error *err)
{
	const struct sysctls *all = arg;

	(void)err;
	for (size_t i = 0; i < all->n; i++) {
		const struct sysctl *sysctl = &all->list[i];
		ssize_t len = (ssize_t)strlen(sysctl->value);
		char path[sizeof(sysctl->name) + sizeof("/proc/sys/net/")];
		autoclose int fd = -1;

		snprintf(path, sizeof(path), "/proc/sys/net/%s", sysctl->name);
		fd = file_open(path, O_WRONLY);
		if (fd < 0 || write(fd, sysctl->value, (size_t)len) != len)
			cni_log("cannot write %s to %s: %m", sysctl->value, path);
	}
	return 0;
}

void netns_sysctl(int netns, const struct sysctl *list, size_t n)
{
	struct sysctls all = { list, n };
	struct cni_error why = { 0 };

	if (netns_run(netns, netns_write_sysctls, &all, &why) < 0)
		cni_log("cannot write sysctls: %s", why.msg);
}

enum found netns_sysctl_is(const char *name, const char *value, struct cni_error *err)
{
	char path[PATH_MAX], text[64];
	autoclose int fd = -1;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len < 0 && errno != ENOENT)
		return cni_fail(err, CNI_IO, "cannot read %s: %s", path, errno_text(errno));
	if (len < 0)
		return FOUND_NOT;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, value) ? FOUND_NOT : FOUND;
}

bool netns_has_ipv6(void)
{
	return access("/proc/sys/net/ipv6", F_OK) == 0;
}
