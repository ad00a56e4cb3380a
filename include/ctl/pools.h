/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address pools, as `addrpool --json` lists them. Only addrpool reads its files.
 */
#ifndef CTL_POOLS_H
#define CTL_POOLS_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/*
 * Returns the pools of a network of networks_list(), each as addrpool lists it, with "file" added: a new
 * array, empty if no plugin of the network uses addrpool or host-local. ask: addrpool also asks the engine
 * of a cluster for its blocks, which takes time. NULL with err: addrpool does not exist or has failed.
 */
json_t *pools_of(const json_t *network, bool ask, struct cni_error *err);

/* Has the plugin an IPAM plugin whose leases addrpool reads? */
bool pools_is_of(const json_t *plugin);

/* The stores of a dataDir that have leases or blocks: [{ store, leases, blocks }], a new array. NULL with
 * err. */
json_t *pools_stores(const char *dir, struct cni_error *err);

/* Do nodes share the pool? Then its range sets have only the addresses of this node's blocks, none at first,
 * and an ADD that finds no free address claims another block. */
bool pools_is_shared(const json_t *pool);

/* The share of n addresses, for a bar: 0 if there are none. */
double pools_share(long long n, long long size);

/*
 * What this node holds of shared pools without need, as `addrpool tidy` lists it: [{ network, pool, held:
 * [...] }], a new array. With really addrpool returns it to the engine; the list has what it has returned.
 * NULL with err: addrpool has failed, or the engine.
 */
json_t *pools_tidy(const json_t *network, bool really, struct cni_error *err);

/*
 * Runs addrpool with these arguments and the network, and prints its output: release-node, confirm,
 * identities, reserve or release-identity. Fails with CNI_CONFIG and addrpool's message.
 */
int pools_command(const json_t *network, const char *const *arguments, struct cni_error *err);

#endif
