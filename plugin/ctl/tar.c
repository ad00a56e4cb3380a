/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/tar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 512

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6],
		version[2], owner[32], group[32], major[8], minor[8], prefix[155], unused[12];
};

_Static_assert(sizeof(struct header) == BLOCK, "ustar");

static int tar_put(int fd, const void *bytes, size_t len, struct cni_error *err)
{
	const char *at = bytes;

	while (len) {
		const ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cni_fail(err, CNI_IO, "cannot write the report: %s", errno_text(errno));
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The sum of all bytes. The field of the checksum itself counts as blanks. */
static unsigned int tar_checksum(const struct header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned int sum = 0;

	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	return sum;
}

int tar_add(int fd, const char *name, const char *content, size_t len, struct cni_error *err)
{
	static const char zeros[BLOCK];
	struct header header = { .mode = "0000600",
				 .uid = "0000000",
				 .gid = "0000000",
				 .type = '0',
				 .magic = "ustar",
				 .version = { '0', '0' },
				 .owner = "root",
				 .group = "root" };

	strncpy(header.name, name, sizeof(header.name) - 1);
	snprintf(header.size, sizeof(header.size), "%011zo", len);
	snprintf(header.mtime, sizeof(header.mtime), "%011llo", (unsigned long long)time(NULL));
	memset(header.checksum, ' ', sizeof(header.checksum));
	snprintf(header.checksum, sizeof(header.checksum), "%06o", tar_checksum(&header));
	if (tar_put(fd, &header, sizeof(header), err) < 0 || tar_put(fd, content, len, err) < 0)
		return -1;
	return tar_put(fd, zeros, (BLOCK - len % BLOCK) % BLOCK, err);
}

int tar_end(int fd, struct cni_error *err)
{
	static const char zeros[2 * BLOCK];

	return tar_put(fd, zeros, sizeof(zeros), err);
}
