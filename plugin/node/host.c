/* SPDX-License-Identifier: Apache-2.0 */
#include "node/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"

#define MOUNTS "/proc/1/ns/mnt"

/* The program is opened here: there its path leads elsewhere, or nowhere. */
static int host_find_ipvlanctl(void)
{
	char path[PATH_MAX] = "";
	const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("ipvlanctl"));
	char *slash = n > 0 ? strrchr(path, '/') : NULL;

	if (!slash)
		return -1;
	memcpy(slash + 1, "ipvlanctl", sizeof("ipvlanctl"));
	return file_open(path, O_PATH);
}

int host_open(struct host *ret, const struct options *options, struct cni_error *err)
{
	*ret = (struct host){ .mounts = -1, .ipvlanctl = -1, .options = options };
	if (options->gc_s || options->listen) {
		ret->ipvlanctl = host_find_ipvlanctl();
		if (ret->ipvlanctl < 0)
			return cni_fail(err, CNI_IO, "no ipvlanctl is beside ipvlan-node: %s",
					errno_text(errno));
	}
	if (!options->host_mounts)
		return 0;
	ret->mounts = file_open(MOUNTS, O_RDONLY);
	return ret->mounts < 0 ? cni_fail(err, CNI_IO, "cannot open " MOUNTS ": %s", errno_text(errno)) : 0;
}

void host_close(struct host *host)
{
	cleanup_close(&host->mounts);
	cleanup_close(&host->ipvlanctl);
}

int host_enter(const struct host *host, struct cni_error *err)
{
	if (host->mounts < 0 || setns(host->mounts, CLONE_NEWNS) == 0)
		return 0;
	return cni_fail(err, CNI_IO, "cannot enter " MOUNTS ": %s", errno_text(errno));
}

int host_ipvlanctl(const struct host *host, char *const *argv, int output)
{
	struct cni_error err = { 0 };
	autofree char *path = NULL, *confs = NULL;
	int rc = host_enter(host, &err);

	if (rc == 0 && (asprintf(&path, "CNI_PATH=%s", host->options->cni_path) < 0 ||
			asprintf(&confs, "NETCONFPATH=%s", host->options->conf_dir) < 0))
		rc = cni_fail(&err, CNI_RETRY, "out of memory");
	if (rc == 0 && dup2(output < 0 ? STDERR_FILENO : output, STDOUT_FILENO) >= 0)
		fexecve(host->ipvlanctl, argv,
			(char *const[]){ (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", path, confs, NULL });
	cni_log("ipvlanctl: %s", rc < 0 ? err.msg : errno_text(errno));
	return 1;
}
