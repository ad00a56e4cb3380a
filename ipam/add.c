/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/keys.h"
#include "ipam/ask.h"
#include "ipam/choose.h"
#include "ipam/home.h"
#include "ipam/identity.h"
#include "ipam/past.h"
#include "ipam/release.h"
#include "ipam/resolv.h"
#include "ipam/state.h"
#include "ipam/verbs.h"
#include "ipam/whom.h"

#define CLAIM_PATIENCE_MS 60000

struct add {
	const struct conf *conf;
	struct store store;
	struct owner owner;
	struct record record; /* the owner's leases, first the old ones, then with the new ones */
	struct states states; /* of all leases, if judged */
	bool judged;
	bool counted;		  /* the engine was called to count this node's blocks */
	long long end;		  /* of the time for claims, CLOCK_BOOTTIME */
	struct cni_error refused; /* why no block could be claimed */
	struct ip *ips;
	bool holds; /* an identity, by the engine */
};

/* Is the attachment gone that has the leases of this name? */
static bool add_is_over(const struct add *add)
{
	const struct origin *origin = &add->record.origin;

	if (origin_is_earlier(origin, &add->store.boot))
		return true;
	for (size_t i = 0; i < add->states.leases.n; i++)
		if (owner_equal(&add->states.leases.list[i].owner, &add->owner) &&
		    origin_equal(&add->states.origins[i], origin))
			return add->states.states[i] == STALE;
	return false;
}

/*
 * Fails if the owner already has addresses. Releases them first if their attachment is gone, for instance
 * since the machine has restarted: Podman keeps a container's name then. *had lists the released addresses.
 */
static int add_look_back(struct add *add, const struct request *req, struct record *had,
			 struct shortage *shortage, struct cni_error *err)
{
	const struct netns_id netns = netns_id_asked(req);
	bool legacy, over;
	enum found found = record_find(&add->record, &add->store, &add->owner, &legacy, err);
	if (found == FOUND_FAILED)
		return -1;
	over = found == FOUND && !legacy && add_is_over(add);
	if (over) {
		*had = add->record;
		if (release_owner(&add->store, &add->conf->place, &add->owner, err) < 0)
			return -1;
	}
	if (over || found == FOUND_NOT)
		add->record.n = 0;
	shortage->leased = add->record.origin.netns.inode && !netns_is(&add->record.origin.netns, &netns);
	for (size_t i = 0; i < add->record.n; i++)
		for (size_t j = 0; j < add->conf->n_pools; j++)
			if (pool_asked(&add->conf->pools[j], &add->record.ips[i]))
				return cni_fail(
					err, CNI_EXISTS,
					"failed to allocate for range %zu: %s has been allocated to %s, "
					"duplicate allocation is not allowed",
					add->conf->pools[j].number, ip_text(&add->record.ips[i]).s,
					req->container);
	add->record.origin = (struct origin){ .boot = add->store.boot,
					      .netns = netns,
					      .network = network_mark(&add->conf->place) };
	return 0;
}

/* The next search begins after these addresses, except addresses of "static". */
static int add_set_last(struct add *add, struct cni_error *err)
{
	for (size_t i = 0; i < add->conf->n_pools; i++)
		if (!pool_keeps(&add->conf->pools[i], &add->ips[i]) &&
		    store_set_last(&add->store, add->conf->pools[i].number, &add->ips[i], err) < 0)
			return -1;
	return 0;
}

/*
 * Writes the lease's temporary file, the record, and then the leases. A record may name an address that is
 * not leased, but no lease may lack a record. The temporary file is first, since a record vouches only for
 * leases that are older, see record.c. The leases are last, since a failing disk might not let us remove
 * them.
 */
static int add_take(struct add *add, struct cni_error *err)
{
	const struct record before = add->record;
	const struct conf *conf = add->conf;

	if (add->record.n + conf->n_pools > RECORD_MAX)
		return cni_fail(err, CNI_CONFIG, "%s has more than %d addresses", add->owner.container,
				RECORD_MAX);
	for (size_t i = 0; i < conf->n_pools; i++)
		add->record.ips[add->record.n++] = add->ips[i];
	if (lease_write(&add->store, &add->owner, err) < 0)
		return -1;
	if (record_put(&add->store, &add->owner, &add->record, err) < 0) {
		lease_unwrite(&add->store);
		return -1;
	}
	if (add_set_last(add, err) < 0)
		lease_unwrite(&add->store);
	else if (lease_take(&add->store, add->ips, conf->n_pools, err) == 0)
		return 0;
	if (before.n)
		record_put(&add->store, &add->owner, &before, NULL);
	else
		record_drop(&add->store, &add->owner);
	return -1;
}

