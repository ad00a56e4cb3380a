/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/agree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim/local.h"
#include "claim/node.h"
#include "claim/routes.h"

/* The number of blocks that the engine must have as this node's. */
static size_t agree_count_confirmed(const struct blocks *blocks)
{
	size_t n = 0;

	for (size_t i = 0; i < blocks->n; i++)
		n += block_counts(&blocks->list[i]);
	return n;
}

bool must_agree(const struct blocks *blocks)
{
	return agree_count_confirmed(blocks) != blocks->n;
}

static const struct block *agree_find_block(const struct blocks *blocks, const struct prefix *prefix)
{
	for (size_t i = 0; i < blocks->n; i++)
		if (prefix_equal(&blocks->list[i].prefix, prefix))
			return &blocks->list[i];
	return NULL;
}

static bool agree_is_ours(const struct node *node, const struct claim *claim)
{
	return !strcmp(owner_mark(claim).s, owner_mark(&node->self).s);
}

static int agree_another_machine(const struct node *node, const struct claim *claim, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "%s belongs to another machine with the node name %s: %s",
		 prefix_text(&claim->block).s, node->self.node, *claim->machine ? claim->machine : "unknown");
	return cni_hint(err,
			"set ipam.cluster.node to a different name on each node; if that machine is gone for "
			"good, call ipvlanctl pools release-node %s %s; if it is this machine before it lost "
			"its leases, shown again by a backup of the engine, restart this machine",
			node->conf->place.network, node->self.node);
}

static int agree_lost_leases(const struct node *node, const struct claim *claim, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG,
		 "%s/%s has lost its leases, and pods of this boot may have addresses of %s, which "
		 "belongs to node %s",
		 node->conf->place.data_dir, node->conf->place.store, prefix_text(&claim->block).s,
		 node->self.node);
	return cni_hint(err,
			"restart the machine; or, if no pod of the network runs here, call ipvlanctl pools "
			"release-node %s %s",
			node->conf->place.network, node->self.node);
}

static unsigned long long agree_newest_version(const struct blocks *blocks)
{
	unsigned long long newest = 0, version;

	for (size_t i = 0; i < blocks->n; i++) {
		version = strtoull(blocks->list[i].version, NULL, 10);
		if (block_counts(&blocks->list[i]) && version > newest)
			newest = version;
	}
	return newest;
}

/*
 * Has an engine restored from a backup brought the claim back? It is of an earlier boot of this node. Or it
 * is of a store that this node has lost: all that the node has confirmed since has a higher version, unless
 * that was after the restore of an older backup.
 */
static bool agree_is_of_backup(const struct node *node, const struct claim *claim,
			       const struct blocks *blocks)
{
	const unsigned long long newest = agree_newest_version(blocks);

	switch (local_whose_boot(node, claim->boot)) {
	case BOOT_OWN:
		return true;
	case BOOT_TAKEN_OVER:
		return !newest || strtoull(claim->version, NULL, 10) < newest;
	default:
		return false;
	}
}

/*
 * Checks a claim under this node's name with another mark. This node in an earlier boot has confirmed it, or
 * this node with other leases, or another machine. While this node has blocks of the present boot, the first
 * two are impossible, unless a restored engine shows again what this node confirmed in an earlier boot, or
 * took over from a lost store.
 */
static int agree_check_heir(const struct node *node, const struct claim *claim, const struct blocks *blocks,
			    struct cni_error *err)
{
	const struct block *block = agree_find_block(blocks, &claim->block);
	const bool same_store = !strcmp(claim->incarnation, node->self.incarnation);
	const bool same_boot = node_is_same_boot(claim->boot, node->self.boot);
	const bool same_machine = node_is_same_machine(claim->machine, node->self.machine);
	const bool unknown = !*claim->machine || !*node->self.machine;

	if (same_store && same_boot)
		return 0;
	/* the machine has a copy of the disk of another one */
	if (same_store && !same_machine && !unknown)
		return agree_another_machine(node, claim, err);
	if (same_store && (!block || !block_counts(block) || agree_is_of_backup(node, claim, blocks)))
		return 0;
	if (!same_store && same_boot)
		return agree_lost_leases(node, claim, err);
	if (same_store || !same_machine ||
	    (agree_count_confirmed(blocks) && !agree_is_of_backup(node, claim, blocks)))
		return agree_another_machine(node, claim, err);
	return 0;
}

/* Updates a claim in the engine to this boot and store, and notes the block as owned. */
static int agree_adopt(const struct node *node, const struct claim *claim, struct cni_error *err)
{
	struct claim fresh = node->self;

	fresh.block = claim->block;
	memcpy(fresh.id, claim->id, sizeof(fresh.id));
	memcpy(fresh.version, claim->version, sizeof(fresh.version));
	memcpy(fresh.since, claim->since, sizeof(fresh.since));
	if (strcmp(claim->incarnation, node->self.incarnation) != 0)
		local_take_over_boot(node, claim->boot);
	if (!agree_is_ours(node, claim))
		switch (node->engine->kind->update(node->engine, claim, &fresh, err)) {
		case FOUND:
			break;
		case FOUND_NOT:
			return cni_fail(err, CNI_RETRY, "another process has just changed the claim of %s",
					prefix_text(&claim->block).s);
		default:
			return -1;
		}
	return local_note(node, &fresh, BLOCK_OWNED, err);
}

