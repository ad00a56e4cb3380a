/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full the address pools are, as `addrpool --json` tells: it alone knows its files.
 */
#ifndef CTL_POOLS_H
#define CTL_POOLS_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/*
 * The pools of a network of networks_list(), each as addrpool lists it, with "file" added; empty if none of
 * its plugins has addresses of addrpool or host-local. With ask the engine of a cluster is asked for its
 * blocks as well, which takes time. A new reference; NULL if there is no addrpool or it fails, as err says.
 */
json_t *pools_of(const json_t *network, bool ask, struct cni_error *err);

/* addrpool release-node: what it says is printed. CNI_CONFIG with what it says went wrong. */
int pools_release_node(const json_t *network, const char *node, bool really, struct cni_error *err);

#endif
