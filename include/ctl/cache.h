/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcni's cache: the configuration and the result of each attachment's ADD, which libcni needs for
 * CHECK and DEL.
 */
#ifndef CTL_CACHE_H
#define CTL_CACHE_H

#include <jansson.h>

/*
 * Reads the entries of networks that have an ipvlan plugin. Returns a new array of
 *
 *	{ container, interface, network, plugins: as conflist_plugins() has them, result (or none) }
 *
 * Skips entries that cannot be read.
 */
json_t *cache_read(void);

/* Returns the entry of an attachment, borrowed, or NULL. */
const json_t *cache_of(const json_t *cache, const char *container, const char *ifname);

#endif