static int agree_remove_claim(const struct node *node, const struct claim *claim, struct cni_error *err)
{
	if (block_route_delete(&claim->block, err) < 0 ||
	    node->engine->kind->remove(node->engine, claim, NULL, err) == FOUND_FAILED)
		return -1;
	return local_forget(node, &claim->block, err);
}

/* create() has found a claim of this store. Has another machine made it, with a copy of the store? */
static int agree_check_found(struct node *node, const struct claim *claim, struct cni_error *err)
{
	struct blocks blocks;
	int rc;

	if (agree_is_ours(node, claim))
		return 0;
	rc = local_read(node, &blocks, err);
	if (rc == 0)
		rc = agree_check_heir(node, claim, &blocks, err);
	node->refused |= rc < 0;
	blocks_free(&blocks);
	return rc;
}

/* Did this node claim the block in this boot, before its name changed? */
static bool agree_is_of_old_name(const struct node *node, const struct claim *claim)
{
	return !strcmp(claim->network, node->self.network) &&
	       node_was_renamed(&node->self, claim->incarnation, claim->machine, claim->boot);
}

int remove_block(const struct node *node, const struct block *block, struct cni_error *err)
{
	struct claim claim = node->self, there = { .node = "" };
	enum found found;

	claim.block = block->prefix;
	memcpy(claim.id, block->id, sizeof(claim.id));
	memcpy(claim.version, block->version, sizeof(claim.version));
	if (block_route_delete(&block->prefix, err) < 0)
		return -1;
	found = node->engine->kind->remove(node->engine, &claim, &there, err);
	if (found == FOUND_NOT && *there.id && agree_is_of_old_name(node, &there))
		found = node->engine->kind->remove(node->engine, &there, NULL, err);
	return found == FOUND_FAILED ? -1 : local_forget(node, &block->prefix, err);
}

static enum found agree_create_claim(struct node *node, const struct prefix *block, struct claim *there,
				     struct cni_error *err)
{
	enum found found;

	*there = node->self;
	there->block = *block;
	found = node->engine->kind->create(node->engine, there, err);
	if (found == FOUND && agree_check_found(node, there, err) < 0)
		return FOUND_FAILED;
	if (found == FOUND_NOT && agree_is_of_old_name(node, there))
		found = FOUND;
	if (found == FOUND && agree_adopt(node, there, err) < 0)
		return FOUND_FAILED;
	return found;
}

/*
 * Another node owns the block: forgets it. While pods of this node have addresses of it, its note stays, so
 * that the node claims it again as soon as it is free: otherwise a third node would assign these addresses.
 * owned: it was a block of this node.
 */
static enum found agree_lose(const struct node *node, const struct prefix *block, const struct claim *there,
			     bool owned, struct cni_error *err)
{
	const enum found pods = local_pods(node, block, err);
	int rc = -1;

	if (owned)
		claim_report(node, "network %s: block %s no longer belongs to node %s, but to %s%s",
			     node->self.network, prefix_text(block).s, node->self.node,
			     *there->node ? there->node : "?",
			     pods == FOUND_NOT ? ""
					       : ". Pods of both nodes may have the same addresses of it");
	if (pods == FOUND)
		rc = block_route_delete(block, err);
	if (pods == FOUND_NOT)
		rc = local_forget(node, block, err);
	return rc < 0 ? FOUND_FAILED : FOUND_NOT;
}

enum found claim_block(struct node *node, const struct prefix *block, struct claim *there,
		       struct cni_error *err)
{
	struct claim claim = node->self;
	enum found found;

	claim.block = *block;
	if (local_note(node, &claim, BLOCK_CLAIMING, err) < 0)
		return FOUND_FAILED;
	found = agree_create_claim(node, block, there, err);
	return found == FOUND_NOT ? agree_lose(node, block, there, false, err) : found;
}

/* Blocks that the engine lacks: from now on addrpool assigns no address of them. */
static int agree_stop_giving(const struct node *node, const struct claims *own, const struct blocks *blocks,
			     struct cni_error *err)
{
	struct claim claim = node->self;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < blocks->n; i++)
		if (blocks->list[i].state == BLOCK_OWNED && !claims_find(own, &blocks->list[i].prefix)) {
			/* of an earlier boot it may be another machine's, which has the same disk */
			const bool known = block_counts(&blocks->list[i]);

			claim.block = blocks->list[i].prefix;
			snprintf(claim.id, sizeof(claim.id), "%s", known ? blocks->list[i].id : "");
			snprintf(claim.version, sizeof(claim.version), "%s",
				 known ? blocks->list[i].version : "");
			rc = local_note(node, &claim, BLOCK_CLAIMING, err);
		}
	return rc;
}

