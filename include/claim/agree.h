/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the store agree with the engine, when a node starts, was killed half-way, or finds that the engine
 * does not count as many blocks as its own as it believes.
 */
#ifndef CLAIM_AGREE_H
#define CLAIM_AGREE_H

#include "claim/claim.h"

/* Blocks of an earlier boot, and those that a killed process left half-way. */
bool must_agree(const struct blocks *blocks);

/*
 * Claims of ours as the engine has them become ours here, and those that are returned are removed. A block
 * that the engine lost, or that was taken from us by mistake, is claimed again; if another node has it, it is
 * dropped, and that is said. CNI_CONFIG: pods may have addresses that another machine, or another
 * installation of this one, believes its own. CNI_RETRY: another one changed something just now.
 */
int agree(struct node *node, struct cni_error *err);

/* Removes a claim, and drops the block here. The second: the claim that our note of a block is about. */
int remove_claim(const struct node *node, const struct claim *claim, struct cni_error *err);
int remove_block(const struct node *node, const struct block *block, struct cni_error *err);

/* Claims a block; FOUND_NOT: another node has it, *there. */
enum found claim_block(struct node *node, const struct prefix *block, struct claim *there,
		       struct cni_error *err);

#endif
