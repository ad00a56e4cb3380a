/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/ask.h"
#include "ipam/block.h"
#include "ipam/home.h"
#include "ipam/identity.h"
#include "ipam/release.h"
#include "ipam/verbs.h"

/* In each store in which the network may have leases. */
static int del_release(struct homes *homes, const struct place *place, const struct owner *owner,
		       struct cni_error *err)
{
	for (size_t i = 0; i < homes->n; i++)
		if (release_owner(&homes->list[i].store, &homes->list[i].place, owner, err) < 0)
			return -1;
	return place->shared && homes->present ? identity_end(&homes->present->store, owner, err) : 0;
}

int addrpool_del(const struct request *req, struct cni_error *err)
{
	const struct owner owner = { .container = req->container, .ifname = req->ifname };
	struct homes homes;
	struct place place;
	enum found found;
	bool untidy;
	int rc;

	if (place_read(&place, req, err) < 0)
		return -1;
	found = homes_open(&homes, &place, err);
	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = del_release(&homes, &place, &owner, err);
	/* the DELs of a drain do not all wait for an engine that hangs: ipvlanctl gc returns the rest */
	untidy = place.shared && homes.present && !blocks_failed(&homes.present->store) &&
		 cluster_is_untidy(&homes.present->store, req, &place);
	homes_close(&homes);
	if (untidy)
		cluster_tidy(req);
	return rc;
}