/* Another node may claim a part of such a block. */
static bool agree_has_other_size(const struct node *node, const struct block *block)
{
	const unsigned int bits = 8 * (unsigned int)ip_size(&block->prefix.ip) - block->prefix.len;

	return bits != node->conf->cluster.block_bits;
}

static int agree_other_size(const struct node *node, const struct block *block, struct cni_error *err)
{
	const struct cluster *cluster = &node->conf->cluster;

	cni_fail(err, CNI_CONFIG,
		 "pods have addresses of block %s, which is not of %lld addresses, as those of pool %s",
		 prefix_text(&block->prefix).s, 1LL << cluster->block_bits, cluster->pool);
	return cni_hint(err,
			"set ipam.cluster.pool and blockSize back until ipvlanctl pools %s lists no block",
			node->conf->place.network);
}

/* Claims again a block that the engine lacks. FOUND_NOT: it belongs to another node. */
static enum found agree_claim_again(struct node *node, const struct block *block, struct cni_error *err)
{
	struct claim there;
	enum found found;

	if (agree_has_other_size(node, block))
		return (enum found)agree_other_size(node, block, err);
	found = agree_create_claim(node, &block->prefix, &there, err);
	return found == FOUND_NOT ? agree_lose(node, &block->prefix, &there, true, err) : found;
}

/* The engine has no claim of this node for a noted block. */
static int agree_miss(struct node *node, const struct block *block, struct cni_error *err)
{
	enum found found = FOUND;

	if (block->state == BLOCK_RETURNING)
		return remove_block(node, block, err);
	if (block->state == BLOCK_CLAIMING || agree_has_other_size(node, block))
		found = local_leases(node, &block->prefix, err);
	/* Under an earlier name of this node the engine may have the claim; since a start of the machine the
	 * note may be that of a copy of the disk. */
	if (found == FOUND_NOT)
		return *block->id && !strcmp(block->boot.s, block_boot().s)
			       ? remove_block(node, block, err)
			       : local_forget(node, &block->prefix, err);
	if (found == FOUND_FAILED)
		return -1;
	/* etcd may have lost the pool's record too, without which it accepts no claim */
	if (!node->begun && claim_check_block_size(node, 0, err) < 0)
		return -1;
	node->begun = true;
	return agree_claim_again(node, block, err) == FOUND_FAILED ? -1 : 0;
}

/*
 * Is it a claim of this store without a note? A late request or a backup has brought it back. A note is
 * written before each request, so no address of the block was assigned, unless the block was dropped while
 * pods had addresses.
 */
static enum found agree_is_stray(const struct node *node, const struct claim *claim,
				 const struct block *block, struct cni_error *err)
{
	if (block || strcmp(claim->incarnation, node->self.incarnation) != 0)
		return FOUND_NOT;
	switch (local_leases(node, &claim->block, err)) {
	case FOUND:
		return FOUND_NOT;
	case FOUND_NOT:
		return FOUND;
	default:
		return FOUND_FAILED;
	}
}

static int agree_on(struct node *node, const struct claim *claim, const struct block *block,
		    struct cni_error *err)
{
	const enum found stray = agree_is_stray(node, claim, block, err);

	if (stray == FOUND_FAILED)
		return -1;
	if (stray == FOUND || (block && block->state == BLOCK_RETURNING))
		return agree_remove_claim(node, claim, err);
	/* a server's cache may show a claim that has ended since, which an update would notice */
	if (block && block->state == BLOCK_CLAIMING && agree_is_ours(node, claim))
		return agree_claim_again(node, block, err) == FOUND_FAILED ? -1 : 0;
	return agree_adopt(node, claim, err);
}

static int agree_on_all(struct node *node, const struct claims *own, const struct blocks *blocks,
			struct cni_error *err)
{
	int rc = agree_stop_giving(node, own, blocks, err);

	for (size_t i = 0; rc == 0 && i < own->n; i++)
		rc = agree_on(node, &own->list[i], agree_find_block(blocks, &own->list[i].block), err);
	for (size_t i = 0; rc == 0 && i < blocks->n; i++)
		if (!claims_find(own, &blocks->list[i].prefix))
			rc = agree_miss(node, &blocks->list[i], err);
	return rc;
}

int agree(struct node *node, struct cni_error *err)
{
	struct claims own = { 0 };
	struct blocks blocks;
	int rc = local_read(node, &blocks, err);

	node->asked_ms = block_now_ms();
	if (rc == 0)
		rc = node->engine->kind->own(node->engine, &node->self, &own, err);
	/* all claims are checked before any changes */
	for (size_t i = 0; rc == 0 && i < own.n; i++)
		if (!agree_is_ours(node, &own.list[i]))
			rc = agree_check_heir(node, &own.list[i], &blocks, err);
	node->refused = rc < 0 && own.n;
	if (rc == 0)
		rc = agree_on_all(node, &own, &blocks, err);
	if (rc == 0)
		local_counted(node, own.n);
	claims_free(&own);
	blocks_free(&blocks);
	return rc;
}
