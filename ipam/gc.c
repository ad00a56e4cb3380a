/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/attachment.h"
#include "ipam/ask.h"
#include "ipam/home.h"
#include "ipam/identity.h"
#include "ipam/record.h"
#include "ipam/release.h"
#include "ipam/verbs.h"

static bool gc_is_unknown(void *arg, const struct lease *lease)
{
	return !valid_contains(arg, lease->owner.container, lease->owner.ifname);
}

static const char *gc_why_unknown(enum state state)
{
	return state == LIVE || state == OTHERS ? NULL : "the runtime does not know the attachment";
}

/* The runtime's list is about one network. Leases of the pool's other networks stay, and also those of an
 * unknown network that are not dead. */
static void gc_mark_others(struct states *states, const struct place *place)
{
	for (size_t i = 0; i < states->leases.n; i++) {
		const enum network_owner owner = origin_owner(&states->origins[i], place);

		if (owner == NETWORK_OTHER || (owner == NETWORK_UNKNOWN && !why_dead(states->states[i])))
			states->states[i] = OTHERS;
	}
}

/* Reports unknown attachments whose pods exist, and so use their addresses. */
static void gc_log_kept(const struct states *states, const struct place *place)
{
	for (size_t i = 0; i < states->leases.n; i++) {
		const struct lease *lease = &states->leases.list[i];

		if (states->states[i] == LIVE)
			cni_log("network %s: %s is kept, leased by %s %s: the runtime does not know the "
				"attachment, but its network namespace exists",
				place->network, ip_text(&lease->ip).s, lease->owner.container,
				lease->owner.ifname);
	}
}

struct ending {
	const struct store *store;
	const char *network;
	const struct valid *valid;
	struct cni_error *err;
	int rc;
};

static bool gc_end_unknown(void *arg, const struct identity *identity)
{
	const struct owner owner = { identity->container, identity->ifname };
	struct ending *ending = arg;
	struct record record;
	bool legacy;

	/* other networks of the pool have lists of their own */
	if (identity_is_of_network(identity->name, ending->network) &&
	    !valid_contains(ending->valid, owner.container, owner.ifname) &&
	    record_find(&record, ending->store, &owner, &legacy, NULL) == FOUND_NOT)
		ending->rc = identity_end(ending->store, &owner, ending->err);
	return ending->rc == 0;
}

/* present: it is the network's present store, about which addrpool-claim asks the engine. */
static int gc_release_unknown(const struct request *req, const struct place *place, bool present,
			      const struct valid *valid, const struct states *states, struct cni_error *err)
{
	struct store store;
	enum found found = store_open(&store, place, false, err);
	struct ending ending = { &store, place->network, valid, err, 0 };
	bool untidy;
	size_t n;
	int rc;

	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = release_all(&store, place, states, gc_why_unknown, &n, err);
	if (rc == 0) {
		identities_each(&store, gc_end_unknown, &ending);
		rc = ending.rc;
	}
	untidy = present && place->shared && cluster_is_untidy(&store, req, place);
	store_close(&store);
	if (present && place->identities)
		cluster_tidy_all(req);
	else if (untidy)
		cluster_tidy(req);
	return rc;
}

/* The store must be closed, since the search for namespaces takes long. */
static int gc_collect_in(const struct request *req, const struct place *place, bool present,
			 struct valid *valid, struct cni_error *err)
{
	struct states states;
	int rc = states_find(&states, place, gc_is_unknown, valid, err);

	if (rc == 0) {
		gc_mark_others(&states, place);
		gc_log_kept(&states, place);
		rc = gc_release_unknown(req, place, present, valid, &states, err);
	}
	states_free(&states);
	return rc;
}

/* Opens the stores first, so that their records know what host-local has changed. */
static int gc_collect(const struct request *req, struct valid *valid, struct cni_error *err)
{
	struct place place;
	struct homes homes;
	const struct home *present;
	size_t n;
	int rc;

	if (place_read(&place, req, err) < 0)
		return -1;
	rc = homes_open(&homes, &place, err) == FOUND_FAILED ? -1 : 0;
	n = homes.n;
	present = homes.present;
	homes_close(&homes);
	for (size_t i = 0; i < n; i++)
		if (gc_collect_in(req, &homes.list[i].place, present == &homes.list[i], valid,
				  rc < 0 ? NULL : err) < 0)
			rc = -1;
	return rc;
}

/* SPEC, GC: releases all but the valid attachments; here also all but those whose namespace exists. */
int addrpool_gc(const struct request *req, struct cni_error *err)
{
	struct valid valid;
	enum found found = valid_read(&valid, req, err);
	int rc;

	if (found == FOUND_NOT)
		cni_log("network %s: GC without cni.dev/valid-attachments releases nothing", req->name);
	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = gc_collect(req, &valid, err);
	valid_free(&valid);
	return rc;
}
