/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last proposal of ipvlanctl init, for ipvlanctl try. The next boot removes it, and so does
 * ipvlanctl init --write.
 */
#ifndef CTL_PROPOSAL_H
#define CTL_PROPOSAL_H

#include <jansson.h>
#include <sys/types.h>

#include "cni/error.h"

#define PROPOSAL "/run/ipvlanctl/proposed.conflist"

/* Makes the directory, and the file atomically. CNI_EXISTS: the file exists. CNI_IO. */
int proposal_write(const char *path, const json_t *doc, mode_t mode, struct cni_error *err);

#endif
