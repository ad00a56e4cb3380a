/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/candidates.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cni/hash.h"

/* A position in the walk through all blocks that have addresses of the pool. */
struct cursor {
	const struct pool *pool;
	unsigned int bits;
	size_t span;
	struct prefix block;
};

static uint64_t candidates_blocks_in(const struct span *span, unsigned int bits)
{
	const struct ip first = block_of(&span->first, bits).ip;
	uint64_t distance = ip_distance(&first, &span->last);

	return (distance >> bits) + 1;
}

/* The nth block. */
static struct cursor candidates_start_at(const struct pool *pool, unsigned int bits, uint64_t n)
{
	struct cursor cursor = { .pool = pool, .bits = bits };
	struct ip first, ip;

	while (cursor.span + 1 < pool->n_spans && n >= candidates_blocks_in(&pool->spans[cursor.span], bits))
		n -= candidates_blocks_in(&pool->spans[cursor.span++], bits);
	n %= candidates_blocks_in(&pool->spans[cursor.span], bits);
	first = block_of(&pool->spans[cursor.span].first, bits).ip;
	ip = ip_add(&first, n << bits);
	cursor.block = block_of(&ip, bits);
	return cursor;
}

static void candidates_advance(struct cursor *cursor)
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

static uint64_t candidates_hash(const char *node)
{
	const uint64_t hash = hash_add(HASH_START, node, strlen(node));

	return hash ^ hash >> 32;
}

#define TRIES (4ULL * CANDIDATES_MAX)
#define START_MAX (1ULL << 32) /* more blocks of a wide IPv6 range are not counted */

static uint64_t candidates_count_blocks(const struct pool *pool, unsigned int bits)
{
	uint64_t n = 0;

	for (size_t i = 0; i < pool->n_spans && n < START_MAX; i++)
		n += candidates_blocks_in(&pool->spans[i], bits);
	return n < START_MAX ? n : START_MAX; /* not 0, since a pool has at least one span */
}

/* splitmix64 */
static uint64_t candidates_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static bool candidates_is_among(const struct candidate *candidates, size_t n, const struct prefix *block)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_equal(&candidates[i].block, block))
			return true;
	return false;
}

static size_t candidates_add_candidate(struct candidate *candidates, size_t n, const struct prefix *block,
				       const struct blocks *blocks)
{
	if (candidates_is_among(candidates, n, block) || blocks_find(blocks, &block->ip))
		return n;
	candidates[n] = (struct candidate){ .block = *block };
	return n + 1;
}

size_t candidates_choose(struct candidate candidates[CANDIDATES_MAX], size_t most, const struct pool *pool,
			 unsigned int bits, const char *node, uint64_t attempt, const struct blocks *blocks,
			 bool *all)
{
	const uint64_t total = candidates_count_blocks(pool, bits),
		       seed = candidates_hash(node) ^ candidates_mix(attempt);
	struct cursor cursor = candidates_start_at(pool, bits, total ? seed % total : 0);
	size_t n = 0;

	*all = total <= BLOCKS_FEW;
	for (uint64_t i = 0; *all && i < total; i++, candidates_advance(&cursor))
		n = candidates_add_candidate(candidates, n, &cursor.block, blocks);
	/* many of them may be the node's own blocks */
	for (uint64_t i = 0; !*all && n < most && i < TRIES; i++) {
		cursor = candidates_start_at(pool, bits, candidates_mix(seed + i) % total);
		n = candidates_add_candidate(candidates, n, &cursor.block, blocks);
	}
	return n;
}

/* The number after v in the order of their digits: 0, 1, 10, 100, 101 and so on. 0: v is the last one. */
static unsigned int candidates_next_by_digits(unsigned int v, unsigned int base, unsigned int max)
{
	if (v == 0)
		return 1;
	if (v * base <= max)
		return v * base;
	while (v % base == base - 1 || v == max)
		v /= base;
	return v ? v + 1 : 0;
}

/* One of the numbers that an address is written as: decimal bytes, or pairs of bytes in hexadecimal. */
struct digits {
	size_t size;
	unsigned int base, max;
};

static struct digits candidates_digits_of(const struct ip *ip)
{
	return ip->family == AF_INET ? (struct digits){ 1, 10, UINT8_MAX }
				     : (struct digits){ 2, 16, UINT16_MAX };
}

