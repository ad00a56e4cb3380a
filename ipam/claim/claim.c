#include "claim/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "claim/pick.h"
#include "claim/routes.h"
#include "cni/cleanup.h"
#include "cni/file.h"
#include "cni/json.h"
#include "ipam/lease.h"

#define LOCK_PATIENCE_S 60
#define LISTED_MAX 6

static int open_store(struct store *ret, const struct node *node, struct cni_error *err)
{
	return store_open(ret, &node->conf->place, true, err) == FOUND ? 0 : -1;
}

/* Our turn; until the process ends. */
static int take_lock(struct node *node, struct cni_error *err)
{
	const int flags = O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct store store;

	if (open_store(&store, node, err) < 0)
		return -1;
	node->lock = openat(store.own, "claim.lock", flags, STORE_FILE_MODE);
	if (node->lock < 0)
		cni_fail(err, CNI_IO, "open claim.lock: %s", errno_text(errno));
	store_close(&store);
	if (node->lock < 0)
		return -1;
	if (file_lock(node->lock, LOCK_PATIENCE_S) == 0)
		return 0;
	if (errno != EINTR)
		return cni_fail(err, CNI_IO, "flock claim.lock: %s", errno_text(errno));
	return cni_fail(err, CNI_RETRY, "other processes of this node have been claiming blocks for %d s",
			LOCK_PATIENCE_S);
}

static struct boot short_boot(const struct claim *claim)
{
	struct boot boot;

	snprintf(boot.id, sizeof(boot.id), "%.8s", claim->boot);
	return boot;
}

/* Writes down, in a moment of its own, what has become of a block. */
static int note(const struct node *node, const struct claim *claim, enum block_state state,
		struct cni_error *err)
{
	struct block block = { .prefix = claim->block, .state = state, .boot = short_boot(&node->self) };
	struct store store;
	int rc;

	snprintf(block.id, sizeof(block.id), "%s", claim->id);
	if (open_store(&store, node, err) < 0)
		return -1;
	rc = block_put(&store, &block, err);
	store_close(&store);
	if (rc == 0 && state == BLOCK_OWNED && node->conf->cluster.block_routes)
		block_route_add(&claim->block);
	return rc;
}

static int forget(const struct node *node, const struct prefix *block, struct cni_error *err)
{
	struct store store;
	int rc;

	if (open_store(&store, node, err) < 0)
		return -1;
	rc = block_drop(&store, block, err);
	store_close(&store);
	if (node->conf->cluster.block_routes)
		block_route_delete(block);
	return rc;
}

/* The blocks that we know of, and our incarnation, which is made now if there is none. */
static int know(struct node *node, struct blocks *blocks, struct cni_error *err)
{
	struct incarnation incarnation;
	struct store store;
	int rc;

	*blocks = (struct blocks){ 0 };
	if (open_store(&store, node, err) < 0)
		return -1;
	rc = incarnation_make(&incarnation, &store, err);
	if (rc == 0)
		rc = blocks_read(blocks, &store, err);
	store_close(&store);
	memcpy(node->self.incarnation, incarnation.s, sizeof(incarnation.s));
	return rc;
}

/* Also when nobody needs it: a store that is wiped under running pods is seen by it. */
static bool is_confirmed(const struct node *node, const struct block *block)
{
	return block->state == BLOCK_OWNED && !strcmp(block->boot.id, short_boot(&node->self).id);
}

static size_t count_of_pool(const struct node *node, const struct blocks *blocks, const struct pool *pool)
{
	size_t n = 0;

	for (size_t i = 0; i < blocks->n; i++)
		n += is_confirmed(node, &blocks->list[i]) && pool_touches(pool, &blocks->list[i].prefix);
	return n;
}

static bool is_named_as_we(const struct node *node, const struct claim *claim)
{
	return !strcmp(claim->node, node->self.node) && !strcmp(claim->network, node->self.network);
}

/*
 * A claim under our name, that another incarnation made. If the machine is the same
 * and was restarted since, no pod has an address of it any more. Otherwise pods may:
 * ours, if the leases were lost while they ran, or another machine's.
 */
