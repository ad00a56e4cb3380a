/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim/http.h"
#include "claim/routes.h"
#include "cni/cleanup.h"
#include "cni/file.h"
#include "ipam/lease.h"
#include "ipam/release.h"

#define LOCK_PATIENCE_S 60

int local_open(struct store *ret, const struct node *node, struct cni_error *err)
{
	return store_open(ret, &node->conf->place, true, err) == FOUND ? 0 : -1;
}

int local_lock(struct node *node, struct cni_error *err)
{
	const int flags = O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct store store;

	if (local_open(&store, node, err) < 0)
		return -1;
	node->lock = openat(store.meta, "claim.lock", flags, STORE_FILE_MODE);
	if (node->lock < 0)
		cni_fail(err, CNI_IO, "open claim.lock: %s", errno_text(errno));
	store_close(&store);
	if (node->lock < 0)
		return -1;
	if (file_lock(node->lock, LOCK_PATIENCE_S) == 0) {
		block_routes_mend(node);
		return 0;
	}
	if (errno != EINTR)
		return cni_fail(err, CNI_IO, "flock claim.lock: %s", errno_text(errno));
	return cni_fail(err, CNI_RETRY, "other processes of this node have been claiming blocks for %d s",
			LOCK_PATIENCE_S);
}

int local_note(const struct node *node, const struct claim *claim, enum block_state state,
	       struct cni_error *err)
{
	struct block block = { .prefix = claim->block, .state = state, .boot = block_boot() };
	struct store store;
	int rc;

	memcpy(block.id, claim->id, sizeof(block.id));
	memcpy(block.version, claim->version, sizeof(block.version));
	if (state == BLOCK_OWNED)
		block_route_add(node, &claim->block);
	if (local_open(&store, node, err) < 0)
		return -1;
	rc = block_put(&store, &block, err);
	store_close(&store);
	return rc;
}

int local_forget(const struct node *node, const struct prefix *block, struct cni_error *err)
{
	struct store store;
	int rc;

	if (block_route_delete(block, err) < 0 || local_open(&store, node, err) < 0)
		return -1;
	rc = block_drop(&store, block, err);
	store_close(&store);
	return rc;
}

static bool local_is_of_blocks(const struct conf *conf, const struct ip *ip)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (!conf->pools[i].identities && pool_range(&conf->pools[i], ip))
			return true;
	return false;
}

/* Notes the block of an address. Reads the blocks again. */
static int local_note_block_of(const struct node *node, struct store *store, const struct ip *ip,
			       struct blocks *blocks, struct cni_error *err)
{
	struct block block = {
		.prefix = block_of(ip, node->conf->cluster.block_bits),
		.state = BLOCK_CLAIMING,
		.boot = block_boot(),
	};

	if (block_put(store, &block, err) < 0)
		return -1;
	blocks_free(blocks);
	return blocks_read(blocks, store, err);
}

/* Was the lease made in this boot? */
static bool local_is_recent(const struct store *store, const struct lease *lease)
{
	struct origin origin;

	return origin_of(&origin, store, lease, NULL) == 0 && !strcmp(origin.boot.id, store->boot.id);
}

/* The network has leases of before it had "cluster": notes their blocks. The next comparison with the engine
 * claims these, before another node assigns the same addresses. recent: only of leases of this boot. A block
 * of dead pods, of which another node assigns addresses, would be noted again until GC has released their
 * leases. */
static int local_note_leases(const struct node *node, struct store *store, struct blocks *blocks, bool recent,
			     struct cni_error *err)
{
	struct leases leases;
	int rc = leases_read(&leases, store, err);

	for (size_t i = 0; rc == 0 && i < leases.n; i++) {
		const struct ip *ip = &leases.list[i].ip;

		if (local_is_of_blocks(node->conf, ip) && !blocks_find(blocks, ip) &&
		    (!recent || local_is_recent(store, &leases.list[i])))
			rc = local_note_block_of(node, store, ip, blocks, err);
	}
	leases_free(&leases);
	return rc;
}