static void add_remember(const struct add *add)
{
	for (size_t i = 0; i < add->conf->n_pools; i++) {
		if (add->conf->place.reuse_delay)
			past_given(&add->store, &add->ips[i]);
		if (add->conf->sticky && !add->conf->pools[i].identities &&
		    !pool_keeps(&add->conf->pools[i], &add->ips[i]))
			past_remember(&add->store, add->conf->pools[i].number, add->conf->sticky,
				      &add->ips[i], pool_position(&add->conf->pools[i], &add->ips[i]));
	}
}

static const struct states *add_known(const struct add *add)
{
	return add->judged ? &add->states : NULL;
}

static bool add_uses_blocks(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (!conf->pools[i].identities)
			return true;
	return false;
}

/* Chooses addresses of this node's blocks. */
static int add_choose_within(struct add *add, const struct record *had, struct shortage *shortage,
			     struct cni_error *err)
{
	struct blocks blocks;
	struct conf narrow;
	int rc = blocks_read(&blocks, &add->store, err);

	if (rc == 0 && blocks.n && add_uses_blocks(add->conf) && !add->counted &&
	    blocks_must_be_counted(&add->store)) {
		shortage->uncounted = true;
		rc = cni_fail(err, CNI_RETRY, "the engine must first count the blocks of node %s",
			      add->conf->cluster.node);
	}
	if (rc == 0)
		rc = cluster_narrow(&narrow, add->conf, &blocks, err);
	if (rc == 0) {
		rc = choose(add->ips, &add->store, &narrow, had, add_known(add), shortage, err);
		cluster_widen(&narrow);
		if (shortage->any) {
			const struct pool *pool = &add->conf->pools[shortage->pool];

			shortage->number = pool->number;
			shortage->blocks = blocks_of_pool(&blocks, pool);
		}
	}
	blocks_free(&blocks);
	return rc;
}

/* Another attachment of the identity, or GC, may have ended ours. */
static int add_check_held(const struct add *add, struct cni_error *err)
{
	struct identity identity;

	if (!add->holds ||
	    (identity_of(&identity, &add->store, &add->owner) == FOUND && identity.state == IDENTITY_HELD))
		return 0;
	return cni_fail(err, CNI_RETRY, "identity %s was passed to another container while this ADD ran",
			add->conf->sticky);
}

static int add_allocate(struct add *add, const struct request *req, struct record *had,
			struct shortage *shortage, struct cni_error *err)
{
	int rc = -1;

	if (home_open(&add->store, &add->conf->place, err) < 0)
		return -1;
	if (add_check_held(add, err) == 0 && add_look_back(add, req, had, shortage, err) == 0)
		rc = add->conf->cluster.pool
			     ? add_choose_within(add, had, shortage, err)
			     : choose(add->ips, &add->store, add->conf, had, add_known(add), shortage, err);
	if (rc == 0)
		rc = add_take(add, err);
	if (rc == 0)
		add_remember(add);
	store_close(&add->store);
	return rc;
}

/* Finds, once, which leases are dead: the next search may release them. FOUND_NOT: that cannot help. */
static enum found add_judge_leases(struct add *add, const struct shortage *shortage, struct cni_error *err)
{
	if (!shortage->leased || add->judged)
		return FOUND_NOT;
	add->judged = true;
	return states_find(&add->states, &add->conf->place, NULL, NULL, err) < 0 ? FOUND_FAILED : FOUND;
}

/*
 * Removes the cause of a shortage: makes the engine count the blocks, claims another block, or, since that
 * takes longest, finds dead leases. FOUND_NOT: nothing helps, and err says why.
 */
static enum found add_end_shortage(struct add *add, const struct request *req,
				   const struct shortage *shortage, const struct cni_error *why,
				   struct cni_error *err)
{
	const struct conf *conf = add->conf;
	enum found found;

