/* SPDX-License-Identifier: Apache-2.0 */
#include "netavark/earlier.h"

#include "net/netns.h"
#include "plugin/ledger.h"

static bool earlier_is_elsewhere(const struct page *page, const struct netns_id *now)
{
	if (!page->netns.inode || netns_is(&page->netns, now))
		return false;
	cni_log("container %s still has an interface \"%s\" in %s from an earlier setup: removing it",
		page->container, page->ifname, page->path);
	return true;
}

static bool earlier_find_in(struct rtnl *host, const struct attachment *who, const struct netns_id *now)
{
	struct ledger ledger;
	struct page page;
	bool elsewhere = false;

	if (ledger_open(&ledger, host, NULL) != FOUND)
		return false;
	if (page_read(&page, &ledger, who, NULL) == FOUND) {
		elsewhere = earlier_is_elsewhere(&page, now);
		page_free(&page);
	}
	ledger_close(&ledger);
	return elsewhere;
}

bool earlier_find(const char *container, const char *ifname, const char *netns)
{
	const struct attachment who = { container, ifname };
	const struct netns_id now = netns_id(netns);
	bool elsewhere = false;
	struct rtnl host;

	if (now.inode && rtnl_open(&host, -1, NULL) == 0) {
		elsewhere = earlier_find_in(&host, &who, &now);
		rtnl_close(&host);
	}
	return elsewhere;
}
