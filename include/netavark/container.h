/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call says of a container beside its network: the addresses that Podman has assigned, or that
 * --ip asks for. And the answer to `setup`.
 */
#ifndef NETAVARK_CONTAINER_H
#define NETAVARK_CONTAINER_H

#include <jansson.h>

#include "cni/error.h"

/* Adds it to conf, which network_conf() made. CNI_CONFIG. */
int container_add(json_t *conf, const json_t *call, struct cni_error *err);

/* What is asked for, and cannot be had with ipvlan: one warning each. */
void container_warn(const json_t *call);

/* Podman's form of the result of ADD: interfaces, addresses, name servers. */
json_t *container_status(const json_t *result, const char *ifname);

#endif
