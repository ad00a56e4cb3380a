#include "ipam/ask.h"
#include "ipam/release.h"
#include "ipam/verbs.h"

int addrpool_del(const struct request *req, struct cni_error *err)
{
	const struct owner owner = { .container = req->container, .ifname = req->ifname };
	struct place place;
	struct store store;
	enum found found;
	bool untidy;
	int rc;

	if (place_read(&place, req, err) < 0)
		return -1;
	found = store_open(&store, &place, false, err);
	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = release_owner(&store, &place, &owner, err);
	untidy = !addrpool_is_alone(req) && cluster_is_untidy(&store, place.reuse_delay);
	store_close(&store);
	if (untidy)
		cluster_tidy(req);
	return rc;
}