static int check_heir(const struct node *node, const struct claim *claim, struct cni_error *err)
{
	const char *name = node->self.node;

	if (!strcmp(claim->boot, node->self.boot)) {
		cni_fail(err, CNI_CONFIG,
			 "%s/%s has lost its leases, and pods of this boot may have addresses of %s, which "
			 "belongs to node %s",
			 node->conf->place.data_dir, node->conf->place.network, prefix_text(&claim->block).s,
			 name);
		return cni_hint(err,
				"restart the machine; or, when no pod of the network runs here: addrpool "
				"release-node %s FILE",
				name);
	}
	if (*claim->machine && !strcmp(claim->machine, node->self.machine))
		return 0;
	cni_fail(err, CNI_CONFIG, "%s belongs to a node called %s as well, which is another machine (%s)",
		 prefix_text(&claim->block).s, name, *claim->machine ? claim->machine : "unknown");
	return cni_hint(
		err,
		"give each node a name of its own (ipam.cluster.node); or, when that machine is gone for "
		"good: addrpool release-node %s FILE",
		name);
}

/* Takes a claim of ours as it is in the engine, and brings it up to date there. */
static int adopt(const struct node *node, const struct claim *claim, struct cni_error *err)
{
	struct claim fresh = *claim;
	bool ours = claim_is_same_owner(claim, &node->self);

	if (!ours && check_heir(node, claim, err) < 0)
		return -1;
	if (!ours || strcmp(claim->boot, node->self.boot) != 0) {
		memcpy(fresh.boot, node->self.boot, sizeof(fresh.boot));
		memcpy(fresh.machine, node->self.machine, sizeof(fresh.machine));
		memcpy(fresh.incarnation, node->self.incarnation, sizeof(fresh.incarnation));
		switch (node->engine->kind->update(node->engine, &fresh, err)) {
		case FOUND:
			break;
		case FOUND_NOT:
			return cni_fail(err, CNI_RETRY, "%s was changed by somebody else just now",
					prefix_text(&claim->block).s);
		default:
			return -1;
		}
	}
	return note(node, &fresh, BLOCK_OWNED, err);
}

static int remove_claim(const struct node *node, const struct claim *claim, struct cni_error *err)
{
	if (node->engine->kind->remove(node->engine, claim, err) == FOUND_FAILED)
		return -1;
	return forget(node, &claim->block, err);
}

static const struct claim *find_claim(const struct claims *claims, const struct prefix *block)
{
	for (size_t i = 0; i < claims->n; i++)
		if (prefix_equal(&claims->list[i].block, block))
			return &claims->list[i];
	return NULL;
}

/* Blocks that we thought ours: somebody has taken them, or they were never ours. */
static int drop_lost(const struct node *node, const struct blocks *blocks, const struct claims *claims,
		     struct cni_error *err)
{
	for (size_t i = 0; i < blocks->n; i++) {
		const struct block *block = &blocks->list[i];
		const struct claim *claim = find_claim(claims, &block->prefix);

		if (claim && claim_is_same_owner(claim, &node->self))
			continue;
		if (block->state == BLOCK_OWNED)
			cni_log("network %s: block %s does not belong to node %s any more, but to %s",
				node->self.network, prefix_text(&block->prefix).s, node->self.node,
				claim ? claim->node : "nobody");
		if (forget(node, &block->prefix, err) < 0)
			return -1;
	}
	return 0;
}

static const struct block *find_block(const struct blocks *blocks, const struct prefix *prefix)
{
	for (size_t i = 0; i < blocks->n; i++)
		if (prefix_equal(&blocks->list[i].prefix, prefix))
			return &blocks->list[i];
	return NULL;
}

static int check_block_size(struct node *node, const struct claims *claims, struct cni_error *err)
{
	const struct cluster *cluster = &node->conf->cluster;
	const long long size = 1LL << cluster->block_bits;

	if (claims->block_size == size)
		return 0;
	cni_fail(err, CNI_CONFIG, "ipam.cluster.blockSize is %lld here, but pool %s has blocks of %lld", size,
		 cluster->pool, claims->block_size);
	return cni_hint(err,
			"all nodes must have the same; a pool of another name (ipam.cluster.pool) may have "
			"another");
}

/* The claims of all, of a pool that has been begun. */
static int list_pool(struct node *node, struct claims *ret, struct cni_error *err)
{
	const long long size = 1LL << node->conf->cluster.block_bits;

	for (;;) {
		if (node->engine->kind->list(node->engine, ret, err) < 0)
			return -1;
		if (ret->block_size)
			break;
		claims_free(ret);
		if (node->engine->kind->begin(node->engine, size, err) == FOUND_FAILED)
			return -1;
	}
	if (check_block_size(node, ret, err) == 0)
		return 0;
	claims_free(ret);
	return -1;
}

