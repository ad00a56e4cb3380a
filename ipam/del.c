/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/ask.h"
#include "ipam/block.h"
#include "ipam/home.h"
#include "ipam/identity.h"
#include "ipam/release.h"
#include "ipam/verbs.h"

/* In each store in which the network may have leases, also if another one fails. */
static int del_release(struct homes *homes, const struct owner *owner, struct cni_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < homes->n; i++)
		if (release_owner(&homes->list[i].store, &homes->list[i].place, owner, err) < 0) {
			rc = -1;
			err = NULL;
		}
	return rc;
}

int addrpool_del(const struct request *req, struct cni_error *err)
{
	const struct owner owner = { .container = req->container, .ifname = req->ifname };
	struct homes homes;
	struct place place;
	bool untidy;
	int rc;

	if (place_read(&place, req, err) < 0)
		return -1;
	rc = homes_open(&homes, &place, err) == FOUND_FAILED ? -1 : 0;
	if (del_release(&homes, &owner, rc < 0 ? NULL : err) < 0)
		rc = -1;
	if (rc == 0 && place.shared && homes.present)
		rc = identity_end(&homes.present->store, &owner, err);
	/* the DELs of a drain do not all wait for an engine that hangs: ipvlanctl gc returns the rest */
	untidy = place.shared && homes.present && !blocks_failed(&homes.present->store) &&
		 cluster_is_untidy(&homes.present->store, req, &place);
	homes_close(&homes);
	if (untidy)
		cluster_tidy(req);
	return rc;
}
