/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ipam/ask.h"
#include "ipam/block.h"
#include "ipam/home.h"
#include "ipam/identity.h"
#include "ipam/release.h"
#include "ipam/verbs.h"

static int del_release_at(const struct place *place, const struct owner *owner, struct cni_error *err)
{
	struct store store;
	enum found found = store_open(&store, place, false, err);
	int rc;

	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = release_owner(&store, place, owner, err);
	store_close(&store);
	return rc;
}

/* Releases leases that stayed in the network's own store although the network now has "pool", or in the pool
 * of this configuration although the network now has another one. */
static int del_release_left_behind(const struct place *place, const char *pool, const struct owner *owner,
				   struct cni_error *err)
{
	struct place there = *place;
	int rc = 0;

	there.store = pool;
	if (strcmp(pool, place->store) != 0 && strcmp(pool, place->network) != 0)
		rc = del_release_at(&there, owner, err);
	return rc == 0 && home_left_behind(&there, place) ? del_release_at(&there, owner, err) : rc;
}

int addrpool_del(const struct request *req, struct cni_error *err)
{
	const struct owner owner = { .container = req->container, .ifname = req->ifname };
	struct last_pool last;
	struct place place;
	struct store store;
	enum found found;
	bool untidy = false;
	const char *pool;
	int rc = 0;

	if (place_read(&place, req, err) < 0)
		return -1;
	pool = place.store;
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
	return rc == 0 ? del_release_left_behind(&place, pool, &owner, err) : -1;
}