/* Makes the store agree with the engine. All heirs are checked before any is taken. */
static int agree(struct node *node, const struct claims *claims, struct cni_error *err)
{
	struct blocks blocks;
	int rc = know(node, &blocks, err);

	for (size_t i = 0; rc == 0 && i < claims->n; i++)
		if (is_named_as_we(node, &claims->list[i]) &&
		    !claim_is_same_owner(&claims->list[i], &node->self))
			rc = check_heir(node, &claims->list[i], err);
	if (rc == 0)
		rc = drop_lost(node, &blocks, claims, err);
	for (size_t i = 0; rc == 0 && i < claims->n; i++) {
		const struct claim *claim = &claims->list[i];
		const struct block *block = find_block(&blocks, &claim->block);

		if (!is_named_as_we(node, claim))
			continue;
		rc = block && block->state == BLOCK_RETURNING ? remove_claim(node, claim, err)
							      : adopt(node, claim, err);
	}
	blocks_free(&blocks);
	return rc;
}

struct owned {
	const char *node;
	size_t n;
};

static int by_number(const void *a, const void *b)
{
	const struct owned *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : strcmp(x->node, y->node);
}

/* "a: 12, b: 3, ...": who has how many blocks of the pool. */
static int exhausted(const struct node *node, const struct pool *pool, const struct claims *claims,
		     struct cni_error *err)
{
	autofree struct owned *owned = calloc(claims->n + 1, sizeof(*owned));
	size_t nodes = 0, used = 0;
	char list[400] = "";

	for (size_t i = 0; owned && i < claims->n; i++) {
		size_t j = 0;

		if (!pool_touches(pool, &claims->list[i].block))
			continue;
		while (j < nodes && strcmp(owned[j].node, claims->list[i].node) != 0)
			j++;
		owned[j].node = claims->list[i].node;
		owned[j].n++;
		nodes += j == nodes;
	}
	if (nodes)
		qsort(owned, nodes, sizeof(*owned), by_number);
	for (size_t i = 0; i < nodes && i < LISTED_MAX && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%.60s: %zu", i ? ", " : "",
					 owned[i].node, owned[i].n);
	cni_fail(err, CNI_RETRY, "no block of pool %s is free: %s", node->conf->cluster.pool,
		 pool_text(pool).s);
	return cni_hint(
		err,
		"blocks by node: %s%s; addrpool release-node takes those of nodes that are gone, a smaller "
		"blockSize or another range helps where all are in use",
		list, nodes > LISTED_MAX ? ", ..." : "");
}

/* Claims a block; FOUND_NOT: another node has it. */
static enum found claim_one(struct node *node, const struct prefix *block, struct cni_error *err)
{
	struct claim claim = node->self;
	enum found found;

	claim.block = *block;
	if (note(node, &claim, BLOCK_CLAIMING, err) < 0)
		return FOUND_FAILED;
	found = node->engine->kind->create(node->engine, &claim, err);
	if (found == FOUND)
		return note(node, &claim, BLOCK_OWNED, err) < 0 ? FOUND_FAILED : FOUND;
	if (found == FOUND_NOT && forget(node, block, err) < 0)
		return FOUND_FAILED;
	return found;
}

/* Blocks of an earlier boot, and those that a killed process left half-way; and when
 * there is none at all, the engine may know better. */
static bool must_agree(const struct node *node, const struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->n; i++)
		if (!is_confirmed(node, &blocks->list[i]))
			return true;
	return !blocks->n;
}

struct search {
	struct node *node;
	const struct pool *pool;
	size_t before;
	const struct ip *wanted;
	struct claims claims; /* of all, when they were last asked for */
	bool listed;
	bool exhausted; /* the engine answered: there is no block */
};

static int refresh(struct search *search, struct cni_error *err)
{
	claims_free(&search->claims);
	search->listed = true;
	if (list_pool(search->node, &search->claims, err) < 0)
		return -1;
	return agree(search->node, &search->claims, err);
}

static bool has_enough(const struct search *search, const struct blocks *blocks)
{
	const struct block *block = search->wanted->family ? blocks_find(blocks, search->wanted) : NULL;

	if (search->wanted->family)
		return block && is_confirmed(search->node, block);
	return count_of_pool(search->node, blocks, search->pool) > search->before;
}

static enum found pick(struct search *search, const struct blocks *blocks, struct prefix *ret)
{
	if (!search->wanted->family)
		return pick_block(ret, search->pool, search->node->conf->cluster.block_bits,
				  search->node->self.node, blocks, &search->claims);
	*ret = block_of(search->wanted, search->node->conf->cluster.block_bits);
	return find_claim(&search->claims, ret) ? FOUND_NOT : FOUND;
}

static int no_block(struct search *search, const struct prefix *block, struct cni_error *err)
{
	const struct claim *claim = find_claim(&search->claims, block);

	search->exhausted = true;
	if (!search->wanted->family)
		return exhausted(search->node, search->pool, &search->claims, err);
	return cni_fail(err, CNI_CONFLICT, "requested ip %s lies in block %s, which belongs to node %s",
			ip_text(search->wanted).s, prefix_text(block).s, claim ? claim->node : "?");
}

