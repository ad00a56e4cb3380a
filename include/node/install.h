/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs that runtimes call, from the image into the node's directory.
 */
#ifndef NODE_INSTALL_H
#define NODE_INSTALL_H

#include "node/options.h"
#include "node/place.h"

/*
 * Of the directory "install_from" ipvlan, which must be there, addrpool and addrpool-claim. Returns how many
 * programs of others it replaced, or -1. Errors: CNI_IO, CNI_DECODE, CNI_RETRY.
 */
int install_run(const struct place *place, const struct options *options, struct cni_error *err);

#endif
