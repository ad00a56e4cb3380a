/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/choose.h"

#include <stdlib.h>
#include <string.h>

#include "ipam/past.h"
#include "ipam/release.h"
#include "ipam/taken.h"
#include "ipam/wanted.h"

#define PROBES \
	1024   /* after so many single addresses the search reads the whole directory; runs do not count */
#define FEW 16 /* after so many leased addresses it also looks for notes of runs */

struct search {
	struct store *store;
	const struct conf *conf;
	const struct record *had;
	struct shortage *shortage;
	const struct states *known; /* the dead ones may be released; NULL: unknown, or already released */

	/* of the present pool */
	size_t pool;
	int probes;
	bool in_run;	     /* all addresses from the first of the run on are leased */
	struct ip after;     /* the run's next address */
	struct leases taken; /* sorted; read after PROBES */
	bool taken_read;
	size_t waiting;	   /* addresses that wait for reuseDelay */
	long long soonest; /* seconds until the first of them may be assigned */
};

static int choose_read_taken(struct search *search, struct cni_error *err)
{
	if (search->taken_read)
		return 0;
	if (leases_read_names(&search->taken, search->store, err) < 0)
		return -1;
	search->taken_read = true;
	if (search->taken.n)
		qsort(search->taken.list, search->taken.n, sizeof(*search->taken.list), lease_by_address);
	return 0;
}

static enum found choose_look_at(struct search *search, const struct ip *ip, struct cni_error *err)
{
	const struct lease key = { .ip = *ip };

	if (search->probes++ < PROBES)
		return lease_exists(search->store, ip, err);
	if (choose_read_taken(search, err) < 0)
		return FOUND_FAILED;
	return search->taken.n && bsearch(&key, search->taken.list, search->taken.n, sizeof(key),
					  lease_by_address)
		       ? FOUND
		       : FOUND_NOT;
}

/* If the whole run of *ip is leased, *ip becomes its last address. */
static enum found choose_is_taken(struct search *search, struct ip *ip, struct cni_error *err)
{
	enum found taken;

	if (taken_is_first(ip) && search->probes >= FEW && taken_whole(search->store, ip)) {
		*ip = taken_last(ip);
		return FOUND;
	}
	taken = choose_look_at(search, ip, err);
	search->in_run =
		taken == FOUND && (taken_is_first(ip) || (search->in_run && ip_equal(ip, &search->after)));
	search->after = ip_next(ip);
	if (search->in_run && taken_is_last(ip))
		taken_note(search->store, ip);
	return taken;
}

static enum found choose_is_free(void *arg, struct ip *ip, struct cni_error *err)
{
	struct search *search = arg;
	enum found taken = choose_is_taken(search, ip, err);
	long long waits;

	if (taken != FOUND_NOT)
		return taken == FOUND ? FOUND_NOT : FOUND_FAILED;
	waits = past_waits(search->store, ip, search->conf->place.reuse_delay);
	if (!waits)
		return FOUND;
	if (!search->waiting++ || waits < search->soonest)
		search->soonest = waits;
	return FOUND_NOT;
}

/* FOUND: ip may be assigned and is free. */
static enum found choose_try_one(struct search *search, const struct ip *ip, struct ip *ret,
				 struct cni_error *err)
{
	const struct pool *pool = &search->conf->pools[search->pool];
	enum found taken;

	if (!ip->family || !pool_may_give(pool, ip))
		return FOUND_NOT;
	taken = lease_exists(search->store, ip, err);
	if (taken == FOUND_NOT)
		*ret = *ip;
	return taken == FOUND_FAILED ? taken : taken == FOUND ? FOUND_NOT : FOUND;
}

/* An address of the earlier attachment, or of the "sticky" name. */
static enum found choose_find_known(struct search *search, struct ip *ret, struct cni_error *err)
{
	enum found found = FOUND_NOT;
	struct ip ip;

	for (size_t i = 0; found == FOUND_NOT && i < search->had->n; i++)
		found = choose_try_one(search, &search->had->ips[i], ret, err);
	if (found != FOUND_NOT || !search->conf->sticky)
		return found;
	ip = past_of(search->store, search->conf->pools[search->pool].number, search->conf->sticky);
	return choose_try_one(search, &ip, ret, err);
}

