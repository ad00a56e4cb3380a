/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For people: which node owns which block of a pool that a cluster shares, and taking
 * those of a node that is gone.
 */
#ifndef IPAM_NODES_H
#define IPAM_NODES_H

#include <jansson.h>

#include "ipam/lease.h"
#include "ipam/networks.h"

/* What addrpool-claim lists; the caller's. NULL with err filled. */
json_t *nodes_claims(const struct network *network, struct cni_error *err);

/* The claims, and how many addresses of our own blocks are leased: of other nodes' only
 * they know that; and "nodes", each with its blocks and last sign of life, the oldest sign first. */
json_t *nodes_json(const json_t *claims, const struct conf *conf, const struct leases *leases);
void nodes_print(const json_t *claims, const struct conf *conf, const struct leases *leases);

/* printf() of names that others chose, without what a terminal would obey. */
__attribute__((format(printf, 1, 2))) void nodes_put(const char *format, ...);

/* addrpool release-node [--yes] NODE FILE; returns main()'s exit status. */
int nodes_release_main(int argc, char **argv, const char *usage);

#endif
