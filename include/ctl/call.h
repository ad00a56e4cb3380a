/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calling the plugins of a list as a runtime does. Errors are those of the plugins, with
 * the plugin's name before them.
 */
#ifndef CTL_CALL_H
#define CTL_CALL_H

#include <jansson.h>

#include "cni/error.h"

struct call {
	const char *container, *netns, *ifname;
};

/* ADD of one after the other: the answer of the last one, as a new reference, or NULL. */
json_t *call_add(const struct call *call, const json_t *plugins, struct cni_error *err);

/* With what ADD answered. */
int call_check(const struct call *call, const json_t *plugins, const json_t *prev, struct cni_error *err);

/* From the last to the first, also after one that fails; err is the first one's that
 * does. prev: what ADD answered, or NULL. */
int call_del(const struct call *call, const json_t *plugins, const json_t *prev, struct cni_error *err);

/* DEL of the plugin's IPAM plugin alone: its addresses are free, and nothing else is touched. */
int call_ipam_del(const struct call *call, const json_t *plugin, struct cni_error *err);

#endif
