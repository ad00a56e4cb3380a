/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network as Podman keeps it, and the configuration of ipvlan that means the same:
 *
 *	"network_interface": "eth0"                      "master": "eth0"
 *	"options": {"mode": "l3", "hostAccess": "true"}  "mode": "l3", "hostAccess": true
 *	"internal": true                                 "internal": true
 *	"routes": [{"destination", "gateway"}]           "routes": [{"dst", "gw"}]
 *	"subnets", "options": {"ipam": "addrpool"}       "ipam": {"type": "addrpool", "ranges", "routes"}
 *
 * An option is a key of ipvlan. Its value is JSON (true, 5, a list, an object) or, where it is none, the
 * text itself. Without the option ipam the addresses are those that Podman assigns, call by call.
 */
#ifndef NETAVARK_NETWORK_H
#define NETAVARK_NETWORK_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* The configuration for calls about any container, a new reference; NULL: CNI_CONFIG. */
json_t *network_conf(const json_t *network, struct cni_error *err);

/* What is in it without its options and addresses, which is enough to release what the ledger knows. */
json_t *network_bare_conf(const json_t *network);

/* The text of a member of what Podman passes; "": it has none. */
const char *network_text(const json_t *object, const char *key);

/* The value of an option as its text; NULL: it is not given. */
const char *network_option(const json_t *network, const char *key);

/* The default route of a container for a family, as a route of ipvlan; NULL: it is to have none. */
json_t *network_default_route(const json_t *network, int family, struct cni_error *err);

/* The subnets as "ranges" of addrpool, each a set of its own, and the default routes of their families: new
 * references. The latter NULL: CNI_CONFIG. */
json_t *network_ranges(const json_t *network);
json_t *network_default_routes(const json_t *network, struct cni_error *err);

/* Does Podman assign the addresses, and does it need subnets therefore? */
bool network_is_podmans(const json_t *network);

#endif
