#include "cni/attachment.h"
#include "ipam/ask.h"
#include "ipam/release.h"
#include "ipam/verbs.h"

static const char *why_unknown(void *arg, const struct lease *lease)
{
	if (valid_contains(arg, lease->owner.container, lease->owner.ifname))
		return NULL;
	return "the runtime does not know the attachment";
}

static int collect(const struct request *req, struct valid *valid, struct cni_error *err)
{
	struct place place;
	struct store store;
	enum found found;
	bool untidy;
	size_t n;
	int rc;

	if (place_read(&place, req, err) < 0)
		return -1;
	found = store_open(&store, &place, false, err);
	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = release_if(&store, &place, why_unknown, valid, &n, err);
	untidy = cluster_is_untidy(&store, place.reuse_delay);
	store_close(&store);
	if (untidy)
		cluster_tidy(req);
	return rc;
}

/* SPEC, GC: everything but the valid attachments. */
int addrpool_gc(const struct request *req, struct cni_error *err)
{
	struct valid valid;
	enum found found = valid_read(&valid, req, err);
	int rc;

	if (found == FOUND_NOT)
		cni_log("network %s: GC without cni.dev/valid-attachments: nothing is released", req->name);
	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = collect(req, &valid, err);
	valid_free(&valid);
	return rc;
}
