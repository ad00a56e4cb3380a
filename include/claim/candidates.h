/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses blocks to claim. A node asks for a few random blocks, at first for those that its name selects. So
 * nodes seldom ask for the same blocks, and need no list of all.
 */
#ifndef CLAIM_CANDIDATES_H
#define CLAIM_CANDIDATES_H

#include "claim/engine.h"

/*
 * Chooses at most most blocks that have addresses of the pool and are not among blocks. attempt 0 chooses by
 * the node's name, another number chooses others. *all: the pool has at most BLOCKS_FEW blocks, and
 * candidates has all that are not among blocks.
 */
size_t candidates_choose(struct candidate candidates[CANDIDATES_MAX], size_t most, const struct pool *pool,
			 unsigned int bits, const char *node, uint64_t attempt, const struct blocks *blocks,
			 bool *all);

/*
 * Chooses n slices of the pool, each from a random block on. node and attempt as above.
 * Slices may overlap, and may have blocks of the node. The pool must have a block.
 */
void slices_choose(struct slice *slices, size_t n, const struct pool *pool, unsigned int bits,
		   const char *node, uint64_t attempt);

/* The slice with most free blocks. NULL: none has one. */
const struct slice *slices_best(const struct slice *slices, size_t n);

/* So many looks at candidates cost less than a list of all blocks. LOOKS_MAX: the pool is large. */
#define LOOKS_MAX 16
int candidates_looks(const struct pool *pool, unsigned int bits);

/* Finds a block that has addresses of the pool, and is neither among blocks nor taken. Sorts taken.
 * FOUND_NOT: there is none. */
enum found candidates_find(struct prefix *ret, const struct pool *pool, unsigned int bits, const char *node,
			   const struct blocks *blocks, struct taken *taken);

#endif
