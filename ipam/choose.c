#include "ipam/choose.h"

#include <stdlib.h>
#include <string.h>

#include "ipam/past.h"
#include "ipam/release.h"

/* After so many taken addresses in a row the directory is read instead. */
#define PROBES 16

struct search {
	struct store *store;
	const struct conf *conf;
	const struct record *had;
	struct shortage *shortage;
	bool reclaimed; /* dead leases have been given back already */

	/* of the pool at hand */
	size_t pool;
	int probes;
	struct leases taken; /* sorted; read when there were enough probes */
	bool taken_read;
	size_t waiting; /* addresses that are free, but not yet */
	long long soonest;
};

static int read_taken(struct search *search, struct cni_error *err)
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

static enum found is_taken(struct search *search, const struct ip *ip, struct cni_error *err)
{
	const struct lease key = { .ip = *ip };

	if (search->probes++ < PROBES)
		return lease_exists(search->store, ip, err);
	if (read_taken(search, err) < 0)
		return FOUND_FAILED;
	return search->taken.n && bsearch(&key, search->taken.list, search->taken.n, sizeof(key),
					  lease_by_address)
		       ? FOUND
		       : FOUND_NOT;
}

static enum found is_free(void *arg, const struct ip *ip, struct cni_error *err)
{
	struct search *search = arg;
	enum found taken = is_taken(search, ip, err);
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

/* Tries one address by name. */
static enum found try_one(struct search *search, const struct ip *ip, struct ip *ret, struct cni_error *err)
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

static enum found find_known(struct search *search, struct ip *ret, struct cni_error *err)
{
	enum found found = FOUND_NOT;
	struct ip ip;

	for (size_t i = 0; found == FOUND_NOT && i < search->had->n; i++)
		found = try_one(search, &search->had->ips[i], ret, err);
	if (found != FOUND_NOT || !search->conf->sticky)
		return found;
	ip = past_of(search->store, search->pool, search->conf->sticky);
	return try_one(search, &ip, ret, err);
}

static int exhausted(const struct search *search, struct cni_error *err)
{
	const struct pool *pool = &search->conf->pools[search->pool];

	*search->shortage = (struct shortage){ .any = true, .pool = search->pool };
	cni_fail(err, CNI_RETRY,
		 "failed to allocate for range %zu: no IP addresses available in range set: %s", search->pool,
		 pool_text(pool).s);
	if (search->waiting)
		return cni_hint(err,
				"%zu were released less than reuseDelay ago; the first of them may be "
				"handed out again in %lld s",
				search->waiting, search->soonest);
	return cni_hint(err, "addrpool FILE, with the network's configuration, lists who has them");
}

static int find_any(struct search *search, struct ip *ret, struct cni_error *err)
{
	const struct pool *pool = &search->conf->pools[search->pool];
	const struct ip last = store_last(search->store, search->pool);
	size_t freed = 0;

	for (;;) {
		enum found found = pool_walk(pool, &last, is_free, search, ret, err);

		if (found != FOUND_NOT)
			return found == FOUND ? 0 : -1;
		if (search->reclaimed)
			return exhausted(search, err);
		search->reclaimed = true;
		if (release_dead(search->store, &search->conf->place, &freed, err) < 0)
			return -1;
		if (!freed)
			return exhausted(search, err);
		leases_free(&search->taken);
		search->taken_read = false;
		search->waiting = 0;
	}
}

/* Also a subnet's own first and last, which are in no pool but may be asked for by name. */
static bool is_within(const struct search *search, const struct ip *ip)
{
	const struct blocks *ours = search->conf->cluster.blocks;
	const struct block *block = ours ? blocks_find(ours, ip) : NULL;

	return !ours || (block && block_counts(block, search->store));
}

/* Takes the address, whoever had it before, or says who has it. */
static int take_wanted(struct search *search, const struct ip *ip, struct cni_error *err)
{
	const struct pool *pool = &search->conf->pools[search->pool];
	const struct range *range = pool_range(pool, ip);
	struct ip_str text = ip_text(ip);
	enum found taken;
	size_t freed;

	if (range->gateway.family && ip_equal(ip, &range->gateway)) {
		cni_fail(err, CNI_CONFIG,
			 "failed to allocate for range %zu: requested ip %s is subnet's gateway",
			 search->pool, text.s);
		return cni_hint(err, "gateway: \"none\" keeps no address back");
	}
	for (size_t i = 0; i < search->conf->n_exclude; i++)
		if (prefix_contains(&search->conf->exclude[i], ip))
			return cni_fail(err, CNI_CONFIG,
					"failed to allocate for range %zu: requested ip %s is excluded by %s",
					search->pool, text.s, prefix_text(&search->conf->exclude[i]).s);
	if (!is_within(search, ip)) {
		*search->shortage = (struct shortage){ .any = true, .pool = search->pool, .wanted = *ip };
		return cni_fail(err, CNI_RETRY,
				"failed to allocate for range %zu: requested ip %s is in no block of ours",
				search->pool, text.s);
	}
	taken = lease_exists(search->store, ip, err);
	if (taken == FOUND && !search->reclaimed) {
		search->reclaimed = true;
		if (release_dead(search->store, &search->conf->place, &freed, err) < 0)
			return -1;
		taken = lease_exists(search->store, ip, err);
	}
	if (taken == FOUND)
		return cni_fail(
			err, CNI_CONFLICT,
			"failed to allocate for range %zu: requested IP address %s is not available in "
			"range set %s",
			search->pool, text.s, pool_text(pool).s);
	return taken == FOUND_NOT ? 0 : -1;
}

/* The first address asked for that lies in the pool, or NULL. */
static const struct ip *wanted_of(const struct conf *conf, const struct pool *pool)
{
	for (size_t i = 0; i < conf->n_wanted; i++)
		if (pool_range(pool, &conf->wanted[i]))
			return &conf->wanted[i];
	return NULL;
}

static int choose_one(struct search *search, struct ip *ret, struct cni_error *err)
{
	const struct ip *wanted = wanted_of(search->conf, &search->conf->pools[search->pool]);
	enum found found;

	if (wanted) {
		*ret = *wanted;
		return take_wanted(search, wanted, err);
	}
	found = find_known(search, ret, err);
	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	return find_any(search, ret, err);
}

/* Each address that was asked for must have been of use. */
static int check_wanted(const struct conf *conf, const struct ip *ips, struct cni_error *err)
{
	char list[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < conf->n_wanted; i++) {
		bool given = false;

		for (size_t j = 0; j < conf->n_pools; j++)
			given |= ip_equal(&conf->wanted[i], &ips[j]);
		if (!given && used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, " %s",
						 ip_text(&conf->wanted[i]).s);
	}
	if (!used)
		return 0;
	cni_fail(err, CNI_CONFIG, "failed to allocate all requested IPs:%s", list);
	return cni_hint(err, "each must lie in a range set of its own");
}

int choose(struct ip *ips, struct store *store, const struct conf *conf, const struct record *had,
	   struct shortage *shortage, struct cni_error *err)
{
	struct search search = { .store = store, .conf = conf, .had = had, .shortage = shortage };
	int rc = 0;

	shortage->any = false;
	for (size_t i = 0; rc == 0 && i < conf->n_pools; i++) {
		search.pool = i;
		search.probes = 0;
		search.waiting = 0;
		rc = choose_one(&search, &ips[i], err);
	}
	leases_free(&search.taken);
	return rc == 0 ? check_wanted(conf, ips, err) : -1;
}
