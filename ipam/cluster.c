/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/cluster.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cni/json.h"
#include "cni/own.h"

#define BLOCK_SIZE_MAX (1 << 20)
#define TIMEOUT_S 10
#define TIMEOUT_MAX_S 60
#define KEEP_MAX_S (100LL * 366 * 24 * 3600)

struct node_name cluster_host_name(void)
{
	struct node_name name = { .s = "" };
	struct utsname host;

	if (uname(&host) == 0)
		snprintf(name.s, sizeof(name.s), "%s", host.nodename);
	for (char *c = name.s; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return name;
}

static int cluster_read_node(struct cluster *cluster, const json_t *obj, struct cni_error *err)
{
	struct node_name host;
	const char *node = "";

	if (field_string(obj, "ipam.cluster.", "node", &node, err) < 0)
		return -1;
	if (!*node) {
		host = cluster_host_name();
		node = host.s;
	}
	if (!*node || *node == '~' || strlen(node) >= sizeof(cluster->node) || strpbrk(node, " \t\r\n/"))
		return cni_fail(err, CNI_CONFIG, "ipam.cluster.node: invalid node name: \"%.260s\"", node);
	memcpy(cluster->node, node, strlen(node) + 1);
	return 0;
}

static int cluster_read_block_size(struct cluster *cluster, const json_t *obj, struct cni_error *err)
{
	long long size = 16;

	if (field_int(obj, "ipam.cluster.", "blockSize", 1, BLOCK_SIZE_MAX, &size, err) < 0)
		return -1;
	if (size & (size - 1))
		return cni_fail(err, CNI_CONFIG, "ipam.cluster.blockSize must be a power of two, not %lld",
				size);
	while (size >> cluster->block_bits > 1)
		cluster->block_bits++;
	return 0;
}

int cluster_read(struct cluster *ret, const json_t *ipam, const char *store, struct cni_error *err)
{
	struct cluster cluster = { .pool = store, .network = store, .timeout = TIMEOUT_S };
	json_t *obj = NULL, *etcd = NULL, *kubernetes = NULL;
	const char *pool = "";

	*ret = (struct cluster){ .pool = NULL };
	own_object(ipam, "ipam.", "cluster", &obj);
	if (!obj)
		return 0;
	if (field_object(obj, "ipam.cluster.", "etcd", &etcd, err) < 0 ||
	    field_object(obj, "ipam.cluster.", "kubernetes", &kubernetes, err) < 0 ||
	    field_string(obj, "ipam.cluster.", "pool", &pool, err) < 0 ||
	    field_bool(obj, "ipam.cluster.", "blockRoutes", &cluster.block_routes, err) < 0 ||
	    field_int(obj, "ipam.cluster.", "timeout", 1, TIMEOUT_MAX_S, &cluster.timeout, err) < 0 ||
	    field_int(obj, "ipam.cluster.", "keep", 0, KEEP_MAX_S, &cluster.keep, err) < 0 ||
	    field_bool(kubernetes, "ipam.cluster.kubernetes.", "nodesGone", &cluster.nodes_gone, err) < 0 ||
	    field_bool(kubernetes, "ipam.cluster.kubernetes.", "ownedByNode", &cluster.owned_by_node, err) <
		    0 ||
	    cluster_read_node(&cluster, obj, err) < 0 || cluster_read_block_size(&cluster, obj, err) < 0)
		return -1;
	if (!etcd == !kubernetes)
		return cni_fail(err, CNI_CONFIG, "ipam.cluster must have either etcd or kubernetes");
	if (*pool)
		cluster.pool = pool;
	if (strpbrk(cluster.pool, "/ \t\r\n") || strlen(cluster.pool) > 200)
		return cni_fail(err, CNI_CONFIG, "ipam.cluster.pool: invalid name: %.200s", cluster.pool);
	cluster.etcd = etcd;
	cluster.kubernetes = kubernetes;
	*ret = cluster;
	return 0;
}

int cluster_check_pools(const struct cluster *cluster, const struct pool *pools, size_t n,
			struct cni_error *err)
{
	for (size_t i = 0; cluster->pool && i < n; i++)
		for (size_t j = 0; j < pools[i].n_ranges; j++) {
			const struct prefix *subnet = &pools[i].ranges[j].subnet;

			if (subnet->len + cluster->block_bits > 8 * ip_size(&subnet->ip)) {
				cni_fail(err, CNI_CONFIG,
					 "ipam.cluster.blockSize: subnet %s has fewer than %u addresses",
					 prefix_text(subnet).s, 1U << cluster->block_bits);
				return cni_hint(err, "set a smaller blockSize, for instance 1");
			}
		}
	return 0;
}
