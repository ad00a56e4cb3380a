/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses (RFC 4862) and routes that routers on the link advertise (RFC 4861 6.2), for pods that
 * accept them. The kernel adds them by itself; this waits for them, so that the result of ADD has
 * them.
 */
#ifndef PLUGIN_LEARN_H
#define PLUGIN_LEARN_H

#include "cni/result.h"
#include "plugin/iface.h"
#include "plugin/ledger.h"

/* Marks the page, before it is written, as that of a pod that accepts what routers advertise. CNI_RETRY. */
int learn_begin(struct page *page, struct cni_error *err);

/*
 * Call it when the interface is up. Waits for some seconds at most, and adds the addresses and
 * routes to given and to the page. Logs, without an error, if there are none. CNI_RETRY: out of
 * memory.
 */
int learn_routers(struct iface *iface, struct result *given, struct page *page, struct cni_error *err);

/* For CHECK: removes from prev the addresses and routes of routers, which may have changed since. */
int learn_forget(struct iface *iface, struct result *prev, struct cni_error *err);

#endif