/* One round: FOUND when there are enough, FOUND_NOT when another node was faster. */
static enum found try_one(struct search *search, struct cni_error *err)
{
	struct prefix block = { .len = 0 };
	struct blocks blocks;
	enum found found = know(search->node, &blocks, err) < 0 ? FOUND_FAILED : FOUND;

	if (found == FOUND && !has_enough(search, &blocks)) {
		found = pick(search, &blocks, &block);
		if (found == FOUND)
			found = claim_one(search->node, &block, err);
		else if (search->listed)
			found = no_block(search, &block, err);
	}
	blocks_free(&blocks);
	if (found != FOUND_NOT || refresh(search, err) < 0)
		return found == FOUND_NOT ? FOUND_FAILED : found;
	/* whatever is there, that the list does not show */
	if (block.ip.family && !find_claim(&search->claims, &block)) {
		const struct claim other = { .block = block, .node = "?" };

		if (claims_add(&search->claims, &other, err) < 0)
			return FOUND_FAILED;
	}
	return FOUND_NOT;
}

static int search_block(struct search *search, struct cni_error *err)
{
	struct blocks blocks;
	enum found found = FOUND_NOT;
	int rc = know(search->node, &blocks, err);

	if (rc == 0 && must_agree(search->node, &blocks))
		rc = refresh(search, err);
	blocks_free(&blocks);
	while (rc == 0 && found == FOUND_NOT)
		found = try_one(search, err);
	claims_free(&search->claims);
	return found == FOUND ? 0 : -1;
}

/* Whoever has waited for our turn while the engine did not answer has waited enough. */
static enum found has_failed_since(const struct node *node, long long start, struct cni_error *err)
{
	struct block_failure failure;
	struct store store;
	enum found found;

	if (open_store(&store, node, err) < 0)
		return FOUND_FAILED;
	found = blocks_failure(&failure, &store);
	store_close(&store);
	if (found != FOUND || failure.at_ms < start)
		return FOUND_NOT;
	return cni_fail(err, (enum cni_code)failure.error.code, "%s", failure.error.msg);
}

static void note_failure(const struct node *node, const struct cni_error *failure)
{
	struct store store;

	if (open_store(&store, node, NULL) < 0)
		return;
	blocks_note_failure(&store, failure);
	store_close(&store);
}

int claim_more(struct node *node, size_t n, size_t before, const struct ip *wanted, struct cni_error *err)
{
	struct search search = {
		.node = node,
		.pool = &node->conf->pools[n],
		.before = before,
		.wanted = wanted,
	};
	const long long start = block_now_ms();
	struct cni_error why = { 0 };

	if (take_lock(node, err) < 0 || has_failed_since(node, start, err) != FOUND_NOT)
		return -1;
	engine_begin(node->engine);
	if (search_block(&search, &why) == 0) {
		note_failure(node, NULL);
		return 0;
	}
	if (why.code == CNI_RETRY && !search.exhausted)
		note_failure(node, &why);
	cni_fail(err, (enum cni_code)why.code, "%s", why.msg);
	return cni_hint(err, "%s", why.details);
}

/* Would any claim keep us from claiming? Makes no incarnation. */
static int check_heirs(struct node *node, const struct claims *claims, struct cni_error *err)
{
	struct incarnation incarnation = { "" };
	struct store store;
	enum found found = store_open(&store, &node->conf->place, false, err);

	if (found == FOUND) {
		found = incarnation_read(&incarnation, &store, err);
		store_close(&store);
	}
	memcpy(node->self.incarnation, incarnation.s, sizeof(incarnation.s));
	for (size_t i = 0; found != FOUND_FAILED && i < claims->n; i++)
		if (is_named_as_we(node, &claims->list[i]) &&
		    !claim_is_same_owner(&claims->list[i], &node->self) &&
		    check_heir(node, &claims->list[i], err) < 0)
			return -1;
	return found == FOUND_FAILED ? -1 : 0;
}

int claim_room(struct node *node, size_t n, struct cni_error *err)
{
	const struct ip any = { .family = 0 };
	struct search search = { .node = node, .pool = &node->conf->pools[n], .wanted = &any };
	struct blocks none = { 0 };
	struct prefix block;
	int rc;

	engine_begin(node->engine);
	rc = node->engine->kind->list(node->engine, &search.claims, err);
	if (rc == 0 && search.claims.block_size)
		rc = check_block_size(node, &search.claims, err);
	if (rc == 0)
		rc = check_heirs(node, &search.claims, err);
	if (rc == 0 && pick(&search, &none, &block) != FOUND)
		rc = exhausted(node, search.pool, &search.claims, err);
	claims_free(&search.claims);
	return rc;
}

