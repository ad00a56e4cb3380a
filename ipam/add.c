#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "ipam/ask.h"
#include "ipam/choose.h"
#include "ipam/past.h"
#include "ipam/release.h"
#include "ipam/resolv.h"
#include "ipam/state.h"
#include "ipam/verbs.h"

#define CLAIM_PATIENCE_MS 60000

struct add {
	const struct conf *conf;
	struct store store;
	struct owner owner;
	struct record record; /* what the owner has, and then will have */
	struct ip *ips;
};

/* Is the attachment over that our leases under this name are from? */
static bool is_over(const struct add *add, const struct netns_id *netns)
{
	const struct lease lease = { .owner = add->owner };
	struct alive alive = { 0 };
	enum state state = lease_state(&alive, &add->store, &lease);

	if (state == UNKNOWN && add->record.netns.inode && !netns_is(&add->record.netns, netns)) {
		alive_read(&alive);
		state = lease_state(&alive, &add->store, &lease);
		alive_free(&alive);
	}
	return state == STALE || state == EARLIER;
}

/*
 * What the owner has already. Podman keeps a container's name over a restart of
 * the machine, for instance: then its leases are given back, and *had tells which.
 */
static int look_back(struct add *add, const struct request *req, struct record *had, struct cni_error *err)
{
	const struct netns_id netns = netns_id_asked(req);
	bool legacy, over;
	enum found found = record_find(&add->record, &add->store, &add->owner, &legacy, err);
	if (found == FOUND_FAILED)
		return -1;
	over = found == FOUND && !legacy && is_over(add, &netns);
	if (over) {
		*had = add->record;
		if (release_owner(&add->store, &add->conf->place, &add->owner, err) < 0)
			return -1;
	}
	if (over || found == FOUND_NOT)
		add->record.n = 0;
	for (size_t i = 0; i < add->record.n; i++)
		for (size_t j = 0; j < add->conf->n_pools; j++)
			if (pool_range(&add->conf->pools[j], &add->record.ips[i]))
				return cni_fail(
					err, CNI_EXISTS,
					"failed to allocate for range %zu: %s has been allocated to %s, "
					"duplicate allocation is not allowed",
					j, ip_text(&add->record.ips[i]).s, req->container);
	add->record.netns = netns;
	add->record.boot = add->store.boot;
	return 0;
}

/* The record first: it may name an address that is not leased, never the reverse. */
static int take(struct add *add, struct cni_error *err)
{
	const struct record before = add->record;
	const struct conf *conf = add->conf;

	if (add->record.n + conf->n_pools > RECORD_MAX)
		return cni_fail(err, CNI_CONFIG, "%s has more than %d addresses", add->owner.container,
				RECORD_MAX);
	for (size_t i = 0; i < conf->n_pools; i++)
		add->record.ips[add->record.n++] = add->ips[i];
	if (record_put(&add->store, &add->owner, &add->record, err) < 0)
		return -1;
	for (size_t i = 0; i < conf->n_pools; i++)
		if (store_set_last(&add->store, i, &add->ips[i], err) < 0)
			goto undo;
	if (lease_take(&add->store, &add->owner, add->ips, conf->n_pools, err) == 0)
		return 0;
undo:
	if (before.n)
		record_put(&add->store, &add->owner, &before, NULL);
	else
		record_drop(&add->store, &add->owner);
	return -1;
}

static void remember(const struct add *add)
{
	for (size_t i = 0; i < add->conf->n_pools; i++) {
		if (add->conf->place.reuse_delay)
			past_given(&add->store, &add->ips[i]);
		if (add->conf->sticky)
			past_remember(&add->store, i, add->conf->sticky, &add->ips[i]);
	}
}

/* From the blocks that are ours. */
static int choose_within(struct add *add, const struct record *had, struct shortage *shortage,
			 struct cni_error *err)
{
	struct blocks blocks;
	struct conf narrow;
	int rc = blocks_read(&blocks, &add->store, err);

	if (rc == 0)
		rc = cluster_narrow(&narrow, add->conf, &blocks, &add->store, err);
	if (rc == 0) {
		rc = choose(add->ips, &add->store, &narrow, had, shortage, err);
		cluster_widen(&narrow);
		if (shortage->any)
			shortage->blocks =
				blocks_of_pool(&blocks, &add->store, &add->conf->pools[shortage->pool]);
	}
	blocks_free(&blocks);
	return rc;
}

static int allocate(struct add *add, const struct request *req, struct record *had, struct shortage *shortage,
		    struct cni_error *err)
{
	int rc = -1;

	if (store_open(&add->store, &add->conf->place, true, err) != FOUND)
		return -1;
	if (look_back(add, req, had, err) == 0)
		rc = add->conf->cluster.pool ? choose_within(add, had, shortage, err)
					     : choose(add->ips, &add->store, add->conf, had, shortage, err);
	if (rc == 0)
		rc = take(add, err);
	if (rc == 0)
		remember(add);
	store_close(&add->store);
	return rc;
}

/* The store is closed while a block is claimed: others give and take meanwhile, so
 * that what we have claimed may be gone again. */
static int allocate_or_claim(struct add *add, const struct request *req, struct cni_error *err)
{
	const long long end = add->conf->cluster.pool ? block_now_ms() + CLAIM_PATIENCE_MS : 0;
	struct record had = { .n = 0 };

	for (;;) {
		struct shortage shortage = { .any = false };
		struct cni_error why = { 0 };

		if (allocate(add, req, &had, &shortage, &why) == 0)
			return 0;
		if (!add->conf->cluster.pool || !shortage.any || block_now_ms() > end) {
			cni_fail(err, (enum cni_code)why.code, "%s", why.msg);
			return cni_hint(err, "%s", why.details);
		}
		if (cluster_claim(req, &add->conf->cluster, &shortage, err) < 0)
			return -1;
	}
}

static json_t *answer(const struct add *add, json_t *dns, enum cni_version version, struct cni_error *err)
{
	const struct conf *conf = add->conf;
	struct result result = conf->given;
	json_t *doc;

	result.dns = dns;
	result.n_ips = conf->n_pools;
	result.ips = calloc(conf->n_pools, sizeof(*result.ips));
	if (!result.ips) {
		cni_fail(err, CNI_RETRY, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < conf->n_pools; i++) {
		const struct range *range = pool_range(&conf->pools[i], &add->ips[i]);

		result.ips[i] = (struct cni_ip){
			.address = { .ip = add->ips[i], .len = range->subnet.len },
			.gateway = range->gateway,
			.interface = -1,
		};
	}
	doc = result_json(&result, version, err);
	free(result.ips);
	return doc;
}

static int add_with(const struct conf *conf, const struct request *req, json_t **result,
		    struct cni_error *err)
{
	autofree struct ip *ips = calloc(conf->n_pools, sizeof(*ips));
	struct add add = {
		.conf = conf,
		.owner = { .container = req->container, .ifname = req->ifname },
		.ips = ips,
	};
	json_auto_t *dns = NULL;

	if (!ips)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if ((conf->resolv_conf && resolv_read(&dns, conf->resolv_conf, err) < 0) ||
	    allocate_or_claim(&add, req, err) < 0)
		return -1;
	*result = answer(&add, dns, req->version, err);
	if (*result)
		return 0;
	addrpool_del(req, NULL);
	return -1;
}

int addrpool_add(const struct request *req, json_t **result, struct cni_error *err)
{
	struct conf conf;
	int rc;

	if (addrpool_conf_read(&conf, req, err) < 0)
		return -1;
	rc = add_with(&conf, req, result, err);
	addrpool_conf_free(&conf);
	return rc;
}
