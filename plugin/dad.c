/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dad.h"

#include <linux/if_addr.h>

#include "cni/process.h"
#include "net/addr.h"

/* The detection takes a random delay of a second at most, and the retransmission timer: a second,
 * unless a router advertisement sets another. */
#define PATIENCE_MS 5000

/* FOUND: the address is usable. FOUND_NOT: the detection has not ended. */
static enum found dad_check(struct iface *iface, const struct prefix *address, struct cni_error *err)
{
	uint32_t flags = 0;

	switch (addr_find(&iface->pod, iface->link.index, address, &flags, err)) {
	case FOUND_FAILED:
		return FOUND_FAILED;
	case FOUND_NOT:
		return cni_fail(err, CNI_INTERNAL, "address %s is no longer on \"%s\"",
				prefix_text(address).s, iface->req->ifname);
	default:
		break;
	}
	if (flags & IFA_F_DADFAILED) {
		cni_fail(err, CNI_CONFLICT, "address %s is in use on the link", prefix_text(address).s);
		return cni_hint(err, "another host has it (IPv6 duplicate address detection); the IPAM "
				     "plugin has released it");
	}
	return flags & IFA_F_TENTATIVE ? FOUND_NOT : FOUND;
}

static enum found dad_check_all(struct iface *iface, const struct result *given, struct cni_error *err)
{
	enum found all = FOUND;

	for (size_t i = 0; i < given->n_ips; i++) {
		const struct prefix *address = &given->ips[i].address;
		enum found one = address->ip.family == AF_INET6 ? dad_check(iface, address, err) : FOUND;

		if (one == FOUND_FAILED)
			return one;
		if (one == FOUND_NOT)
			all = one;
	}
	return all;
}

int dad_begin(struct rtnl *events, int netns, struct cni_error *err)
{
	if (rtnl_open(events, netns, err) < 0)
		return -1;
	if (rtnl_listen(events, RTNLGRP_IPV6_IFADDR, err) == 0)
		return 0;
	rtnl_close(events);
	return -1;
}

int dad_wait(struct iface *iface, struct rtnl *events, const struct result *given, struct cni_error *err)
{
	const long long end = process_now_ms() + PATIENCE_MS;
	enum found all;

	while ((all = dad_check_all(iface, given, err)) == FOUND_NOT) {
		long long left = end - process_now_ms();

		if (left <= 0) {
			cni_fail(err, CNI_RETRY, "IPv6 duplicate address detection has not ended after %d s",
				 PATIENCE_MS / 1000);
			return cni_hint(err, "check that the master is up and has a carrier");
		}
		rtnl_wait(events, (int)left);
	}
	return all == FOUND ? 0 : -1;
}
