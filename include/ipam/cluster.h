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
	const char *pool; /* the pool's name in the engine; NULL: the pool is not shared */
	const char *network;
	char node[256];
	unsigned int block_bits; /* a block has 1 << block_bits addresses */
	long long timeout;	 /* seconds, for all requests to the engine of one call */
	bool block_routes;	 /* see claim/routes.h */
	long long keep;	 /* seconds for which an identity without a holder keeps its address; 0: for ever */
	bool nodes_gone; /* a Node object that is gone, or out of service, holds no identity */
	bool owned_by_node;		 /* Kubernetes deletes the claims with the Node object */
	const json_t *etcd, *kubernetes; /* one of them */
	const struct blocks *blocks;	 /* set by cluster_narrow(); NULL: all addresses */
};

struct node_name {
	char s[256];
};
/* The host name in lower case, which is a Kubernetes node's default name; "" if the host has none. */
struct node_name cluster_host_name(void);

/* Reads "cluster" of ipam. Does not check the engine's own keys. store: the directory name of the leases,
 * which is the network's name in the engine. Errors: CNI_CONFIG. */
int cluster_read(struct cluster *ret, const json_t *ipam, const char *store, struct cni_error *err);
/* Fails with CNI_CONFIG if a subnet is smaller than a block. */
int cluster_check_pools(const struct cluster *cluster, const struct pool *pools, size_t n,
			struct cni_error *err);

#endif
