/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What routers on the link advertise (RFC 4861 6.2), for pods that accept it: addresses of
 * their prefixes (RFC 4862), and routes. The kernel takes it up by itself; this waits
 * for it, so that the result has it.
 */
#ifndef PLUGIN_LEARN_H
#define PLUGIN_LEARN_H

#include "cni/result.h"
#include "plugin/iface.h"
#include "plugin/ledger.h"

/*
 * Waits for some seconds at most, once the interface is up, and adds what came to given and to
 * the page. That nothing comes is no error, and is said in the log. CNI_RETRY: out of memory.
 */
int learn_routers(struct iface *iface, struct result *given, struct page *page, struct cni_error *err);

/* CHECK: takes what came from routers out of prev, since it may have changed since. */
int learn_forget(struct iface *iface, struct result *prev, struct cni_error *err);

#endif
