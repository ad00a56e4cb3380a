/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/claim.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "claim/agree.h"
#include "claim/candidates.h"
#include "claim/http.h"
#include "claim/identity.h"
#include "claim/local.h"

#define CONFIRM_MS 2000
#define EXHAUSTED_MS 5000
#define JUST_MS 2000 /* a claim that follows a count so soon does not pay for another one */
#define SIGN_MS 3600000
#define BUSY_FEW 2 /* so many claims in turn that a busy engine did not answer have no pause between them */
#define BUSY_MS 20000 /* the longest pause after one more, doubled with each */
#define BUSY_MAX_MS 300000

#define CONFLICTS 4   /* after so many free candidates that others took meanwhile, another look is cheaper */
#define DIFFERENCES 3 /* how often engine and store may differ in one call */
#define LOOKS_FEW 2   /* at a large pool that is known to be full */

struct search {
	struct node *node;
	const struct pool *pool;
	size_t before;
	const struct ip *wanted;
	bool agreed;	/* engine and store agree: the engine need not count the blocks */
	bool exhausted; /* the engine has answered that no block is free */
	int differences;
	int looks;  /* looks without a free candidate before all blocks are listed */
	bool large; /* listing all blocks is expensive */
	bool full;  /* they were listed lately, and none was free: they are not listed again */
};

/* Of many ADDs that wait for a block, the first ones may have taken all addresses of one that was claimed
 * meanwhile. */
static enum found claim_has_enough(const struct search *search, const struct blocks *blocks,
				   struct cni_error *err)
{
	const struct block *block = search->wanted->family ? blocks_find(blocks, search->wanted) : NULL;

	if (search->wanted->family)
		return block && block_counts(block) ? FOUND : FOUND_NOT;
	if (blocks_of_pool(blocks, search->pool) <= search->before)
		return FOUND_NOT;
	return local_has_free(search->node, search->pool, blocks, err);
}

int claim_check_block_size(const struct node *node, long long there, struct cni_error *err)
{
	const struct cluster *cluster = &node->conf->cluster;
	const long long size = 1LL << cluster->block_bits;

	if (!there) {
		there = size;
		if (node->engine->kind->begin(node->engine, &there, err) == FOUND_FAILED)
			return -1;
	}
	if (there == size)
		return 0;
	if (!there) {
		cni_fail(err, CNI_CONFIG, "the engine's record of pool %s has no block size", cluster->pool);
		return cni_hint(err,
				"write it again: etcd's key <prefix>/%s/pool is {\"blockSize\": %lld}, "
				"the Lease %s-pool has the annotation ipvlan-cni/block-size",
				cluster->pool, size, cluster->pool);
	}
	cni_fail(err, CNI_CONFIG, "ipam.cluster.blockSize is %lld here, but pool %s has blocks of %lld", size,
		 cluster->pool, there);
	return cni_hint(
		err,
		"all nodes must have the same; to change it: when ipvlanctl pools %s lists no block, delete "
		"the pool's record, which is etcd's key <prefix>/%s/pool, or the Lease %s-pool",
		node->conf->place.network, cluster->pool, cluster->pool);
}

static int claim_no_block(struct search *search, const struct claim *there, struct cni_error *err)
{
	const struct cluster *cluster = &search->node->conf->cluster;
	struct prefix block;

	search->exhausted = true;
	if (search->wanted->family) {
		block = block_of(search->wanted, cluster->block_bits);
		return cni_fail(err, CNI_CONFLICT,
				"requested ip %s lies in block %s, which belongs to node %s",
				ip_text(search->wanted).s, prefix_text(&block).s,
				*there->node ? there->node : "?");
	}
	cni_fail(err, CNI_RETRY, "no block of pool %s is free: %s", cluster->pool, pool_text(search->pool).s);
	return cni_hint(err,
			"ipvlanctl pools %s lists which node has which; ipvlanctl pools release-node takes "
			"those of nodes that are gone; if all are in use, make the range larger",
			search->node->conf->place.network);
}

