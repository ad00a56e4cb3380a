/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libcni keeps of each attachment, for CHECK and DEL: the configuration that ADD had,
 * and its result.
 */
#ifndef CTL_CACHE_H
#define CTL_CACHE_H

#include <jansson.h>

/*
 * Those of networks with an ipvlan plugin, as a new reference to an array of
 *
 *	{ container, interface, network, plugins: as conflist_plugins() has them, result (or none) }
 *
 * What cannot be read is passed over.
 */
json_t *cache_read(void);

/* The entry of an attachment, or NULL; borrowed. */
const json_t *cache_of(const json_t *cache, const char *container, const char *ifname);

#endif
