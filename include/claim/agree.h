/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the store agree with the engine: after a start of the node, after a call that was killed, or if the
 * engine has other blocks of the node than its store.
 */
#ifndef CLAIM_AGREE_H
#define CLAIM_AGREE_H

#include "claim/claim.h"

/* Are there blocks of an earlier boot, or blocks that a killed call was about to claim or return? */
bool must_agree(const struct blocks *blocks);

/*
 * Notes the node's claims in the engine as owned, and removes those whose note says returning. If the engine
 * has lost a block of the store, or a person has released it, claims the block again. If another node owns it
 * now, reports that, assigns no address of it, and forgets it as soon as no pod of this node has one.
 * CNI_CONFIG: another machine, or another installation of this one, has claims under the node's name, and its
 * pods may have addresses of them. CNI_RETRY: another process has changed a claim meanwhile.
 */
int agree(struct node *node, struct cni_error *err);

/* Removes the claim that the block's note names, then the note. */
int remove_block(const struct node *node, const struct block *block, struct cni_error *err);

/* Claims a block. FOUND_NOT: *there, a claim of another node, has it. */
enum found claim_block(struct node *node, const struct prefix *block, struct claim *there,
		       struct cni_error *err);

#endif