/* Claims the first free candidate. Also asks for a wanted block that is taken, to learn its node. FOUND_NOT:
 * none could be claimed; *there is the claim of the last one, and *all is false if another look may find one.
 */
static enum found claim_any(struct search *search, const struct candidate *candidates, size_t n,
			    struct claim *there, bool *all, struct cni_error *err)
{
	enum found found = FOUND_NOT;

	for (size_t i = 0, tries = 0; found == FOUND_NOT && i < n && tries < CONFLICTS; i++)
		if (!candidates[i].taken || search->wanted->family) {
			found = claim_block(search->node, &candidates[i].block, there, err);
			*all &= search->wanted->family != 0;
			tries++;
		}
	return found;
}

/* The engine has other blocks of this node than the store: makes them agree. FOUND_NOT: try again. */
static enum found claim_differ(struct search *search, struct cni_error *err)
{
	search->agreed = true;
	if (search->differences++ == DIFFERENCES)
		return cni_fail(err, CNI_RETRY, "the claims of node %s are changed by somebody else",
				search->node->self.node);
	return agree(search->node, err) < 0 ? FOUND_FAILED : FOUND_NOT;
}

/* A look at these blocks; once an hour it leaves a sign of life. */
static struct look claim_look_at(const struct node *node, const struct blocks *blocks)
{
	return (struct look){ .own = blocks,
			      .sign = blocks && blocks->n &&
				      !local_noted_within(node, BLOCKS_SIGNED, SIGN_MS) };
}

static int claim_ask(struct node *node, struct look *look, struct cni_error *err)
{
	node->asked_ms = block_now_ms();
	return node->engine->kind->look(node->engine, &node->self, look, err);
}

/* Notes that the engine has the node's blocks. */
static void claim_keep_look(const struct node *node, const struct look *look)
{
	local_counted(node, look->own->n);
	if (look->sign)
		local_happened(node, BLOCKS_SIGNED, NULL);
}

/* Claims a block of the slice that has most free ones. FOUND_NOT: none could be claimed. */
static enum found claim_in_slice(struct search *search, const struct look *look, const struct blocks *blocks,
				 struct claim *there, bool *all, struct cni_error *err)
{
	const struct slice *slice = slices_best(look->slices, look->n_slices);
	struct engine *engine = search->node->engine;
	struct candidate candidates[SLICE_MAX];

	if (!slice)
		return FOUND_NOT;
	if (engine->kind->look_into(engine, slice, candidates, err) < 0)
		return FOUND_FAILED;
	for (size_t i = 0; i < slice->n; i++)
		candidates[i].taken |= blocks_find(blocks, &candidates[i].block.ip) != NULL;
	return claim_any(search, candidates, slice->n, there, all, err);
}

static uint64_t claim_random(void)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint64_t)block_now_ms();
	return random;
}

/* Chooses what to look at: the wanted block; or some of the pool, *all if these are all. */
static void claim_choose(const struct search *search, const struct blocks *blocks, int attempt,
			 struct look *look, bool *all)
{
	const struct engine_kind *kind = search->node->engine->kind;
	const struct amounts *amounts = attempt ? &kind->later : &kind->first;
	const unsigned int bits = search->node->conf->cluster.block_bits;
	const char *name = search->node->self.node;
	const uint64_t random = attempt ? claim_random() : 0;

	*all = search->wanted->family;
	if (*all) {
		look->candidates[look->n++] = (struct candidate){ .block = block_of(search->wanted, bits) };
		return;
	}
	look->n = candidates_choose(look->candidates, amounts->candidates, search->pool, bits, name, random,
				    blocks, all);
	if (*all)
		return;
	look->n_slices = amounts->slices;
	slices_choose(look->slices, look->n_slices, search->pool, bits, name, random);
}