static unsigned int candidates_get_number(const struct ip *ip, const struct digits *digits, size_t n)
{
	const unsigned char *bytes = &ip->bytes[n * digits->size];

	return digits->size == 1 ? bytes[0] : (unsigned int)(bytes[0] << 8 | bytes[1]);
}

static void candidates_set_number(struct ip *ip, const struct digits *digits, size_t n, unsigned int value)
{
	unsigned char *bytes = &ip->bytes[n * digits->size];

	if (digits->size == 2)
		*bytes++ = (unsigned char)(value >> 8);
	*bytes = (unsigned char)value;
}

/*
 * The block after this one in the order of their texts, which need not be of the pool. False: it is unknown.
 * In IPv6 that is so after the last one with the same first seven numbers, and if the last number is 0, which
 * is not written: "fd00::". There "fd00::1:0" may be between two of them, and is counted with them: then
 * their slice only looks fuller than it is.
 */
static bool candidates_next_by_text(struct prefix *block, unsigned int bits)
{
	const struct digits digits = candidates_digits_of(&block->ip);
	const size_t numbers = ip_size(&block->ip) / digits.size;
	const unsigned int step = 1U << bits % (8 * digits.size);
	size_t n = numbers - 1 - bits / (8 * digits.size);
	unsigned int value = candidates_get_number(&block->ip, &digits, n);

	if (digits.size == 2 && (n != numbers - 1 || !value))
		return false;
	do
		value = candidates_next_by_digits(value, digits.base, digits.max);
	while (value % step);
	candidates_set_number(&block->ip, &digits, n, value);
	while (!value && digits.size == 1 && n--) {
		value = candidates_next_by_digits(candidates_get_number(&block->ip, &digits, n), digits.base,
						  digits.max);
		candidates_set_number(&block->ip, &digits, n, value);
	}
	return value;
}

#define STEPS_MAX 1024 /* through blocks that are not of the pool, which have no claims */

static struct slice candidates_slice_from(struct prefix block, const struct pool *pool, unsigned int bits)
{
	struct slice slice = { .n = 0 };
	unsigned int steps = 0;

	do
		if (pool_touches(pool, &block))
			slice.blocks[slice.n++] = block;
	while (slice.n < SLICE_MAX && steps++ < STEPS_MAX && candidates_next_by_text(&block, bits));
	return slice;
}

void slices_choose(struct slice *slices, size_t n, const struct pool *pool, unsigned int bits,
		   const char *node, uint64_t attempt)
{
	const uint64_t total = candidates_count_blocks(pool, bits),
		       seed = candidates_hash(node) ^ candidates_mix(attempt);

	for (size_t i = 0; i < n; i++)
		slices[i] = candidates_slice_from(
			candidates_start_at(pool, bits, candidates_mix(seed + TRIES + i) % total).block, pool,
			bits);
}

const struct slice *slices_best(const struct slice *slices, size_t n)
{
	const struct slice *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < n; i++)
		if (slices[i].taken < slices[i].n && slices[i].n - slices[i].taken > most) {
			most = slices[i].n - slices[i].taken;
			best = &slices[i];
		}
	return best;
}

#define LOOKS_MIN 4

int candidates_looks(const struct pool *pool, unsigned int bits)
{
	/* a block in a list costs as much as a candidate in a look */
	const uint64_t looks = candidates_count_blocks(pool, bits) / ((uint64_t)LOOKS_MIN * BLOCKS_FEW);

	return looks < LOOKS_MIN ? LOOKS_MIN : looks < LOOKS_MAX ? (int)looks : LOOKS_MAX;
}

static int candidates_by_prefix(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

enum found candidates_find(struct prefix *ret, const struct pool *pool, unsigned int bits, const char *node,
			   const struct blocks *blocks, struct taken *taken)
{
	const uint64_t total = candidates_count_blocks(pool, bits);
	struct cursor cursor = candidates_start_at(pool, bits, total ? candidates_hash(node) % total : 0);
	/* a block that two spans share counts twice, which only adds a turn */
	uint64_t left = total < START_MAX ? total : taken->n + blocks->n + 1;

	if (taken->n)
		qsort(taken->list, taken->n, sizeof(*taken->list), candidates_by_prefix);
	for (; left; left--, candidates_advance(&cursor)) {
		if (blocks_find(blocks, &cursor.block.ip) ||
		    (taken->n && bsearch(&cursor.block, taken->list, taken->n, sizeof(*taken->list),
					 candidates_by_prefix)))
			continue;
		*ret = cursor.block;
		return FOUND;
	}
	return FOUND_NOT;
}
