/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/proposal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"

static int proposal_dump(const char *data, size_t size, void *fd)
{
	while (size) {
		const ssize_t n = write(*(int *)fd, data, size);

		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Makes a file without a name in that directory. It gets its name when it is complete. */
static int proposal_write_unnamed(const char *dir, const json_t *doc, mode_t mode, int *ret)
{
	autoclose int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);

	if (fd < 0 || json_dump_callback(doc, proposal_dump, &fd, JSON_INDENT(2)) < 0 ||
	    proposal_dump("\n", 1, &fd) < 0 || fsync(fd) < 0)
		return -1;
	*ret = take_fd(&fd);
	return 0;
}

int proposal_write(const char *path, const json_t *doc, mode_t mode, struct cni_error *err)
{
	autofree char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	autoclose int fd = -1;
	char self[32];

	if (!dir)
		abort();
	if (file_make_path(dir, 0755) < 0 || proposal_write_unnamed(dir, doc, mode, &fd) < 0)
		return cni_fail(err, CNI_IO, "cannot write %s: %s", path, errno_text(errno));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno == EEXIST)
		return cni_fail(err, CNI_EXISTS, "%s exists, and was not changed", path);
	return cni_fail(err, CNI_IO, "cannot write %s: %s", path, errno_text(errno));
}
