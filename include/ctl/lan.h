/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LAN of a link: its subnets, gateways and free addresses.
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
	struct prefix address; /* of the link, of global scope; family 0: it has none */
	bool leased;	       /* the address has a lifetime: DHCP or a router assigned it */
	bool has_default;      /* a default route leads to the link */
	struct ip gateway;     /* of the default route; family 0: it has none */
	struct ip from, to;    /* the range that lan_choose() has found */
	size_t asked, taken;   /* IPv4 addresses that were asked for, and that answered */
};

struct lan {
	struct rtnl *host; /* borrowed */
	struct link link;
	struct lan_side v4, v6;
};

int lan_read(struct lan *ret, struct rtnl *host, const struct link *link, struct cni_error *err);

/*
 * Finds an IPv4 block of 2^n addresses of which none answers, and none is in another network of this
 * machine. Searches from the upper end of the subnet, since DHCP servers mostly begin at the lower end.
 * CNI_IO, CNI_CONFIG.
 */
int lan_choose(struct lan *lan, struct cni_error *err);

/* Takes a range that the user names. Prints each address of it that answers on standard error. */
int lan_check_range(struct lan *lan, const char *range, struct cni_error *err);

/* Chooses an IPv6 range of 65536 addresses, which other hosts have only by chance. name: of the network. */
void lan_choose_v6(struct lan *lan, const char *name);

/* Finds a /24 for pods that overlaps no route of the host. False: there is none. */
bool lan_private_subnet(struct rtnl *host, struct prefix *ret);

#endif