static int choose_exhausted(const struct search *search, struct cni_error *err)
{
	const struct pool *pool = &search->conf->pools[search->pool];

	*search->shortage = (struct shortage){ .leased = true, .any = true, .pool = search->pool };
	if (!search->conf->cluster.pool)
		past_full(search->store, pool->number, pool_text(pool).s);
	cni_fail(err, CNI_RETRY,
		 "failed to allocate for range %zu: no IP addresses available in range set: %s", pool->number,
		 pool_text(pool).s);
	if (search->waiting)
		return cni_hint(err,
				"addresses released less than reuseDelay ago: %zu; the first may be assigned "
				"again in %lld s",
				search->waiting, search->soonest);
	if (!pool->n_spans && pool->n_asked)
		return cni_hint(
			err, "all its addresses are in ipam.static: a pod gets one only if it requests it");
	return cni_hint(err, "ipvlanctl pools %s lists which containers have them",
			search->conf->place.network);
}

/* Releases the dead leases, at most once in a search; *freed is their number. */
static int choose_reclaim(struct search *search, size_t *freed, struct cni_error *err)
{
	const struct states *known = search->known;

	*freed = 0;
	search->known = NULL;
	if (!known)
		return 0;
	if (release_all(search->store, &search->conf->place, known, why_dead, freed, err) < 0)
		return -1;
	if (!*freed)
		return 0;
	leases_free(&search->taken);
	search->taken_read = search->in_run = false;
	search->waiting = 0;
	return 0;
}

static int choose_find_any(struct search *search, struct ip *ret, struct cni_error *err)
{
	const struct pool *pool = &search->conf->pools[search->pool];
	const struct ip last = store_last(search->store, pool->number);
	size_t freed = 0;

	for (;;) {
		enum found found = pool_walk(pool, &last, choose_is_free, search, ret, err);

		if (found != FOUND_NOT)
			return found == FOUND ? 0 : -1;
		if (choose_reclaim(search, &freed, err) < 0)
			return -1;
		if (!freed)
			return choose_exhausted(search, err);
	}
}

/* Is ip in a block of this node? Unlike the spans of the narrowed pool, this is also true for addresses that
 * are assigned only on request. */
static bool choose_is_within(const struct search *search, const struct ip *ip)
{
	const struct blocks *ours = search->conf->cluster.blocks;
	const struct block *block = ours ? blocks_find(ours, ip) : NULL;

	return !ours || (block && block_counts(block));
}

/* Adds to err which container has the requested address. Returns -1. */
static int choose_hint_holder(const struct search *search, const struct ip *ip, struct cni_error *err)
{
	const struct place *place = &search->conf->place;
	const char *network = place->network;
	struct lease lease;
	struct origin origin = { .netns = { 0 } };

	if (lease_read(&lease, search->store, ip, NULL) != FOUND)
		return cni_hint(err, "%s/%s/%s is not a lease file; remove it", place->data_dir, place->store,
				ip_text(ip).s);
	origin_of(&origin, search->store, &lease, NULL);
	if (place_is_pool(place))
		network = origin.network.s[0] ? origin.network.s : "unknown";
	cni_hint(err,
		 "container %s, interface %s, network %s has it; request another, or delete that container",
		 *lease.owner.container ? lease.owner.container : "?",
		 *lease.owner.ifname ? lease.owner.ifname : "?", network);
	free(lease.text);
	return -1;
}

/* Has another container the address? A lease of a pod that is gone is released first. */
static enum found choose_is_leased(struct search *search, const struct ip *ip, struct cni_error *err)
{
	enum found taken = lease_exists(search->store, ip, err);
	size_t freed;

	if (taken == FOUND)
		taken = choose_reclaim(search, &freed, err) < 0 ? FOUND_FAILED
								: lease_exists(search->store, ip, err);
	search->shortage->leased = taken == FOUND;
	return taken;
}

