/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/host_ips.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

#include "net/addr.h"
#include "net/netns.h"

struct host_ips_search {
	struct host_ips *ret;
	int master;
	int rank[2]; /* of main */
};

/* A higher rank is better; 0: the address does not count. */
static int host_ips_rank(const struct addr_seen *seen)
{
	const unsigned int bits = (unsigned int)(8 * ip_size(&seen->address.ip));
	const uint32_t doubtful = IFA_F_TENTATIVE | IFA_F_DADFAILED;
	const bool second = seen->flags & IFA_F_SECONDARY; /* for IPv6 this flag means temporary */

	if (seen->scope != RT_SCOPE_UNIVERSE || !bits || seen->flags & doubtful ||
	    (second && seen->address.ip.family == AF_INET6))
		return 0;
	return 1 + (seen->address.len < bits) + !second + !(seen->flags & IFA_F_DEPRECATED);
}

static void host_ips_keep(const struct addr_seen *seen, void *arg)
{
	struct host_ips_search *search = arg;
	struct host_ips *ret = search->ret;
	const size_t family = seen->address.ip.family == AF_INET6;
	const int rank = seen->link == search->master ? host_ips_rank(seen) : 0;

	if (!rank)
		return;
	if (ret->n < HOST_IPS_MAX)
		ret->ips[ret->n++] = seen->address.ip;
	if (rank > search->rank[family]) {
		search->rank[family] = rank;
		ret->main[family] = seen->address.ip;
	}
}

int host_ips_read(struct host_ips *ret, struct rtnl *host, int master, struct cni_error *err)
{
	struct host_ips_search search = { .ret = ret, .master = master };

	*ret = (struct host_ips){ .n = 0 };
	return addr_each(host, host_ips_keep, &search, err);
}

/* Is it more than 1? */
static bool host_ips_ignores(const char *name)
{
	char sysctl[64];

	snprintf(sysctl, sizeof(sysctl), "ipv4/conf/%s/arp_ignore", name);
	return netns_sysctl_is(sysctl, "0", NULL) != FOUND && netns_sysctl_is(sysctl, "1", NULL) != FOUND;
}

/* The larger value counts, that of "all" or that of the master. */
bool host_ips_silent(const struct ip *ip, const char *master)
{
	return ip->family == AF_INET && (host_ips_ignores("all") || host_ips_ignores(master));
}
