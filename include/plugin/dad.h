/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 duplicate address detection (RFC 4862 5.4), for those who want it: ADD
 * then ends when the link has had time to object.
 */
#ifndef PLUGIN_DAD_H
#define PLUGIN_DAD_H

#include "plugin/iface.h"

/* Starts to listen, before the addresses are there. rtnl_close(events) after success. */
int dad_begin(struct rtnl *events, int netns, struct cni_error *err);

/* Returns when all IPv6 addresses may be used. CNI_CONFLICT: another host has one;
 * CNI_RETRY: nothing was decided within 5 s. */
int dad_wait(struct iface *iface, struct rtnl *events, const struct result *given, struct cni_error *err);

#endif
