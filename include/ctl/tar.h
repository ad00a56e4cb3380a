/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive that tar(1) reads, POSIX.1-1988 "ustar": regular files that root alone may read.
 */
#ifndef CTL_TAR_H
#define CTL_TAR_H

#include <stddef.h>

#include "cni/error.h"

/* name: of at most 100 bytes. CNI_IO. */
int tar_add(int fd, const char *name, const char *content, size_t len, struct cni_error *err);
int tar_end(int fd, struct cni_error *err);

#endif
