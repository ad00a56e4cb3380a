/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim/candidates.h"
#include "claim/engine.h"
#include "cni/base64.h"
#include "tap.h"

static struct ip address(const char *text)
{
	struct ip ip = { .family = 0 };

	ip_parse(text, &ip);
	return ip;
}

static void test_arithmetic(void)
{
	static const struct {
		const char *from, *to;
		unsigned long long distance;
	} cases[] = {
		{ "10.9.0.0", "10.9.0.0", 0 },
		{ "10.9.0.255", "10.9.1.0", 1 },
		{ "0.0.0.0", "255.255.255.255", 0xffffffff },
		{ "10.0.255.255", "10.1.0.0", 1 },
		{ "fd00::", "fd00::1:0", 0x10000 },
		{ "fd00::ffff", "fd00::1:0", 1 },
		{ "fd00::", "fd00::ffff:ffff:ffff", 0xffffffffffff },
		{ "::ff:ffff:ffff:ffff", "::100:0:0:0", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct ip from = address(cases[i].from), to = address(cases[i].to);
		const struct ip sum = ip_add(&from, cases[i].distance);

		is_int((long long)ip_distance(&from, &to), (long long)cases[i].distance, "from %s to %s",
		       cases[i].from, cases[i].to);
		ok(ip_equal(&sum, &to), "%s and %llu more are %s", cases[i].from, cases[i].distance,
		   cases[i].to);
	}
	is_int((long long)ip_distance(&(struct ip){ AF_INET6, { 0 } }, &(struct ip){ AF_INET6, { 0xfd } }),
	       (long long)IP_DISTANCE_MAX, "a distance that is too large is the largest number");
}

static void test_block_of(void)
{
	static const struct {
		const char *ip, *block;
		unsigned int bits;
	} cases[] = {
		{ "10.9.0.37", "10.9.0.32/28", 4 },
		{ "10.9.0.37", "10.9.0.37/32", 0 },
		{ "10.9.255.255", "10.9.0.0/16", 16 },
		{ "fd00::abcd", "fd00::abc0/124", 4 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct ip ip = address(cases[i].ip);
		const struct prefix block = block_of(&ip, cases[i].bits);

		is_str(prefix_text(&block).s, cases[i].block, "%s lies in", cases[i].ip);
	}
}

static void test_base64(void)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = { { "", "" },
		      { "f", "Zg==" },
		      { "fo", "Zm8=" },
		      { "foo", "Zm9v" },
		      { "foob", "Zm9vYg==" },
		      { "fooba", "Zm9vYmE=" },
		      { "foobar", "Zm9vYmFy" },
		      { "\xff\xfe\xfd", "//79" } };
	static const char *const wrong[] = { "Z", "Zg", "Zg=", "Zg===", "Z g=", "Zg==Zg==", "=", "Zm9v\n" };
	size_t len;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = base64_encode(cases[i].bytes, strlen(cases[i].bytes));
		char *bytes = base64_decode(cases[i].text, &len);

		is_str(text, cases[i].text, "RFC 4648 vector %zu, encoded", i);
		is_str(bytes, cases[i].bytes, "RFC 4648 vector %zu, decoded", i);
		is_int((long long)len, (long long)strlen(cases[i].bytes), "its length");
		free(text);
		free(bytes);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ok(!base64_decode(wrong[i], &len), "\"%s\" is not base64", wrong[i]);
}

/* A pool of ranges "first-last", in one subnet. */
static void settle(struct pool *pool, const char *subnet, const char *const *ranges, size_t n)
{
	struct cni_error err = { 0 };

	*pool = (struct pool){ .ranges = calloc(n, sizeof(*pool->ranges)), .n_ranges = n };
	for (size_t i = 0; i < n; i++) {
		char copy[80], *rest = NULL;

		snprintf(copy, sizeof(copy), "%s", ranges[i]);
		prefix_parse(subnet, &pool->ranges[i].subnet);
		ip_parse(strtok_r(copy, "-", &rest), &pool->ranges[i].start);
		ip_parse(rest, &pool->ranges[i].end);
		pool->ranges[i].gateway_given = true;
	}
	is_int(pool_settle(pool, NULL, 0, &err), 0, "a pool of %s", subnet);
}

static bool is_among(const struct taken *taken, const struct prefix *block)
{
	for (size_t i = 0; i < taken->n; i++)
		if (prefix_equal(&taken->list[i], block))
			return true;
	return false;
}

/* Claims blocks as node does until there is none, and returns how many there were. */
static size_t claim_all(const struct pool *pool, unsigned int bits, const char *node, struct prefix *first)
{
	struct blocks none = { 0 };
	struct taken taken = { 0 };
	struct prefix block;
	size_t n = 0, twice = 0, outside = 0;

	while (n < 5000 && candidates_find(&block, pool, bits, node, &none, &taken) == FOUND) {
		twice += is_among(&taken, &block);
		outside += !pool_touches(pool, &block);
		if (!n++)
			*first = block;
		taken_add(&taken, &block, NULL);
	}
	taken_free(&taken);
	is_int((long long)twice, 0, "%s picks no block twice", node);
	is_int((long long)outside, 0, "%s picks none without an address of the pool", node);
	return n;
}

static void test_candidates(void)
{
	struct candidate some[CANDIDATES_MAX], more[CANDIDATES_MAX], others[CANDIDATES_MAX];
	struct block ours = { .state = BLOCK_OWNED };
	struct blocks blocks = { .list = &ours };
	struct taken seen = { 0 };
	struct pool pool;
	size_t n, same = 0;
	bool all;

	settle(&pool, "10.9.0.0/16", (const char *const[]){ "10.9.0.1-10.9.255.254" }, 1);
	n = candidates_choose(some, CANDIDATES_MAX, &pool, 4, "node-a", 0, &blocks, &all);
	is_int((long long)n, CANDIDATES_MAX, "there are as many candidates as allowed");
	is_int((long long)candidates_choose(more, 16, &pool, 4, "node-a", 0, &blocks, &all), 16, "or fewer");
	ok(!all, "which are not all of the 4096 blocks");
	for (size_t i = 0; i < n; i++) {
		ok(!is_among(&seen, &some[i].block) && pool_touches(&pool, &some[i].block),
		   "each is a block of the pool, and occurs once");
		taken_add(&seen, &some[i].block, NULL);
	}
	candidates_choose(more, CANDIDATES_MAX, &pool, 4, "node-a", 0, &blocks, &all);
	for (size_t i = 0; i < n; i++)
		ok(prefix_equal(&some[i].block, &more[i].block),
		   "a node has the same first candidates each time");
	candidates_choose(more, CANDIDATES_MAX, &pool, 4, "node-a", 1, &blocks, &all);
	candidates_choose(others, CANDIDATES_MAX, &pool, 4, "node-b", 0, &blocks, &all);
	for (size_t i = 0; i < n; i++)
		same += is_among(&seen, &more[i].block) + is_among(&seen, &others[i].block);
	ok(same < 8, "a later attempt and another node have others: %zu are the same", same);
	ours.prefix = some[0].block;
	blocks.n = 1;
	n = candidates_choose(more, CANDIDATES_MAX, &pool, 4, "node-a", 0, &blocks, &all);
	ok(n == CANDIDATES_MAX && prefix_equal(&more[0].block, &some[1].block),
	   "a block of the node is not a candidate");
	pool_free(&pool);
	settle(&pool, "10.9.0.0/24", (const char *const[]){ "10.9.0.1-10.9.0.254" }, 1);
	blocks.n = 0;
	is_int((long long)candidates_choose(some, CANDIDATES_MAX, &pool, 4, "node-a", 7, &blocks, &all), 16,
	       "all of a small pool");
	ok(all, "and *all is true");
	pool_free(&pool);
	taken_free(&seen);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct ip_str *)a)->s, ((const struct ip_str *)b)->s);
}

