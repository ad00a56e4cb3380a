/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which block to claim next. A node asks for a few at random, the first ones by its name: so that nodes
 * seldom ask for the same, and need not know who has which.
 */
#ifndef CLAIM_CANDIDATES_H
#define CLAIM_CANDIDATES_H

#include "claim/engine.h"

/*
 * Up to most blocks that have addresses of the pool and are not among blocks. attempt: 0 for those by the
 * node's name, others for others. Of a pool of up to CANDIDATES_MAX blocks these are all: *all.
 */
size_t candidates_choose(struct candidate candidates[CANDIDATES_MAX], size_t most, const struct pool *pool,
			 unsigned int bits, const char *node, uint64_t attempt, const struct blocks *blocks,
			 bool *all);

/* So many looks at candidates cost less than a list of all blocks. */
int candidates_looks(const struct pool *pool, unsigned int bits);

/* A block that has addresses of the pool, and is neither among blocks nor taken,
 * which is sorted by it. FOUND_NOT: there is none. */
enum found candidates_find(struct prefix *ret, const struct pool *pool, unsigned int bits, const char *node,
			   const struct blocks *blocks, struct taken *taken);

#endif
