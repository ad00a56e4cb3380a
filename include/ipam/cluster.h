/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "cluster": the pool is shared with other nodes, by blocks (ipam/block.h).
 */
#ifndef IPAM_CLUSTER_H
#define IPAM_CLUSTER_H

#include <jansson.h>

#include "cni/error.h"
#include "ipam/pool.h"

struct blocks;

struct cluster {
	const char *pool; /* what the engine knows it as; NULL: this machine alone */
	const char *network;
	char node[256];
	unsigned int block_bits;	 /* a block has 1 << block_bits addresses */
	long long timeout;		 /* seconds, for all that is asked of the engine at a time */
	bool block_routes;		 /* see claim/routes.h */
	bool owned_by_node;		 /* a claim ends with the Node object of Kubernetes */
	const json_t *etcd, *kubernetes; /* one of them */
	const struct blocks *blocks;	 /* that cluster_narrow() left; NULL: all */
};

struct node_name {
	char s[256];
};
/* The name of the host in small letters, as Kubernetes calls a node by default; "" if the host has none. */
struct node_name cluster_host_name(void);

/* "cluster" of ipam, absent or valid but for what the engine alone understands. store is what the
 * node's leases are called, which is what the engine knows their owner by. Errors: CNI_CONFIG. */
int cluster_read(struct cluster *ret, const json_t *ipam, const char *store, struct cni_error *err);
/* Are there subnets that are smaller than a block? CNI_CONFIG. */
int cluster_check_pools(const struct cluster *cluster, const struct pool *pools, size_t n,
			struct cni_error *err);

#endif
