/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `create`: completes a new network, or rejects it if no container could start in it.
 *
 *	podman network create -d ipvlan-netavark -o parent=eth0 --subnet 10.0.0.0/24 lan
 *
 * It renames options of Docker's and Podman's own ipvlan. If the master is missing, it adds that of the
 * default route; if the gateway of a subnet is missing, and the host has a gateway in that subnet, it adds
 * that one. Podman stores the network that create prints, and passes it to each call.
 */
#ifndef NETAVARK_CREATE_H
#define NETAVARK_CREATE_H

#include <jansson.h>

#include "cni/error.h"

/* Completes network. CNI_CONFIG. */
int create_complete(json_t *network, struct cni_error *err);

/* Returns the configuration of a completed network, a new reference; NULL: CNI_CONFIG. An option that is no
 * key, or that ADD would ignore, is an error. */
json_t *create_check(const json_t *network, struct cni_error *err);

#endif
