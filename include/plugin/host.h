/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of an attachment: everything outside the pod. What there is, and
 * for whom, is in the ledger.
 */
#ifndef PLUGIN_HOST_H
#define PLUGIN_HOST_H

#include "cni/error.h"
#include "cni/plugin.h"
#include "plugin/conf.h"
#include "plugin/iface.h"
#include "plugin/ledger.h"

/* Are the programs there that the configuration requires? CNI_CONFIG. */
int host_check_programs(const struct conf *conf, struct cni_error *err);

/*
 * Writes the page of this ADD, and makes the pod's interface: the guard looks at what there
 * is, and the anchor keeps it. Releases an earlier attachment of the same name, if
 * its namespace or its interface has gone; CNI_EXISTS if not. When it fails, host_undo()
 * takes back what it has made. page_free() in any case.
 */
int host_attach(struct iface *iface, const struct conf *conf, struct page *page, struct cni_error *err);

/*
 * Takes back what this ADD has made, and nothing else: the interface by its index, the page
 * by its id. With ipam it runs the IPAM plugin's DEL, if no other call has taken the
 * attachment's name meanwhile. Returns false when the page was gone, or another ADD's.
 */
bool host_undo(struct iface *iface, const struct page *page, const char *ipam);

/*
 * Releases what the host has for attachments of the network that are not valid, and whose
 * network namespace does not exist any more. Where it does exist, the attachment is
 * added to kept, in the form of "cni.dev/valid-attachments".
 */
int host_collect(const struct request *req, const struct valid *valid, json_t *kept, struct cni_error *err);

/* CNI_DAMAGED when something is missing, or is another namespace's. */
int host_verify(struct iface *iface, struct cni_error *err);

#endif
