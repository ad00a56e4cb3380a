/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "net/netns.h"

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
