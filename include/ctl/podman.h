/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks of Podman whose driver is ipvlan-netavark, as Podman's files have them.
 */
#ifndef CTL_PODMAN_H
#define CTL_PODMAN_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/result.h"
#include "ctl/ranges.h"

/* All of them, as a new array of { file, network }. What cannot be read is passed over: Podman says so. */
json_t *podman_networks(void);

/* Is the document such a network? */
bool podman_is_network(const json_t *doc);

/* The configuration of ipvlan that means the same, as the only plugin of a list. A new reference; NULL:
 * CNI_CONFIG. */
json_t *podman_plugins(const json_t *network, struct cni_error *err);

/* Where Podman itself assigns the addresses: from which ranges, and with which default routes. */
void podman_read(const json_t *network, struct ranges *ranges, struct result *routes);

#endif