/* Marks what is superfluous, so that no address of it is given from now on. */
static int mark_returning(struct node *node, struct blocks *blocks, struct cni_error *err)
{
	struct store store;
	int rc;

	*blocks = (struct blocks){ 0 };
	if (open_store(&store, node, err) < 0)
		return -1;
	rc = blocks_read(blocks, &store, err);
	if (rc == 0)
		rc = blocks_superfluous(blocks, &store, node->conf->place.reuse_delay, err);
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

int claim_return(struct node *node, struct cni_error *err)
{
	struct blocks blocks;
	int rc;

	if (take_lock(node, err) < 0)
		return -1;
	engine_begin(node->engine);
	rc = mark_returning(node, &blocks, err);
	for (size_t i = 0; rc == 0 && i < blocks.n; i++) {
		struct claim claim = { .block = blocks.list[i].prefix };

		if (blocks.list[i].state != BLOCK_RETURNING)
			continue;
		memcpy(claim.id, blocks.list[i].id, sizeof(claim.id));
		rc = remove_claim(node, &claim, err);
	}
	blocks_free(&blocks);
	note_failure(node, rc < 0 ? err : NULL);
	return rc;
}

static json_t *claim_json(const struct claim *claim)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "block", prefix_text(&claim->block).s, "node",
			 json_text(claim->node), "network", json_text(claim->network), "machine",
			 json_text(claim->machine), "boot", json_text(claim->boot), "since",
			 json_text(claim->since));
}

json_t *claim_list(struct node *node, struct cni_error *err)
{
	const struct cluster *cluster = &node->conf->cluster;
	struct claims claims;
	json_t *doc, *list;

	engine_begin(node->engine);
	if (node->engine->kind->list(node->engine, &claims, err) < 0)
		return NULL;
	if (claims.n)
		qsort(claims.list, claims.n, sizeof(*claims.list), claim_by_block);
	list = json_array();
	for (size_t i = 0; i < claims.n; i++)
		json_array_append_new(list, claim_json(&claims.list[i]));
	doc = json_pack("{s:s, s:s, s:I, s:o}", "pool", cluster->pool, "node", cluster->node, "blockSize",
			(json_int_t)(claims.block_size ? claims.block_size : 1LL << cluster->block_bits),
			"claims", list);
	claims_free(&claims);
	if (!doc)
		cni_fail(err, CNI_RETRY, "out of memory");
	return doc;
}

/* Pods of ours may have addresses of it. */
static int check_unused(const struct node *node, const struct claims *claims, struct cni_error *err)
{
	struct leases leases;
	struct store store;
	int rc;

	if (open_store(&store, node, err) < 0)
		return -1;
	rc = leases_read(&leases, &store, err);
	for (size_t i = 0; rc == 0 && i < leases.n; i++)
		for (size_t j = 0; rc == 0 && j < claims->n; j++)
			if (is_named_as_we(node, &claims->list[j]) &&
			    prefix_contains(&claims->list[j].block, &leases.list[i].ip))
				rc = cni_fail(err, CNI_CONFIG,
					      "this is node %s, and %s has %s of its block %s",
					      node->self.node, leases.list[i].owner.container,
					      ip_text(&leases.list[i].ip).s,
					      prefix_text(&claims->list[j].block).s);
	leases_free(&leases);
	store_close(&store);
	return rc;
}

json_t *claim_release(struct node *node, const char *name, struct cni_error *err)
{
	bool ourselves = !strcmp(name, node->self.node);
	json_t *released = json_array();
	struct claims claims = { 0 };
	int rc = take_lock(node, err);

	engine_begin(node->engine);
	if (rc == 0)
		rc = node->engine->kind->list(node->engine, &claims, err);
	if (rc == 0 && ourselves)
		rc = check_unused(node, &claims, err);
	for (size_t i = 0; rc == 0 && i < claims.n; i++) {
		const struct claim *claim = &claims.list[i];

		if (strcmp(claim->node, name) != 0)
			continue;
		if (ourselves)
			rc = remove_claim(node, claim, err);
		else
			rc = node->engine->kind->remove(node->engine, claim, err) == FOUND_FAILED ? -1 : 0;
		if (rc == 0)
			json_array_append_new(released, claim_json(claim));
	}
	if (rc == 0) {
		claims_free(&claims);
		return released;
	}
	json_decref(released);
	return NULL;
}
