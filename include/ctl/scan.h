/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All ipvlan interfaces that can be seen from this namespace, with their pages of the ledger, as one
 * JSON document:
 *
 *	masters[]   name index namespace kind mac mtu up mode flag anchor holder
 *	            addresses[] gateways[] (of the host, on it) vlan parent (of a VLAN alone)
 *	            dropped{reason: packets} (of a master with antiSpoof)
 *	  pods[]    interface namespace{path inode cookie pid} mtu up addresses[]
 *	            defaultRoutes[] (gateways, or "on the link")
 *	            container network (null: not of this plugin) objects[]
 *	            traffic{out{packets bytes late} in{packets bytes late}} (with antiSpoof, bandwidth
 *	            or counters; late: packets that bandwidth has dropped)
 *	            pod{namespace name} age (seconds; null: not known)
 *	lost[]      attachments without an interface: container interface network
 *	            namespace state objects[] pod age
 *
 * An object is {"object": "route to 10.1.0.2/32 dev ipva2", "found": true}.
 */
#ifndef CTL_SCAN_H
#define CTL_SCAN_H

#include <jansson.h>

#include "cni/error.h"

/*
 * Returns a new reference, or NULL with err. States in lost[]:
 *
 *	gone           its namespace no longer exists
 *	no interface   its namespace exists, without the interface
 *	hidden         its namespace exists, and ipvlanctl cannot enter it
 *	unknown        it is not known whether its namespace exists
 */
json_t *scan(struct cni_error *err);

/* Return a string of such a document, or ""; and a number, or 0. */
const char *scan_text(const json_t *object, const char *key);
long long scan_number(const json_t *object, const char *key);

#endif