	if (shortage->uncounted) {
		add->counted = true;
		return cluster_confirm(req, conf, err) < 0 ? FOUND_FAILED : FOUND;
	}
	if (conf->cluster.pool && shortage->any && block_now_ms() <= add->end) {
		if (cluster_claim(req, &conf->cluster, shortage, &add->refused) == 0)
			return FOUND;
		add->end = 0; /* one failed claim is enough */
	}
	found = add_judge_leases(add, shortage, err);
	if (found == FOUND_NOT)
		cni_fail_as(err, add->refused.msg[0] ? &add->refused : why);
	return found;
}

/*
 * The store is closed while add_end_shortage() searches namespaces or claims a block. Other calls may change
 * leases meanwhile, so each turn searches anew.
 */
static int add_allocate_or_claim(struct add *add, const struct request *req, struct cni_error *err)
{
	struct record had = { .n = 0 };

	add->end = add->conf->cluster.pool ? block_now_ms() + CLAIM_PATIENCE_MS : 0;
	for (;;) {
		struct shortage shortage = { .any = false };
		struct cni_error why = { 0 };

		if (add_allocate(add, req, &had, &shortage, &why) == 0)
			return 0;
		if (add_end_shortage(add, req, &shortage, &why, err) != FOUND)
			return -1;
	}
}

static json_t *add_answer(const struct add *add, json_t *dns, enum cni_version version, struct cni_error *err)
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
		const struct range *range = pool_asked(&conf->pools[i], &add->ips[i]);

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

static bool add_asks_for_identity(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (conf->pools[i].identities)
			return true;
	return false;
}

static int add_has_no_name(const struct request *req, struct cni_error *err)
{
	const char *names = json_string_value(json_field(json_field(req->conf, "ipam"), "sticky"));

	cni_fail(err, CNI_CONFIG,
		 "the range set keeps addresses for identities, and CNI_ARGS lacks one of %s",
		 names ? names : "?");
	return cni_hint(err, "a range set with \"for\" before it, or after it, is for pods without a name");
}

/* The ADD has failed: what it holds goes back, unless an earlier ADD of the attachment has leases by it. */
static void add_let_go(const struct add *add, const struct request *req)
{
	const struct place *place = &add->conf->place;
	struct record record;
	struct store store;
	bool legacy, waits;

	if (store_open(&store, place, false, NULL) != FOUND)
		return;
	if (record_find(&record, &store, &add->owner, &legacy, NULL) == FOUND_NOT)
		identity_end(&store, &add->owner, NULL); /* the runtime's DEL does so, too */
	waits = identities_wait(&store) && !blocks_failed(&store);
	store_close(&store);
	if (waits)
		cluster_tidy(req);
}

/* The engine first, which says which address the pod's identity has. */
static int add_held(struct add *add, const struct request *req, struct cni_error *err)
{
	autofree struct ip *held = NULL;
	const struct conf *whole = add->conf;
	struct conf conf;
	int rc;

	if (!add_asks_for_identity(whole))
		return add_allocate_or_claim(add, req, err);
	if (!whole->sticky)
		return add_has_no_name(req, err);
	conf = *whole;
	held = calloc(conf.n_pools, sizeof(*held));
	if (!held)
		return cni_fail(err, CNI_RETRY, "out of memory");
	rc = cluster_hold(held, req, &conf, err);
	conf.held = held;
	add->conf = &conf;
	add->holds = rc == 0;
	if (rc == 0)
		rc = add_allocate_or_claim(add, req, err);
	if (rc < 0)
		add_let_go(add, req);
	add->conf = whole;
	return rc;
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
	int rc;

	if (!ips)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (conf->resolv_conf && resolv_read(&dns, conf->resolv_conf, err) < 0)
		return -1;
	rc = conf->place.identities ? add_held(&add, req, err) : add_allocate_or_claim(&add, req, err);
	states_free(&add.states);
	if (rc < 0)
		return -1;
	*result = add_answer(&add, dns, req->version, err);
	if (*result)
		return 0;
	addrpool_del(req, NULL);
	return -1;
}

int addrpool_add(const struct request *req, json_t **result, struct cni_error *err)
{
	struct conf conf;
	int rc;

	keys_warn_addrpool(req->conf);
	if (addrpool_conf_read(&conf, req, err) < 0)
		return -1;
	rc = whom_choose(&conf, req, err);
	if (rc == 0)
		rc = add_with(&conf, req, result, err);
	addrpool_conf_free(&conf);
	return rc;
}