/* Looks at some candidates, and claims one. FOUND_NOT: none; *all: since no block is free. */
static enum found claim_try_candidates(struct search *search, const struct blocks *blocks, int attempt,
				       bool *all, struct claim *there, struct cni_error *err)
{
	struct candidate candidates[CANDIDATES_MAX];
	struct slice slices[SLICES_MAX];
	struct look look = claim_look_at(search->node, search->agreed ? NULL : blocks);
	enum found found;
	int rc;

	look.candidates = candidates;
	look.slices = slices;
	claim_choose(search, blocks, attempt, &look, all);
	rc = claim_ask(search->node, &look, err);
	/* a busy API server may answer the comparison alone: the next call goes on from there */
	if (look.own && look.same)
		claim_keep_look(search->node, &look);
	if (rc < 0)
		return FOUND_FAILED;
	if (look.own && !look.same) {
		*all = false;
		return claim_differ(search, err);
	}
	search->agreed = true;
	if (claim_check_block_size(search->node, look.block_size, err) < 0)
		return FOUND_FAILED;
	found = claim_any(search, candidates, look.n, there, all, err);
	return found == FOUND_NOT ? claim_in_slice(search, &look, blocks, there, all, err) : found;
}

/* Lists all blocks of the pool, and claims the first free one. Does not list those of a large pool again and
 * again: each call still looks at some. */
static enum found claim_try_all(struct search *search, const struct blocks *blocks, struct cni_error *err)
{
	struct node *node = search->node;
	struct claim there = { .node = "" };
	enum found found = FOUND_NOT;
	struct taken taken;
	struct prefix block;

	if (search->full)
		return (enum found)claim_no_block(search, &there, err);
	if (node->engine->kind->list_blocks(node->engine, &taken, err) < 0)
		return FOUND_FAILED;
	while (found == FOUND_NOT) {
		if (candidates_find(&block, search->pool, node->conf->cluster.block_bits, node->self.node,
				    blocks, &taken) == FOUND) {
			found = claim_block(node, &block, &there, err);
		} else {
			found = (enum found)claim_no_block(search, &there, err);
			if (search->large)
				local_listed(node, search->pool);
		}
		if (found == FOUND_NOT && taken_add(&taken, &block, err) < 0)
			found = FOUND_FAILED;
	}
	taken_free(&taken);
	return found;
}

/* One attempt. FOUND: the pool has enough blocks. */
static enum found claim_try(struct search *search, int attempt, struct cni_error *err)
{
	struct claim there = { .node = "" };
	struct blocks blocks;
	enum found found = FOUND_FAILED;
	bool all = false;

	if (local_read(search->node, &blocks, err) == 0)
		found = claim_has_enough(search, &blocks, err);
	if (found == FOUND_NOT)
		found = attempt < search->looks
				? claim_try_candidates(search, &blocks, attempt, &all, &there, err)
				: claim_try_all(search, &blocks, err);
	if (found == FOUND_NOT && all && claim_no_block(search, &there, err) < 0)
		found = FOUND_FAILED;
	blocks_free(&blocks);
	return found;
}

/*
 * Need the engine not count the blocks before this claim? It has just counted them, in this ADD or in another
 * one; or within the minute for the last claim, which failed after that: if each call counted again, a busy
 * API server would have time for no more than the counts. Not for a store that has lost blocks since.
 */
static bool claim_is_counted(const struct node *node, const struct blocks *blocks)
{
	struct block_note count, other;
	long long age;

	if (!node->engine->kind->compares_apart || local_noted(node, BLOCKS_REFUSED, &other, NULL) == FOUND ||
	    local_noted(node, BLOCKS_COUNTED, &count, NULL) != FOUND || (int)blocks->n < count.error.code)
		return false;
	age = block_now_ms() - count.at_ms;
	if (blocks->n && age < JUST_MS)
		return true;
	return local_noted(node, BLOCKS_FAILED, &other, NULL) == FOUND && other.at_ms > count.at_ms &&
	       age < BLOCKS_COUNTED_MS;
}

static int claim_search_block(struct search *search, struct cni_error *err)
{
	enum found found = FOUND_NOT;
	struct blocks blocks;
	int rc = local_read(search->node, &blocks, err);

	if (rc == 0 && must_agree(&blocks)) {
		rc = agree(search->node, err);
		search->agreed = true;
	} else if (rc == 0) {
		search->agreed = claim_is_counted(search->node, &blocks);
	}
	blocks_free(&blocks);
	for (int attempt = 0; rc == 0 && found == FOUND_NOT; attempt++)
		found = claim_try(search, attempt - search->differences, err);
	return found == FOUND ? 0 : -1;
}

