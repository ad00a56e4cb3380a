/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls the plugins of a list as a runtime does. An error is that of the plugin, with the plugin's
 * name before it.
 */
#ifndef CTL_CALL_H
#define CTL_CALL_H

#include <jansson.h>

#include "cni/error.h"

struct call {
	const char *container, *netns, *ifname;
};

/* Calls ADD of each plugin in order. Returns the result of the last one, a new reference, or NULL. */
json_t *call_add(const struct call *call, const json_t *plugins, struct cni_error *err);

/* Calls CHECK of each plugin in order. prev: the result of ADD. */
int call_check(const struct call *call, const json_t *plugins, const json_t *prev, struct cni_error *err);

/* Calls DEL from the last plugin to the first, also after one has failed. err: the first failure.
 * prev: the result of ADD, or NULL. */
int call_del(const struct call *call, const json_t *plugins, const json_t *prev, struct cni_error *err);

/* For a pod that is gone: calls DEL of ipvlan first, which fails with CNI_EXISTS if the pod exists again.
 * Then the other plugins are not called. */
int call_del_gone(const struct call *call, const json_t *plugins, struct cni_error *err);

/* Calls DEL of the plugin's IPAM plugin alone, which releases the addresses. Nothing else changes. */
int call_ipam_del(const struct call *call, const json_t *plugin, struct cni_error *err);

#endif