/* The texts of all blocks of the pool, in order; the caller frees them. */
static struct ip_str *texts_of(const struct pool *pool, unsigned int bits, size_t *n)
{
	struct ip_str *texts = calloc(70000, sizeof(*texts));
	struct prefix block = block_of(&pool->spans[0].first, bits);

	*n = 0;
	while (*n < 70000 && pool_touches(pool, &block)) {
		const struct ip last = prefix_last(&block), next = ip_next(&last);

		texts[(*n)++] = prefix_text(&block);
		block = block_of(&next, bits);
	}
	qsort(texts, *n, sizeof(*texts), by_text);
	return texts;
}

/* Has the slice all blocks of the pool whose texts are between its first and last one, in their order? */
static bool has_all_between(const struct slice *slice, const struct ip_str *texts, size_t n)
{
	const struct ip_str first = prefix_text(&slice->blocks[0]);
	const struct ip_str *at = bsearch(&first, texts, n, sizeof(*texts), by_text);

	for (size_t i = 0; at && i < slice->n; i++)
		if (at + i >= texts + n || strcmp(at[i].s, prefix_text(&slice->blocks[i]).s) != 0)
			return false;
	return at;
}

static void test_slices(void)
{
	static const struct {
		const char *subnet, *range;
		unsigned int bits;
		long long least; /* of 2000 slices so many must have SLICE_MAX blocks */
	} cases[] = {
		{ "10.0.0.0/12", "10.0.0.1-10.15.255.254", 4, 1990 },
		{ "10.9.0.0/16", "10.9.0.1-10.9.255.254", 0, 1990 },
		{ "10.9.0.0/16", "10.9.3.7-10.9.98.254", 1, 1900 },
		{ "10.9.0.0/16", "10.9.3.7-10.9.98.254", 6, 1700 },
		{ "10.0.0.0/8", "10.0.0.1-10.255.255.254", 8, 1990 },
		{ "10.0.0.0/8", "10.0.0.1-10.255.255.254", 11, 1900 },
		{ "10.9.0.0/25", "10.9.0.1-10.9.0.126", 2, 900 },
		{ "fd00::/112", "fd00::1-fd00::ffff", 4, 1900 },
		{ "fd00::/112", "fd00::1-fd00::ffff", 0, 1990 },
		{ "fd00::/108", "fd00::1-fd00::f:ffff", 4, 1800 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice slices[SLICES_MAX];
		long long whole = 0, full = 0;
		struct ip_str *texts;
		struct pool pool;
		size_t n;

		settle(&pool, cases[i].subnet, &cases[i].range, 1);
		texts = texts_of(&pool, cases[i].bits, &n);
		for (uint64_t attempt = 0; attempt < 100; attempt++) {
			slices_choose(slices, SLICES_MAX, &pool, cases[i].bits, "node-a", attempt);
			for (size_t k = 0; k < SLICES_MAX; k++) {
				whole += has_all_between(&slices[k], texts, n);
				full += slices[k].n == SLICE_MAX;
			}
		}
		/* in a larger IPv6 range, "fd00::1:0" is between "fd00::190" and "fd00::1a0" */
		ok(whole >= (i + 1 < sizeof(cases) / sizeof(*cases) ? 2000 : 1990),
		   "%s, 2^%u addresses: a slice has all blocks between its first and last", cases[i].subnet,
		   cases[i].bits);
		ok(full >= cases[i].least, "most have %d blocks: %lld of 2000", SLICE_MAX, full);
		free(texts);
		pool_free(&pool);
	}
}

static void test_best_slice(void)
{
	struct slice slices[] = { { .n = 16, .taken = 16 },
				  { .n = 3, .taken = 5 },
				  { .n = 16, .taken = 12 },
				  { .n = 16, .taken = 10 } };

	ok(slices_best(slices, 4) == &slices[3], "the best slice has most free blocks");
	ok(!slices_best(slices, 2), "no slice has a free block, also if others' blocks are counted");
}

static void test_pick(void)
{
	static const struct {
		const char *subnet;
		const char *ranges[3];
		size_t n_ranges;
		unsigned int bits;
		long long blocks;
	} cases[] = {
		{ "10.9.0.0/24", { "10.9.0.1-10.9.0.254" }, 1, 4, 16 },
		{ "10.9.0.0/24", { "10.9.0.1-10.9.0.254" }, 1, 0, 254 },
		{ "10.9.0.0/24", { "10.9.0.10-10.9.0.20" }, 1, 4, 2 },
		{ "10.9.0.0/24",
		  { "10.9.0.1-10.9.0.3", "10.9.0.9-10.9.0.17", "10.9.0.200-10.9.0.201" },
		  3,
		  4,
		  3 },
		{ "10.9.0.0/24", { "10.9.0.1-10.9.0.254" }, 1, 8, 1 },
		{ "fd00::/116", { "fd00::1-fd00::fff" }, 1, 4, 256 },
	};
	struct pool pool;
	struct prefix first, other;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		settle(&pool, cases[i].subnet, cases[i].ranges, cases[i].n_ranges);
		is_int((long long)claim_all(&pool, cases[i].bits, "node-a", &first), cases[i].blocks,
		       "all blocks of 1 << %u in %s and so on", cases[i].bits, cases[i].ranges[0]);
		is_int((long long)claim_all(&pool, cases[i].bits, "node-b", &other), cases[i].blocks,
		       "for another node");
		pool_free(&pool);
	}
	settle(&pool, "fd00::/64", (const char *const[]){ "fd00::1-fd00::ffff:ffff:ffff:ffff" }, 1);
	is_int((long long)claim_all(&pool, 4, "node-a", &first), 5000,
	       "a wide range has at least CANDIDATES_MAX");
	claim_all(&pool, 4, "node-b", &other);
	ok(!prefix_equal(&first, &other), "nodes begin at different places");
	pool_free(&pool);
}

