/*
 * Which block to claim next. Each node begins its walk through the pool at another
 * place, which its name tells, and goes on from there: so that nodes seldom want the
 * same block, and need not ask first who has which.
 */
#ifndef CLAIM_PICK_H
#define CLAIM_PICK_H

#include "claim/engine.h"

/* A block that has addresses of the pool, and is neither among blocks nor claims,
 * which are sorted by it. FOUND_NOT: there is none. */
enum found pick_block(struct prefix *ret, const struct pool *pool, unsigned int bits, const char *node,
		      const struct blocks *blocks, struct claims *claims);

#endif
