/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 duplicate address detection (RFC 4862 5.4), with the key "dad": ADD waits until it has
 * ended.
 */
#ifndef PLUGIN_DAD_H
#define PLUGIN_DAD_H

#include "plugin/iface.h"

/* Starts to listen; call it before the addresses are added. rtnl_close(events) after success. */
int dad_begin(struct rtnl *events, int netns, struct cni_error *err);

/* Returns when all IPv6 addresses are usable. CNI_CONFLICT: another host has one; CNI_RETRY: the
 * detection did not end within 5 s. */
int dad_wait(struct iface *iface, struct rtnl *events, const struct result *given, struct cni_error *err);

#endif
