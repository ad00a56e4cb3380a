/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network in Podman's form, and the equivalent configuration of ipvlan:
 *
 *	"network_interface": "eth0"                      "master": "eth0"
 *	"options": {"mode": "l3", "hostAccess": "true"}  "mode": "l3", "hostAccess": true
 *	"internal": true                                 "internal": true
 *	"routes": [{"destination", "gateway"}]           "routes": [{"dst", "gw"}]
 *	"subnets", "options": {"ipam": "addrpool"}       "ipam": {"type": "addrpool", "ranges", "routes"}
 *
 * An option is a key of ipvlan. Its value is JSON (true, 5, a list, an object), or else the text itself.
 * Without the option ipam Podman assigns the addresses, call by call.
 */
#ifndef NETAVARK_NETWORK_H
#define NETAVARK_NETWORK_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* Returns the configuration for calls about any container, a new reference; NULL: CNI_CONFIG. */
json_t *network_conf(const json_t *network, struct cni_error *err);

/* Returns a configuration without options and addresses. It suffices for a DEL of all objects in the ledger.
 */
json_t *network_bare_conf(const json_t *network);

/* Returns a string of a document that Podman passes, or "". */
const char *network_text(const json_t *object, const char *key);

/* Returns the text of an option, or NULL if it is not given. */
const char *network_option(const json_t *network, const char *key);

/* Returns the default route of a container for a family, as a route of ipvlan. NULL: it is to have none, or
 * CNI_CONFIG. */
json_t *network_default_route(const json_t *network, int family, struct cni_error *err);

/* Return the subnets as "ranges" of addrpool, each a set of its own, and the default routes of their
 * families: new references. network_default_routes() returns NULL with CNI_CONFIG. */
json_t *network_ranges(const json_t *network);
json_t *network_default_routes(const json_t *network, struct cni_error *err);

/* Does Podman assign the addresses? Then the network must have subnets. */
bool network_is_podmans(const json_t *network);

#endif
