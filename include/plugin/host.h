/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of an attachment: everything outside the pod. The ledger lists it with its
 * holders.
 */
#ifndef PLUGIN_HOST_H
#define PLUGIN_HOST_H

#include "cni/error.h"
#include "cni/plugin.h"
#include "plugin/conf.h"
#include "plugin/iface.h"
#include "plugin/ledger.h"

/* Has the machine what keys of the configuration require: nft, IPv6? CNI_CONFIG. */
int host_check_machine(const struct conf *conf, struct cni_error *err);

/* CNI_CONFIG: key has IPv6 addresses, and the kernel has no IPv6. Returns -1. */
int host_lacks_ipv6(const char *key, struct cni_error *err);

/*
 * Writes the page of this ADD and makes the pod's interface, if plugin/guard.h admits it. Releases
 * an earlier attachment of the same name if its namespace or its interface does not exist; else
 * fails with CNI_EXISTS. If it fails, it undoes all by host_undo(). page_free() in any case.
 */
int host_attach(struct iface *iface, const struct conf *conf, struct page *page, struct cni_error *err);

/*
 * Undoes only what this ADD has made: deletes the interface by its index, and the page by its id.
 * With ipam it runs DEL of the IPAM plugin, unless another call has taken the attachment's name
 * meanwhile. Returns false if the page does not exist, or belongs to another ADD.
 */
bool host_undo(struct iface *iface, const struct page *page, const char *ipam);

/*
 * Releases the host's side of the network's attachments that are not valid and whose network
 * namespace does not exist. Adds each whose namespace exists to kept, in the form of
 * "cni.dev/valid-attachments".
 */
int host_collect(const struct request *req, const struct valid *valid, json_t *kept, struct cni_error *err);

/* CNI_DAMAGED if an object is missing, or if the attachment is in another namespace. */
int host_verify(struct iface *iface, struct cni_error *err);

#endif
