/* SPDX-License-Identifier: Apache-2.0 */
#include "node/changes.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB)

static int changes_watch(int fd, const char *directory, struct cni_error *err)
{
	if (inotify_add_watch(fd, directory, EVENTS | IN_ONLYDIR) >= 0 || errno == ENOENT)
		return 0;
	return cni_fail(err, CNI_IO, "cannot watch %s: %s", directory, errno_text(errno));
}

/* The kubelet replaces what is in a volume by a link beside the file. */
static int changes_watch_file(int fd, const char *path, struct cni_error *err)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash + 1 - path) : 1,
		 slash ? path : ".");
	return changes_watch(fd, directory, err);
}

int changes_open(const struct options *options, struct cni_error *err)
{
	const int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return cni_fail(err, CNI_IO, "cannot watch files: %s", errno_text(errno));
	if ((options->install_from && changes_watch(fd, options->bin_dir, err) < 0) ||
	    (options->template && (changes_watch_file(fd, options->template, err) < 0 ||
				   changes_watch(fd, options->conf_dir, err) < 0)) ||
	    (options->account_dir && (changes_watch(fd, options->account_dir, err) < 0 ||
				      changes_watch_file(fd, options->kubeconfig, err) < 0))) {
		close(fd);
		return -1;
	}
	return fd;
}

bool changes_read(int fd)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;

	while (read(fd, events, sizeof(events)) > 0)
		any = true;
	return any;
}
