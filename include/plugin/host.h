/*
 * The host's side of an attachment: everything outside the pod. What is there, and
 * for whom, is in the ledger.
 */
#ifndef PLUGIN_HOST_H
#define PLUGIN_HOST_H

#include "cni/error.h"
#include "cni/plugin.h"
#include "plugin/conf.h"
#include "plugin/iface.h"

/*
 * Makes the pod's interface, under the lock of the host's side: the guard looks at
 * what is there, and the anchor keeps it. All or nothing.
 */
int host_attach(struct iface *iface, const struct conf *conf, struct cni_error *err);

/* Removes what nobody else needs. Nothing there is success. */
int host_detach(const struct request *req, struct cni_error *err);

/* The same for attachments of the network that the runtime does not know. */
int host_collect(const struct request *req, struct cni_error *err);

/* CNI_DAMAGED when something is missing. */
int host_verify(struct iface *iface, struct cni_error *err);

#endif
