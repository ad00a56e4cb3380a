#include "ipam/release.h"

#include "ipam/past.h"
#include "ipam/record.h"
#include "ipam/state.h"

static int release(struct store *store, const struct place *place, const struct ip *ip, struct cni_error *err)
{
	if (lease_drop(store, ip, err) < 0)
		return -1;
	if (place->reuse_delay)
		past_released(store, ip);
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
		/* what has an interface hides what has none */
		if (found == FOUND_NOT || (whose == owner && legacy))
			break;
		whose = legacy ? &any : owner;
		for (size_t i = 0; i < record.n; i++)
			if (release(store, place, &record.ips[i], err) < 0)
				return -1;
		/* again, when there may be more than a record has room for */
	} while (record.n == RECORD_MAX);
	if (whose)
		record_drop(store, whose);
	return 0;
}

int release_if(struct store *store, const struct place *place,
	       const char *(*why)(void *arg, const struct lease *lease), void *arg, size_t *n,
	       struct cni_error *err)
{
	struct leases leases;
	int rc = leases_read(&leases, store, err);

	*n = 0;
	for (size_t i = 0; rc == 0 && i < leases.n; i++) {
		const struct lease *lease = &leases.list[i];
		const char *reason = why(arg, lease);

		if (!reason)
			continue;
		rc = release(store, place, &lease->ip, err);
		if (rc < 0)
			break;
		++*n;
		/* its other addresses have the same reason */
		record_drop(store, &lease->owner);
		cni_log("network %s: %s is free again, leased by %s %s: %s", place->network,
			ip_text(&lease->ip).s, *lease->owner.container ? lease->owner.container : "nobody",
			lease->owner.ifname, reason);
	}
	leases_free(&leases);
	return rc;
}

struct dead {
	const struct store *store;
	struct alive alive;
};

static const char *why_dead(void *arg, const struct lease *lease)
{
	struct dead *dead = arg;

	switch (lease_state(&dead->alive, dead->store, lease)) {
	case STALE:
		return "its network namespace is gone";
	case EARLIER:
		return "that was before the machine was restarted";
	case EMPTY:
		return "the file is empty";
	default:
		return NULL;
	}
}

int release_dead(struct store *store, const struct place *place, size_t *n, struct cni_error *err)
{
	struct dead dead = { .store = store };
	int rc;

	alive_read(&dead.alive);
	rc = release_if(store, place, why_dead, &dead, n, err);
	alive_free(&dead.alive);
	return rc;
}
