/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/ask.h"
#include "ipam/block.h"
#include "ipam/home.h"
#include "ipam/identity.h"
#include "ipam/release.h"
#include "ipam/verbs.h"

/* Releases leases that stayed in the network's own store although the network now has "pool". */
static int del_release_left_behind(const struct place *place, const struct owner *owner,
				   struct cni_error *err)
{
	struct place there;
	struct store store;
	enum found found;
	int rc;

	if (!home_left_behind(&there, place))
		return 0;
	found = store_open(&store, &there, false, err);
	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = release_owner(&store, &there, owner, err);
	store_close(&store);
	return rc;
}

int addrpool_del(const struct request *req, struct cni_error *err)
{
	const struct owner owner = { .container = req->container, .ifname = req->ifname };
	struct last_pool last;
	struct place place;
	struct store store;
	enum found found;
	bool untidy = false;
	int rc = 0;

	if (place_read(&place, req, err) < 0)
		return -1;
	found = home_open_last(&store, &place, &last, err);
	if (found == FOUND_FAILED)
		return -1;
	if (found == FOUND) {
		rc = release_owner(&store, &place, &owner, err);
		if (rc == 0 && place.shared)
			rc = identity_end(&store, &owner, err);
		/* the DELs of a drain do not all wait for an engine that hangs: ipvlanctl gc returns the rest
		 */
		untidy = place.shared && !blocks_failed(&store) && cluster_is_untidy(&store, req, &place);
		store_close(&store);
	}
	if (untidy)
		cluster_tidy(req);
	return rc == 0 ? del_release_left_behind(&place, &owner, err) : -1;
}