/* Fails with the note if it is not older than that. */
static enum found claim_repeat(enum found found, const struct block_note *note, long long since,
			       struct cni_error *err)
{
	if (found != FOUND || note->at_ms < since)
		return found == FOUND_FAILED ? found : FOUND_NOT;
	return (enum found)cni_fail_as(err, &note->error);
}

/* FOUND_FAILED: another process has noted this event since then, so this one need not ask the engine. */
enum found claim_was_told(const struct node *node, enum block_event event, long long since,
			  struct cni_error *err)
{
	struct block_note note;
	enum found found = local_noted(node, event, &note, err);

	return claim_repeat(found, &note, since, err);
}

static enum found claim_was_exhausted(const struct node *node, const struct pool *pool, struct cni_error *err)
{
	struct block_note note;
	enum found found = local_noted_exhausted(node, pool, &note, err);

	return claim_repeat(found, &note, block_now_ms() - EXHAUSTED_MS, err);
}

/*
 * A busy engine answers some of the nodes that claim at the same moment. If the others repeat their claims at
 * once, it works for requests whose senders have given up. So a node whose claims it did not answer pauses
 * for a random time, which grows with each such claim.
 */
static void claim_keep_busy(const struct node *node)
{
	struct cni_error pause = { .code = 1, .msg = "0" };
	struct block_note before;
	unsigned int most = BUSY_MS;

	if (local_noted(node, BLOCKS_BUSY, &before, NULL) == FOUND)
		pause.code = before.error.code + 1;
	for (int i = BUSY_FEW + 1; i < pause.code && most < BUSY_MAX_MS; i++)
		most *= 2;
	if (pause.code > BUSY_FEW)
		snprintf(pause.msg, sizeof(pause.msg), "%" PRIu64,
			 claim_random() % (most < BUSY_MAX_MS ? most : BUSY_MAX_MS));
	local_happened(node, BLOCKS_BUSY, &pause);
}

/* FOUND_FAILED: the pause has not ended. */
static enum found claim_pauses(const struct node *node, struct cni_error *err)
{
	struct block_note busy;
	long long left;

	if (local_noted(node, BLOCKS_BUSY, &busy, NULL) != FOUND)
		return FOUND_NOT;
	left = busy.at_ms + strtoll(busy.error.msg, NULL, 10) - block_now_ms();
	if (left <= 0)
		return FOUND_NOT;
	cni_fail(err, CNI_RETRY,
		 "%s %s was too busy for the last %d claims of this node, which asks again in %lld s",
		 node->engine->http->what, http_endpoint(node->engine->http), busy.error.code,
		 (left + 999) / 1000);
	return (enum found)cni_hint(err,
				    "the runtime repeats the ADD; if this goes on, the service requires more "
				    "processors, or the pool a larger blockSize");
}

/* Notes the success for later calls. agreed: the engine has the node's blocks. */
void claim_keep_success(const struct node *node, bool agreed)
{
	local_over(node, BLOCKS_FAILED);
	local_over(node, BLOCKS_KEPT);
	local_over(node, BLOCKS_UNCOUNTED);
	local_over(node, BLOCKS_BUSY);
	if (agreed)
		local_over(node, BLOCKS_REFUSED);
}

/* Notes the failure for later calls: as the event, or as a refusal, which holds until the engine has the
 * node's blocks. */
void claim_keep_failure(const struct node *node, enum block_event event, const struct cni_error *why)
{
	local_happened(node, node->refused ? BLOCKS_REFUSED : event, why);
}