static void test_narrow(void)
{
	const char *const ranges[] = { "10.9.0.2-10.9.0.254" };
	struct prefix blocks[2];
	struct pool pool, narrow;

	prefix_parse("10.9.0.0/30", &blocks[0]);
	prefix_parse("10.9.0.252/30", &blocks[1]);
	settle(&pool, "10.9.0.0/24", ranges, 1);
	is_int(pool_narrow(&narrow, &pool, blocks, 2, NULL), 0, "a pool within two blocks");
	is_int((long long)pool_size(&narrow), 5,
	       "has only their addresses, without the gateway and the last one");
	ok(pool_may_give(&narrow, &(struct ip){ AF_INET, { 10, 9, 0, 3 } }), "one of them");
	ok(!pool_may_give(&narrow, &(struct ip){ AF_INET, { 10, 9, 0, 4 } }), "no other address");
	ok(pool_range(&narrow, &(struct ip){ AF_INET, { 10, 9, 0, 4 } }), "but the pool has all its ranges");
	pool_free(&narrow);
	is_int(pool_narrow(&narrow, &pool, blocks, 0, NULL), 0, "a pool within no block");
	is_int((long long)pool_size(&narrow), 0, "has no address");
	pool_free(&narrow);
	pool_free(&pool);
}

static void test_too_many(void)
{
	struct claims claims = { .n = CLAIMS_MAX };
	const struct claim claim = { .node = "a" };
	struct cni_error err = { 0 };

	is_int(claims_add(&claims, &claim, &err), -1, "there is a limit of claims");
	is_str(err.msg, "out of memory for the claims of the pool", "with its reason");
	claims = (struct claims){ .n = 0 };
	is_int(claims_add(&claims, &claim, NULL), 0, "one claim is added");
	is_str(claims.list[0].node, "a", "unchanged");
	claims_free(&claims);
}

int main(void)
{
	test_arithmetic();
	test_block_of();
	test_base64();
	test_pick();
	test_candidates();
	test_slices();
	test_best_slice();
	test_narrow();
	test_too_many();
	return done();
}
