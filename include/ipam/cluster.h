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
	const json_t *etcd, *kubernetes; /* one of them */
	const struct blocks *blocks;	 /* that cluster_narrow() left; NULL: all */
};

/* "cluster" of ipam, absent or valid but for what the engine alone understands.
 * Errors: CNI_CONFIG. */
int cluster_read(struct cluster *ret, const json_t *ipam, const char *network, struct cni_error *err);
/* Are there subnets that are smaller than a block? CNI_CONFIG. */
int cluster_check_pools(const struct cluster *cluster, const struct pool *pools, size_t n,
			struct cni_error *err);

#endif