int claim_more(struct node *node, size_t n, size_t before, const struct ip *wanted, struct cni_error *err)
{
	struct search search = {
		.node = node,
		.pool = &node->conf->pools[n],
		.before = before,
		.wanted = wanted,
		.looks = candidates_looks(&node->conf->pools[n], node->conf->cluster.block_bits),
	};
	const long long start = block_now_ms();
	struct cni_error why = { 0 };
	int rc;

	if (local_lock(node, err) < 0 || claim_was_told(node, BLOCKS_FAILED, start, err) != FOUND_NOT)
		return -1;
	if (claim_pauses(node, err) != FOUND_NOT)
		return -1;
	if (!wanted->family && claim_was_exhausted(node, search.pool, err) != FOUND_NOT)
		return -1;
	search.large = search.looks == LOOKS_MAX;
	search.full = search.large && !wanted->family && !local_may_list(node, search.pool);
	if (search.full)
		search.looks = LOOKS_FEW;
	local_begin_with(node);
	engine_begin(node->engine, LLONG_MAX);
	rc = claim_search_block(&search, &why);
	local_keep_endpoint(node);
	if (rc == 0 || search.exhausted)
		claim_keep_success(node, search.agreed);
	else if (node->refused || why.code == CNI_RETRY || node->engine->http->silent)
		claim_keep_failure(node, BLOCKS_FAILED, &why);
	if (rc < 0 && node->engine->http->silent && node->engine->http->busy)
		claim_keep_busy(node);
	if (rc == 0) {
		local_happened(node, BLOCKS_SIGNED, NULL); /* a claim contains the time */
		if (search.large)
			local_forget_list(node, search.pool);
		return 0;
	}
	if (search.exhausted && !wanted->family)
		local_exhausted(node, search.pool, &why);
	return cni_fail_as(err, &why);
}

/* agree() leaves no sign of life, and a node that has lost a block of running pods always agrees: counts its
 * other blocks once an hour, which leaves one. Ignores errors. */
static void claim_sign(struct node *node)
{
	struct cni_error why = { 0 };
	struct look look;
	struct blocks blocks;
	size_t n = 0;

	if (local_noted_within(node, BLOCKS_SIGNED, SIGN_MS))
		return;
	if (local_read(node, &blocks, &why) == 0 && must_agree(&blocks)) {
		for (size_t i = 0; i < blocks.n; i++)
			if (block_counts(&blocks.list[i]))
				blocks.list[n++] = blocks.list[i];
		blocks.n = n;
		look = claim_look_at(node, &blocks);
		if (n && claim_ask(node, &look, &why) == 0 && look.same)
			claim_keep_look(node, &look);
	}
	blocks_free(&blocks);
}

static int claim_agree(struct node *node, struct cni_error *err)
{
	if (agree(node, err) < 0)
		return -1;
	claim_sign(node);
	return 0;
}

static int claim_count_or_agree(struct node *node, const struct blocks *blocks, struct cni_error *err)
{
	struct look look = claim_look_at(node, blocks);

	if (must_agree(blocks))
		return claim_agree(node, err);
	if (claim_ask(node, &look, err) < 0)
		return -1;
	if (!look.same)
		return claim_agree(node, err);
	claim_keep_look(node, &look);
	return 0;
}

/* An earlier refusal stays valid if the engine does not answer now, or refuses the request. */
static int claim_still_refused(const struct node *node, const struct cni_error *why, struct cni_error *err)
{
	struct block_note note;

	if (local_noted(node, BLOCKS_REFUSED, &note, NULL) != FOUND)
		return cni_fail(err, CNI_RETRY, "%s", why->msg);
	cni_fail(err, CNI_CONFIG, "%s", note.error.msg);
	return cni_hint(err, "%s",
			node->refused ? why->details : "the engine said so, and does not answer now");
}