int local_read(struct node *node, struct blocks *blocks, struct cni_error *err)
{
	struct incarnation incarnation;
	struct store store;
	int rc;

	*blocks = (struct blocks){ 0 };
	if (local_open(&store, node, err) < 0)
		return -1;
	rc = incarnation_make(&incarnation, &store, err);
	if (rc == 0)
		rc = blocks_read(blocks, &store, err);
	/* without blocks, the network may have had no "cluster" for a time */
	if (rc == 0 && (node->report || !blocks->n || !blocks_have_boots(&store)))
		rc = local_note_leases(node, &store, blocks, !node->report && blocks_have_boots(&store), err);
	if (rc == 0)
		blocks_keep_boot(&store, node->self.boot, BOOT_OWN);
	store_close(&store);
	memcpy(node->self.incarnation, incarnation.s, sizeof(incarnation.s));
	return rc;
}

enum whose_boot local_whose_boot(const struct node *node, const char *boot)
{
	enum whose_boot whose;
	struct store store;

	if (local_open(&store, node, NULL) < 0)
		return BOOT_UNKNOWN;
	whose = blocks_whose_boot(&store, boot);
	store_close(&store);
	return whose;
}

void local_take_over_boot(const struct node *node, const char *boot)
{
	struct store store;

	if (local_open(&store, node, NULL) < 0)
		return;
	blocks_keep_boot(&store, boot, BOOT_TAKEN_OVER);
	store_close(&store);
}

/* FOUND: *lease is the first lease of an address of the block. */
static enum found local_find_lease(const struct store *store, const struct prefix *block,
				   struct lease_text *lease, struct cni_error *err)
{
	struct leases leases;
	enum found found = leases_read(&leases, store, err) < 0 ? FOUND_FAILED : FOUND_NOT;

	for (size_t i = 0; found == FOUND_NOT && i < leases.n; i++)
		if (prefix_contains(block, &leases.list[i].ip)) {
			snprintf(lease->container, sizeof(lease->container), "%s",
				 leases.list[i].owner.container);
			lease->ip = leases.list[i].ip;
			found = FOUND;
		}
	leases_free(&leases);
	return found;
}

enum found local_leases(const struct node *node, const struct prefix *block, struct cni_error *err)
{
	struct lease_text lease;
	struct store store;
	enum found found;

	if (local_open(&store, node, err) < 0)
		return FOUND_FAILED;
	found = local_find_lease(&store, block, &lease, err);
	store_close(&store);
	return found;
}

static bool local_is_of_block(void *block, const struct lease *lease)
{
	return prefix_contains(block, &lease->ip);
}

enum found local_pods(const struct node *node, const struct prefix *block, struct cni_error *err)
{
	struct prefix copy = *block;
	enum found found = FOUND_NOT;
	struct states states;

	if (states_find(&states, &node->conf->place, local_is_of_block, &copy, err) < 0)
		found = FOUND_FAILED;
	for (size_t i = 0; found == FOUND_NOT && i < states.leases.n; i++)
		if (!why_dead(states.states[i]))
			found = FOUND;
	states_free(&states);
	return found;
}

static enum found local_exceeds_leases(const struct node *node, const struct pool *pool,
				       struct cni_error *err)
{
	uint64_t left = pool_size(pool);
	struct leases leases;
	struct store store;
	int rc;

	if (local_open(&store, node, err) < 0)
		return FOUND_FAILED;
	rc = leases_read(&leases, &store, err);
	for (size_t i = 0; rc == 0 && i < leases.n; i++)
		left -= left && pool_may_give(pool, &leases.list[i].ip);
	leases_free(&leases);
	store_close(&store);
	return rc < 0 ? FOUND_FAILED : left ? FOUND : FOUND_NOT;
}

enum found local_has_free(const struct node *node, const struct pool *pool, const struct blocks *blocks,
			  struct cni_error *err)
{
	autofree struct prefix *own = calloc(blocks->n + 1, sizeof(*own));
	struct pool narrow;
	enum found found;
	size_t n = 0;

	if (!own)
		return (enum found)cni_fail(err, CNI_RETRY, "out of memory");
	for (size_t i = 0; i < blocks->n; i++)
		if (block_counts(&blocks->list[i]))
			own[n++] = blocks->list[i].prefix;
	if (pool_narrow(&narrow, pool, own, n, err) < 0)
		return FOUND_FAILED;
	found = local_exceeds_leases(node, &narrow, err);
	pool_free(&narrow);
	return found;
}

static int local_note_returning(const struct store *store, const struct claims *claims, struct cni_error *err)
{
	struct blocks blocks;
	int rc = blocks_read(&blocks, store, err);

	for (size_t i = 0; rc == 0 && i < blocks.n; i++)
		if (claims_find(claims, &blocks.list[i].prefix)) {
			blocks.list[i].state = BLOCK_RETURNING;
			rc = block_put(store, &blocks.list[i], err);
		}
	blocks_free(&blocks);
	return rc;
}

