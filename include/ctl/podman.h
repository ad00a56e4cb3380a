/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks of Podman with the driver ipvlan-netavark, from Podman's files.
 */
#ifndef CTL_PODMAN_H
#define CTL_PODMAN_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/result.h"
#include "ctl/ranges.h"

/* Returns a new array of { file, network }. Skips files that cannot be read: Podman reports them. */
json_t *podman_networks(void);

/* Is the document such a network? */
bool podman_is_network(const json_t *doc);

/* Returns the equivalent configuration of ipvlan as the only plugin of a list: a new reference; NULL:
 * CNI_CONFIG. */
json_t *podman_plugins(const json_t *network, struct cni_error *err);

/* If Podman itself assigns the addresses: adds its ranges and default routes. */
void podman_read(const json_t *network, struct ranges *ranges, struct result *routes);

#endif
