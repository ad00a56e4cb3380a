/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories whose files ipvlan-node reads or has placed, as inotify(7) reports of them.
 */
#ifndef NODE_CHANGES_H
#define NODE_CHANGES_H

#include <stdbool.h>

#include "cni/error.h"
#include "node/options.h"

/* Returns the descriptor to wait on, or -1 with CNI_IO. A directory that does not exist is left out. */
int changes_open(const struct options *options, struct cni_error *err);

/* Reads what there is, without waiting. Was there anything? */
bool changes_read(int fd);

#endif
