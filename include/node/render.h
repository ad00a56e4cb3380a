/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network configuration of this node, from the template for all.
 */
#ifndef NODE_RENDER_H
#define NODE_RENDER_H

#include "net/rtnl.h"
#include "node/options.h"
#include "node/place.h"

/*
 * Fills the template, has the plugins of the node's directory check it, and places it under the
 * template's name. What is in place stays if anything fails. Errors: CNI_CONFIG, CNI_DECODE, CNI_IO, and
 * those of the plugins.
 */
int render_run(const struct place *place, const struct options *options, struct rtnl *host,
	       struct cni_error *err);

#endif
