/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `create`: a new network is completed, and refused if a container could not be started in it.
 *
 *	podman network create -d ipvlan-netavark -o parent=eth0 --subnet 10.0.0.0/24 lan
 *
 * Names of options that Docker and Podman have for their own ipvlan become ours. What is not given is
 * filled in: the master, which is the default route's, and the gateway of a subnet in which the host's own
 * gateway is. Podman keeps what is returned, and passes it to each call.
 */
#ifndef NETAVARK_CREATE_H
#define NETAVARK_CREATE_H

#include <jansson.h>

#include "cni/error.h"

/* Changes network. An option that no key has, or that would be left out, is an error. CNI_CONFIG. */
int create_complete(json_t *network, struct cni_error *err);

/* The configuration of a network that create_complete() has seen; NULL: CNI_CONFIG. */
json_t *create_check(const json_t *network, struct cni_error *err);

#endif
