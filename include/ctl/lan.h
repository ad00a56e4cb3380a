/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a link's LAN has: its subnets, its gateways, and addresses that are free.
 */
#ifndef CTL_LAN_H
#define CTL_LAN_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "net/link.h"
#include "net/rtnl.h"

/* Of one family. */
struct lan_side {
	struct prefix own;   /* the link's address; family 0: it has none that others reach it by */
	bool leased;	     /* that has a lifetime: DHCP or a router gave it */
	bool has_default;    /* a default route leads to the link */
	struct ip gateway;   /* of it; family 0: the destination is on the link */
	struct ip from, to;  /* what lan_choose() has found */
	size_t asked, taken; /* addresses on the LAN, IPv4 */
};

struct lan {
	struct rtnl *host; /* borrowed */
	struct link link;
	struct lan_side v4, v6;
};

int lan_read(struct lan *ret, struct rtnl *host, const struct link *link, struct cni_error *err);

/*
 * Finds an IPv4 range in which nobody answers, and which no other network of this machine has: a block of
 * 2^n. It begins at the upper end of the subnet, since DHCP servers mostly begin at the lower one. CNI_IO,
 * CNI_CONFIG.
 */
int lan_choose(struct lan *lan, struct cni_error *err);

/* The same for a range that the user names: it says on standard error who answers in it. */
int lan_check_range(struct lan *lan, const char *range, struct cni_error *err);

/* Of IPv6, a range of 65536 addresses that no host has but by chance. name is the network's. */
void lan_choose_v6(struct lan *lan, const char *name);

/* A subnet for pods that is not the LAN's: /24, of no route of the host. False: all are taken. */
bool lan_private_subnet(struct rtnl *host, struct prefix *ret);

#endif