enum found local_return(const struct node *node, const struct claims *claims, struct lease_text *lease,
			struct cni_error *err)
{
	enum found found = FOUND_NOT;
	struct store store;

	if (local_open(&store, node, err) < 0)
		return FOUND_FAILED;
	for (size_t i = 0; found == FOUND_NOT && i < claims->n; i++)
		found = local_find_lease(&store, &claims->list[i].block, lease, err);
	if (found == FOUND_NOT && local_note_returning(&store, claims, err) < 0)
		found = FOUND_FAILED;
	store_close(&store);
	return found == FOUND ? FOUND_NOT : found == FOUND_NOT ? FOUND : found;
}

static void local_happened_at(const struct node *node, enum block_event event, long long at_ms,
			      const struct cni_error *error)
{
	struct store store;

	if (local_open(&store, node, NULL) < 0)
		return;
	blocks_note(&store, event, at_ms, error);
	store_close(&store);
}

void local_happened(const struct node *node, enum block_event event, const struct cni_error *error)
{
	local_happened_at(node, event, block_now_ms(), error);
}

void local_counted(const struct node *node, size_t n)
{
	const struct cni_error number = { .code = (int)n, .msg = "-" };

	local_happened_at(node, BLOCKS_COUNTED, node->asked_ms, &number);
}

void local_over(const struct node *node, enum block_event event)
{
	struct store store;

	if (local_open(&store, node, NULL) < 0)
		return;
	blocks_unnote(&store, event);
	store_close(&store);
}

enum found local_noted(const struct node *node, enum block_event event, struct block_note *ret,
		       struct cni_error *err)
{
	struct store store;
	enum found found;

	if (local_open(&store, node, err) < 0)
		return FOUND_FAILED;
	found = blocks_noted(ret, &store, event);
	store_close(&store);
	return found;
}

bool local_noted_within(const struct node *node, enum block_event event, long long ms)
{
	struct store store;
	bool within;

	if (local_open(&store, node, NULL) < 0)
		return false;
	within = blocks_noted_within(&store, event, ms);
	store_close(&store);
	return within;
}

bool local_must_be_counted(const struct node *node)
{
	struct store store;
	bool must;

	if (local_open(&store, node, NULL) < 0)
		return true;
	must = blocks_must_be_counted(&store);
	store_close(&store);
	return must;
}

enum found local_noted_exhausted(const struct node *node, const struct pool *pool, struct block_note *ret,
				 struct cni_error *err)
{
	struct store store;
	enum found found;

	if (local_open(&store, node, err) < 0)
		return FOUND_FAILED;
	found = blocks_noted_exhausted(ret, &store, pool);
	store_close(&store);
	return found;
}

void local_exhausted(const struct node *node, const struct pool *pool, const struct cni_error *error)
{
	struct store store;

	if (local_open(&store, node, NULL) < 0)
		return;
	blocks_note_exhausted(&store, pool, error);
	store_close(&store);
}

void local_listed(const struct node *node, const struct pool *pool)
{
	struct store store;

	if (local_open(&store, node, NULL) < 0)
		return;
	blocks_note_listed(&store, pool);
	store_close(&store);
}

bool local_may_list(const struct node *node, const struct pool *pool)
{
	struct store store;
	bool may;

	if (local_open(&store, node, NULL) < 0)
		return true;
	may = blocks_may_be_listed(&store, pool);
	store_close(&store);
	return may;
}

void local_forget_list(const struct node *node, const struct pool *pool)
{
	struct store store;

	if (local_open(&store, node, NULL) < 0)
		return;
	blocks_unnote_listed(&store, pool);
	store_close(&store);
}

void local_begin_with(const struct node *node)
{
	struct endpoint last = { .s = "" };
	struct store store;

	if (node->engine->http->n > 1 && local_open(&store, node, NULL) == 0) {
		last = blocks_endpoint(&store);
		store_close(&store);
	}
	http_begin_with(node->engine->http, last.s, node->self.node);
}

void local_keep_endpoint(const struct node *node)
{
	struct store store;

	if (node->engine->http->n < 2 || local_open(&store, node, NULL) < 0)
		return;
	blocks_set_endpoint(&store, http_endpoint(node->engine->http));
	store_close(&store);
}
