#include <stdlib.h>
#include <string.h>

#include "cni/json.h"
#include "ipam/release.h"
#include "ipam/verbs.h"

struct valid {
	struct owner *list; /* sorted */
	size_t n;
};

/* An owner without an interface is equal to whichever the container has. */
static int by_owner(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;
	int order = strcmp(x->container, y->container);

	return order || !*x->ifname || !*y->ifname ? order : strcmp(x->ifname, y->ifname);
}

static const char *why_unknown(void *arg, const struct lease *lease)
{
	const struct valid *valid = arg;

	if (valid->n && bsearch(&lease->owner, valid->list, valid->n, sizeof(*valid->list), by_owner))
		return NULL;
	return "the runtime does not know the attachment";
}

/* null is a list without entries. */
static int read_valid(struct valid *ret, const json_t *list, const char *key, struct cni_error *err)
{
	struct owner *owners = calloc(json_array_size(list) + 1, sizeof(*owners));
	const json_t *entry;
	size_t i;

	*ret = (struct valid){ .list = owners, .n = json_array_size(list) };
	if (!owners)
		return cni_fail(err, CNI_RETRY, "out of memory");
	json_array_foreach(list, i, entry) {
		owners[i].container = json_string_value(json_field(entry, "containerID"));
		owners[i].ifname = json_string_value(json_field(entry, "ifname"));
		if (!owners[i].container || !owners[i].ifname || !*owners[i].ifname)
			return cni_fail(err, CNI_CONFIG, "%s[%zu] must have a containerID and an ifname", key,
					i);
	}
	qsort(owners, ret->n, sizeof(*owners), by_owner);
	return 0;
}

static int collect(const struct request *req, struct valid *valid, struct cni_error *err)
{
	struct place place;
	struct store store;
	enum found found;
	size_t n;
	int rc;

	if (place_read(&place, req, err) < 0)
		return -1;
	found = store_open(&store, &place, false, err);
	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = release_if(&store, &place, why_unknown, valid, &n, err);
	store_close(&store);
	return rc;
}

/*
 * SPEC, GC: everything but the valid attachments. Runtimes say three things: a
 * list; null, when there are none (CRI-O); and nothing, when they do not know
 * (cnitool), which must not cost the addresses of pods that run.
 */
int verb_gc(const struct request *req, struct cni_error *err)
{
	static const char *const keys[] = { "cni.dev/valid-attachments", "cni.dev/attachments" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const json_t *list = json_object_get(req->conf, keys[i]);
		struct valid valid;
		int rc;

		if (!list)
			continue;
		if (!json_is_array(list) && !json_is_null(list))
			return cni_fail(err, CNI_CONFIG, "%s must be a list", keys[i]);
		rc = read_valid(&valid, list, keys[i], err);
		if (rc == 0)
			rc = collect(req, &valid, err);
		free(valid.list);
		return rc;
	}
	cni_log("network %s: GC without %s: nothing is released", req->name, keys[0]);
	return 0;
}
