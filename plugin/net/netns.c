/* SPDX-License-Identifier: Apache-2.0 */
#include "net/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cni/cleanup.h"
#include "cni/file.h"

#define OUR_NETNS "/proc/self/ns/net"

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
	cni_hint(err,
		 "CNI_NETNS=%s is the namespace in which the plugin runs; the plugin changed no interface",
		 path);
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
