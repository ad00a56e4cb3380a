/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a call that is about one container: the addresses that Podman has assigned, or that --ip
 * requests. And the result of `setup`.
 */
#ifndef NETAVARK_CONTAINER_H
#define NETAVARK_CONTAINER_H

#include <jansson.h>

#include "cni/error.h"

/* Adds the container's addresses and MAC address to conf, which network_conf() made. CNI_CONFIG. */
int container_add(json_t *conf, const json_t *call, struct cni_error *err);

/* Logs a warning for each request that ipvlan cannot fulfil. */
void container_warn(const json_t *call);

/* Podman's form of the result of ADD: interfaces, addresses, name servers. */
json_t *container_status(const json_t *result, const char *ifname);

#endif
