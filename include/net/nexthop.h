/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nexthop objects (Linux 5.3, `ip nexthop`): routes refer to one by its number. With the
 * sysctl net.ipv4.nexthop_compat_mode=0 the kernel lists such a route without link and
 * gateway (net/ipv4/fib_semantics.c, fib_dump_info()).
 */
#ifndef NET_NEXTHOP_H
#define NET_NEXTHOP_H

#include <stdint.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "net/rtnl.h"

/* Calls each() for the nexthop object, or, if it is a group, for each of its members.
 * gw->family 0: no gateway. Succeeds if the object does not exist. */
int nexthop_each(struct rtnl *nl, uint32_t id, void (*each)(int link, const struct ip *gw, void *arg),
		 void *arg, struct cni_error *err);

#endif
