#include "claim/pick.h"

#include <stdint.h>
#include <stdlib.h>

/* A place in the walk through all blocks that have addresses of the pool. */
struct cursor {
	const struct pool *pool;
	unsigned int bits;
	size_t span;
	struct prefix block;
};

static uint64_t blocks_in(const struct span *span, unsigned int bits)
{
	const struct ip first = block_of(&span->first, bits).ip;
	uint64_t distance = ip_distance(&first, &span->last);

	return (distance >> bits) + 1;
}

/* The nth block: each node begins elsewhere, so that they do not all want the same. */
static struct cursor start_at(const struct pool *pool, unsigned int bits, uint64_t n)
{
	struct cursor cursor = { .pool = pool, .bits = bits };
	struct ip first, ip;

	while (cursor.span + 1 < pool->n_spans && n >= blocks_in(&pool->spans[cursor.span], bits))
		n -= blocks_in(&pool->spans[cursor.span++], bits);
	n %= blocks_in(&pool->spans[cursor.span], bits);
	first = block_of(&pool->spans[cursor.span].first, bits).ip;
	ip = ip_add(&first, n << bits);
	cursor.block = block_of(&ip, bits);
	return cursor;
}

static void advance(struct cursor *cursor)
{
	const struct ip last = prefix_last(&cursor->block);
	const struct span *span = &cursor->pool->spans[cursor->span];
	struct ip next;

	if (ip_compare(&last, &span->last) < 0) {
		next = ip_next(&last);
	} else {
		cursor->span = (cursor->span + 1) % cursor->pool->n_spans;
		next = cursor->pool->spans[cursor->span].first;
	}
	cursor->block = block_of(&next, cursor->bits);
}

static uint64_t hash(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash ^ hash >> 32;
}

#define START_MAX (1ULL << 32) /* of the blocks of a wide IPv6 range */

static uint64_t count_blocks(const struct pool *pool, unsigned int bits)
{
	uint64_t n = 0;

	for (size_t i = 0; i < pool->n_spans && n < START_MAX; i++)
		n += blocks_in(&pool->spans[i], bits);
	return n < START_MAX ? n : START_MAX; /* a pool has a span at least */
}

static bool is_claimed(const struct claims *claims, const struct prefix *block)
{
	const struct claim key = { .block = *block };

	return claims->n && bsearch(&key, claims->list, claims->n, sizeof(key), claim_by_block);
}

enum found pick_block(struct prefix *ret, const struct pool *pool, unsigned int bits, const char *node,
		      const struct blocks *blocks, struct claims *claims)
{
	const uint64_t total = count_blocks(pool, bits);
	struct cursor cursor = start_at(pool, bits, total ? hash(node) % total : 0);
	/* spans that share a block count it twice, which does not matter */
	uint64_t left = total < START_MAX ? total : claims->n + blocks->n + 1;

	if (claims->n)
		qsort(claims->list, claims->n, sizeof(*claims->list), claim_by_block);
	for (; left; left--, advance(&cursor)) {
		if (is_claimed(claims, &cursor.block) || blocks_find(blocks, &cursor.block.ip))
			continue;
		*ret = cursor.block;
		return FOUND;
	}
	return FOUND_NOT;
}
