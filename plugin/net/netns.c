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

#define OUR_NETNS "/proc/self/ns/net"

static const char *kind_of_namespace(int type)
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

/* Go's words, which name the magic of what is there instead. */
static enum netns refuse(const char *path, int fd, struct cni_error *err)
{
	struct statfs fs;
	int type;

	if (fstatfs(fd, &fs) < 0)
		fs.f_type = 0;
	type = fs.f_type == NSFS_MAGIC ? ioctl(fd, NS_GET_NSTYPE) : -1;
	if (type == CLONE_NEWNET)
		return NETNS_OPEN;
	if (type >= 0)
		cni_fail(err, CNI_ENVIRONMENT,
			 "failed to open netns \"%s\": %s namespace, not a network "
			 "namespace",
			 path, kind_of_namespace(type));
	else
		cni_fail(err, CNI_ENVIRONMENT, "failed to open netns \"%s\": unknown FS magic on \"%s\": %lx",
			 path, path, (unsigned long)fs.f_type);
	cni_hint(err, "CNI_NETNS must name a network namespace, as /run/netns/NAME or /proc/PID/ns/net do");
	return NETNS_GONE;
}

static bool is_ours(int fd)
{
	struct stat ours, theirs;

	return stat(OUR_NETNS, &ours) == 0 && fstat(fd, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
	       ours.st_dev == theirs.st_dev;
}

enum netns netns_open(const char *path, bool own_allowed, int *ret, struct cni_error *err)
{
	/* not blocking: whatever lies there, a pipe for instance, must not hold us */
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum netns answer;

	if (fd < 0) {
		bool gone = errno == ENOENT || errno == ENOTDIR;

		cni_fail(err, gone ? CNI_ENVIRONMENT : CNI_IO,
			 "failed to open netns \"%s\": failed to Statfs \"%s\": %s", path, path,
			 errno_text(errno));
		cni_hint(err, "CNI_NETNS names a network namespace that does not exist (any more)");
		return gone ? NETNS_GONE : NETNS_FAILED;
	}
	answer = refuse(path, fd, err);
	if (answer != NETNS_OPEN)
		return answer;
	if (!own_allowed && is_ours(fd)) {
		cni_fail(err, CNI_NETNS, "plugin's netns and netns from CNI_NETNS should not be the same");
		cni_hint(err,
			 "CNI_NETNS=%s is the namespace that the plugin itself runs in; nothing was changed",
			 path);
		return NETNS_OURS;
	}
	*ret = take_fd(&fd);
	return NETNS_OPEN;
}

int netns_run(int netns, int (*fn)(void *arg, struct cni_error *err), void *arg, struct cni_error *err)
{
	autoclose int home = -1;
	int rc;

	if (netns < 0)
		return fn(arg, err);
	home = open(OUR_NETNS, O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return cni_fail(err, CNI_IO, "cannot open %s: %s", OUR_NETNS, errno_text(errno));
	if (setns(netns, CLONE_NEWNET) < 0) {
		cni_fail(err, CNI_IO, "cannot enter the network namespace: %s", errno_text(errno));
		return cni_hint(err, "entering a namespace needs root (CAP_SYS_ADMIN)");
	}
	rc = fn(arg, err);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* lost in someone else's namespace */
	return rc;
}

struct sysctls {
	const struct sysctl *list;
	size_t n;
};

static int write_sysctls(void *arg, struct cni_error *err)
{
	const struct sysctls *all = arg;

	(void)err;
	for (size_t i = 0; i < all->n; i++) {
		const struct sysctl *sysctl = &all->list[i];
		ssize_t len = (ssize_t)strlen(sysctl->value);
		char path[sizeof(sysctl->name) + sizeof("/proc/sys/net/")];
		autoclose int fd = -1;

		snprintf(path, sizeof(path), "/proc/sys/net/%s", sysctl->name);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, sysctl->value, (size_t)len) != len)
			cni_log("cannot write %s to %s: %m", sysctl->value, path);
	}
	return 0;
}

void netns_sysctl(int netns, const struct sysctl *list, size_t n)
{
	struct sysctls all = { list, n };
	struct cni_error why = { 0 };

	if (netns_run(netns, write_sysctls, &all, &why) < 0)
		cni_log("cannot write sysctls: %s", why.msg);
}
