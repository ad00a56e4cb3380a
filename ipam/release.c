/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/release.h"

#include "ipam/past.h"

static int release_lease(struct store *store, const struct place *place, const struct ip *ip,
			 struct cni_error *err)
{
	if (lease_drop(store, ip, err) < 0)
		return -1;
	if (place->reuse_delay)
		past_released(store, ip, place->reuse_delay);
	return 0;
}

int release_owner(struct store *store, const struct place *place, const struct owner *owner,
		  struct cni_error *err)
{
	const struct owner any = { .container = owner->container, .ifname = "" };
	const struct owner *whose = NULL;
	struct record record;
	bool legacy;

	do {
		enum found found = record_find(&record, store, owner, &legacy, err);

		if (found == FOUND_FAILED)
			return -1;
		/* leases without an interface stay if there were others */
		if (found == FOUND_NOT || (whose == owner && legacy))
			break;
		whose = legacy ? &any : owner;
		for (size_t i = 0; i < record.n; i++)
			if (release_lease(store, place, &record.ips[i], err) < 0)
				return -1;
		/* a full record may not be all */
	} while (record.n == RECORD_MAX);
	if (whose)
		record_drop(store, owner);
	if (whose == &any)
		record_drop(store, &any);
	return 0;
}

/* FOUND: the lease and its origin have not changed since the state was found. */
static enum found release_is_same(const struct store *store, const struct lease *lease,
				  const struct origin *origin, struct cni_error *err)
{
	struct origin now;

	if (origin_of(&now, store, lease, err) < 0)
		return FOUND_FAILED;
	return origin_equal(&now, origin) ? lease_is_of(store, &lease->ip, &lease->owner, err) : FOUND_NOT;
}

static void release_log_released(const struct place *place, const struct lease *lease, const char *reason)
{
	const struct ip_str ip = ip_text(&lease->ip);

	if (*lease->owner.container)
		cni_log("network %s: %s is free again, leased by %s %s: %s", place->network, ip.s,
			lease->owner.container, lease->owner.ifname, reason);
	else
		cni_log("network %s: %s is free again: %s", place->network, ip.s, reason);
}

enum found release_earlier(struct store *store, const struct place *place, const struct lease *lease,
			   struct cni_error *err)
{
	struct origin origin;

	if (origin_of(&origin, store, lease, err) < 0)
		return FOUND_FAILED;
	if (!origin_is_earlier(&origin, &store->boot))
		return FOUND_NOT;
	if (release_lease(store, place, &lease->ip, err) < 0 || record_settle(store, &lease->owner, err) < 0)
		return FOUND_FAILED;
	release_log_released(place, lease, why_dead(EARLIER));
	return FOUND;
}

int release_all(struct store *store, const struct place *place, const struct states *states,
		const char *(*why)(enum state state), size_t *n, struct cni_error *err)
{
	const struct leases *leases = &states->leases;
	int rc = 0;

	*n = 0;
	for (size_t i = 0; rc == 0 && i < leases->n; i++) {
		const struct lease *lease = &leases->list[i];
		const char *reason = why(states->states[i]);
		enum found same =
			reason ? release_is_same(store, lease, &states->origins[i], err) : FOUND_NOT;

		if (same == FOUND_NOT)
			continue;
		rc = same == FOUND_FAILED ? -1 : release_lease(store, place, &lease->ip, err);
		if (rc < 0)
			break;
		++*n;
		release_log_released(place, lease, reason);
	}
	/* not before, since release_is_same() reads the origins in the records */
	for (size_t i = 0; *n && rc == 0 && i < leases->n; i++)
		if (why(states->states[i]))
			rc = record_settle(store, &leases->list[i].owner, err);
	return rc;
}

const char *why_dead(enum state state)
{
	switch (state) {
	case STALE:
		return "its network namespace is gone";
	case EARLIER:
		return "the machine has restarted since";
	case EMPTY:
		return "its lease file is empty";
	default:
		return NULL;
	}
}