int claim_confirm(struct node *node, bool now, struct cni_error *err)
{
	const long long start = block_now_ms();
	struct cni_error why = { 0 };
	struct blocks blocks;
	int rc;

	if (local_lock(node, err) < 0)
		return -1;
	if (!now && !local_must_be_counted(node))
		return 0;
	if (claim_was_told(node, BLOCKS_FAILED, start, &why) != FOUND_NOT ||
	    claim_was_told(node, BLOCKS_UNCOUNTED, start, &why) != FOUND_NOT)
		return claim_still_refused(node, &why, err);
	local_begin_with(node);
	engine_begin(node->engine, now ? LLONG_MAX : CONFIRM_MS);
	/* time for another endpoint, if one hangs or its name is not resolved */
	if (!now && node->engine->http->n > 1) {
		node->engine->http->try_ms = CONFIRM_MS / 2;
		node->engine->http->resolve_ms =
			CONFIRM_MS * 5 / 8; /* the next name server is asked after a second */
	}
	rc = local_read(node, &blocks, &why);
	if (rc == 0)
		rc = claim_count_or_agree(node, &blocks, &why);
	blocks_free(&blocks);
	local_keep_endpoint(node);
	if (rc == 0) {
		claim_keep_success(node, true);
		return 0;
	}
	claim_keep_failure(node, BLOCKS_UNCOUNTED, &why);
	return claim_still_refused(node, &why, err);
}

/* Notes superfluous blocks as returning. From then on addrpool assigns no address of them. */
static int claim_mark_returning(struct node *node, struct blocks *blocks, struct cni_error *err)
{
	const struct conf *conf = node->conf;
	const struct spares spares = { conf->pools, conf->n_pools, conf->place.reuse_delay };
	struct store store;
	int rc;

	*blocks = (struct blocks){ 0 };
	if (store_open(&store, &node->conf->place, true, err) != FOUND)
		return -1;
	rc = blocks_read(blocks, &store, err);
	if (rc == 0)
		rc = blocks_superfluous(blocks, &store, &spares, err);
	for (size_t i = 0; rc >= 0 && i < blocks->n; i++) {
		struct block *block = &blocks->list[i];

		if (!block->superfluous)
			continue;
		block->state = BLOCK_RETURNING;
		rc = block_put(&store, block, err);
	}
	store_close(&store);
	return rc < 0 ? -1 : 0;
}

static int claim_return_blocks(struct node *node, bool agreed, struct cni_error *err)
{
	struct blocks blocks = { 0 };
	int rc = agreed ? agree(node, err) : 0;

	if (rc == 0)
		rc = claim_mark_returning(node, &blocks, err);
	for (size_t i = 0; rc == 0 && i < blocks.n; i++)
		if (blocks.list[i].state == BLOCK_RETURNING)
			rc = remove_block(node, &blocks.list[i], err);
	blocks_free(&blocks);
	return rc;
}

/* kept: why an identity could not be returned. That does not keep the blocks, and blocks do not keep
 * identities, unless the engine does not answer. */
static int claim_return_all(struct node *node, bool all, struct cni_error *kept, struct cni_error *err)
{
	struct blocks blocks;
	bool agreed;
	int rc = local_read(node, &blocks, err);

	agreed = rc == 0 && must_agree(&blocks);
	blocks_free(&blocks);
	if (rc < 0)
		return -1; /* without the incarnation no holder is known to be ours */
	rc = claim_return_blocks(node, agreed, err);
	if (rc < 0 && node->engine->http->silent)
		return -1;
	engine_go_on(node->engine);
	if (identity_return(node, all, kept) < 0 && node->engine->http->silent && rc == 0)
		rc = cni_fail_as(err, kept);
	if (rc == 0)
		claim_keep_success(node, agreed);
	return rc;
}

int claim_return(struct node *node, bool all, struct cni_error *err)
{
	const long long start = block_now_ms();
	struct cni_error kept = { 0 };
	int rc;

	if (local_lock(node, err) < 0 || claim_was_told(node, BLOCKS_FAILED, start, err) != FOUND_NOT ||
	    claim_was_told(node, BLOCKS_KEPT, start, err) != FOUND_NOT)
		return -1;
	local_begin_with(node);
	if (node->report)
		engine_begin_for_people(node->engine);
	else
		engine_begin(node->engine, LLONG_MAX);
	rc = claim_return_all(node, all, &kept, err);
	local_keep_endpoint(node);
	if (rc == 0)
		return *kept.msg ? cni_fail_as(err, &kept) : 0;
	/* an engine that refuses answers at once, so no other call must wait for it */
	if (node->refused || node->engine->http->silent)
		claim_keep_failure(node, BLOCKS_KEPT, err);
	return -1;
}
