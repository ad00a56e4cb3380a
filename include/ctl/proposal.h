/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ipvlanctl init has proposed last, for ipvlanctl try; it is gone with the next boot, and when it was
 * written to where runtimes look.
 */
#ifndef CTL_PROPOSAL_H
#define CTL_PROPOSAL_H

#include <jansson.h>
#include <sys/types.h>

#include "cni/error.h"

#define PROPOSAL "/run/ipvlanctl/proposed.conflist"

/* Makes the file, of one piece, and its directory. CNI_EXISTS: it is there already. CNI_IO. */
int proposal_write(const char *path, const json_t *doc, mode_t mode, struct cni_error *err);

#endif