/* An address of "static", which is in no range, may be the gateway of any range set. */
static bool choose_is_gateway(const struct search *search, const struct ip *ip)
{
	const struct conf *conf = search->conf;
	const struct range *range = pool_range(&conf->pools[search->pool], ip);

	for (size_t i = 0; !range && i < conf->n_pools; i++)
		if (pool_is_gateway(&conf->pools[i], ip))
			return true;
	return range && ip_equal(ip, &range->gateway);
}

/* Succeeds if the requested address may be assigned and is free, or its lease is dead. */
static int choose_take_wanted(struct search *search, const struct ip *ip, struct cni_error *err)
{
	const struct pool *pool = &search->conf->pools[search->pool];
	struct ip_str text = ip_text(ip);
	enum found taken;

	if (choose_is_gateway(search, ip)) {
		cni_fail(err, CNI_CONFIG,
			 "failed to allocate for range %zu: requested ip %s is subnet's gateway",
			 pool->number, text.s);
		return cni_hint(err, "gateway: \"none\" reserves no address");
	}
	if (wanted_check_reserved(search->conf, ip, err) < 0)
		return -1;
	for (size_t i = 0; i < search->conf->n_exclude; i++)
		if (prefix_contains(&search->conf->exclude[i], ip))
			return cni_fail(err, CNI_CONFIG,
					"failed to allocate for range %zu: requested ip %s is excluded by %s",
					pool->number, text.s, prefix_text(&search->conf->exclude[i]).s);
	if (!choose_is_within(search, ip)) {
		*search->shortage = (struct shortage){ .any = true, .pool = search->pool, .wanted = *ip };
		return cni_fail(
			err, CNI_RETRY,
			"failed to allocate for range %zu: requested ip %s is in no block of this node",
			pool->number, text.s);
	}
	taken = choose_is_leased(search, ip, err);
	if (taken == FOUND) {
		cni_fail(err, CNI_CONFLICT,
			 "failed to allocate for range %zu: requested IP address %s is not available in "
			 "range set %s",
			 pool->number, text.s, pool_text(pool).s);
		return choose_hint_holder(search, ip, err);
	}
	return taken == FOUND_NOT ? 0 : -1;
}

/* The engine keeps it for the pod's identity; a lease of it is of an attachment that is over. */
static int choose_take_held(struct search *search, const struct ip *ip, struct cni_error *err)
{
	const enum found taken = choose_is_leased(search, ip, err);

	if (taken == FOUND) {
		cni_fail(err, CNI_RETRY, "%s is kept for %s, and another container on this node has it",
			 ip_text(ip).s, search->conf->sticky);
		return choose_hint_holder(search, ip, err);
	}
	return taken == FOUND_NOT ? 0 : -1;
}

/* Chooses the address of the present pool, and puts it into its place in ips. */
static int choose_one(struct search *search, struct ip *ips, struct cni_error *err)
{
	const struct ip *wanted = wanted_of(search->conf, search->pool, ips);
	struct ip *ret = &ips[search->pool];
	enum found found;

	if (search->conf->held && search->conf->held[search->pool].family) {
		*ret = search->conf->held[search->pool];
		return choose_take_held(search, ret, err);
	}
	if (wanted) {
		*ret = *wanted;
		return choose_take_wanted(search, wanted, err);
	}
	found = choose_find_known(search, ret, err);
	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	return choose_find_any(search, ret, err);
}

int choose(struct ip *ips, struct store *store, const struct conf *conf, const struct record *had,
	   const struct states *known, struct shortage *shortage, struct cni_error *err)
{
	struct search search = {
		.store = store, .conf = conf, .had = had, .known = known, .shortage = shortage
	};
	int rc = wanted_check(conf, err);

	for (size_t i = 0; rc == 0 && i < conf->n_pools; i++) {
		search.pool = i;
		search.probes = 0;
		search.in_run = false;
		search.waiting = 0;
		rc = choose_one(&search, ips, err);
	}
	leases_free(&search.taken);
	return rc == 0 ? wanted_all_given(conf, ips, err) : -1;
}
