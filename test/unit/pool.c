/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "tap.h"

/*
 * A pool from text: ranges with a blank between, each
 * subnet[,rangeStart[,rangeEnd[,gateway]]]; an empty part is not given, and
 * the gateway may be "none". Then the excluded prefixes.
 */
static int settle(struct pool *pool, const char *ranges, const char *exclude, struct cni_error *err)
{
	char copy[1024], *rest = NULL;
	struct prefix excluded[32];
	size_t n_excluded = 0;

	*pool = (struct pool){ .ranges = calloc(64, sizeof(*pool->ranges)) };
	*err = (struct cni_error){ 0 };
	snprintf(copy, sizeof(copy), "%s", ranges);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		struct range *range = &pool->ranges[pool->n_ranges++];
		const char *subnet = strsep(&word, ","), *start = strsep(&word, ","),
			   *end = strsep(&word, ","), *gateway = strsep(&word, ",");

		prefix_parse(subnet, &range->subnet);
		ip_parse(start ? start : "", &range->start);
		ip_parse(end ? end : "", &range->end);
		ip_parse(gateway ? gateway : "", &range->gateway);
		range->gateway_given = gateway;
	}
	snprintf(copy, sizeof(copy), "%s", exclude);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		prefix_parse(word, &excluded[n_excluded++]);
	return pool_settle(pool, excluded, n_excluded, err);
}

static struct ip address(const char *text)
{
	struct ip ip = { .family = 0 };

	ip_parse(text, &ip);
	return ip;
}

struct text {
	char s[4096];
};

static void append(struct text *text, const struct ip *ip)
{
	size_t used = strlen(text->s);

	snprintf(text->s + used, sizeof(text->s) - used, "%s%s", used ? " " : "", ip_text(ip).s);
}

/* Accepts no address, and notes all. */
static enum found note(void *arg, struct ip *ip, struct cni_error *err)
{
	(void)err;
	append(arg, ip);
	return FOUND_NOT;
}

static struct text walked(const struct pool *pool, const char *last)
{
	const struct ip from = address(last);
	struct text text = { "" };
	struct ip ip;

	pool_walk(pool, &from, note, &text, &ip, NULL);
	return text;
}

static struct text spans(const struct pool *pool)
{
	struct text text = { "" };
	size_t used = 0;

	for (size_t i = 0; i < pool->n_spans; i++)
		used += (size_t)snprintf(text.s + used, sizeof(text.s) - used, "%s%s-%s", i ? " " : "",
					 ip_text(&pool->spans[i].first).s, ip_text(&pool->spans[i].last).s);
	return text;
}

static void test_defaults(void)
{
	static const struct {
		const char *ranges, *text, *gateway;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.1-192.0.2.254", "192.0.2.1" },
		{ "192.0.2.0/25", "192.0.2.1-192.0.2.126", "192.0.2.1" },
		{ "192.0.2.128/25", "192.0.2.129-192.0.2.254", "192.0.2.129" },
		{ "2001:db8:1::/64", "2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff", "2001:db8:1::1" },
		{ "192.0.2.0/30", "192.0.2.1-192.0.2.2", "192.0.2.1" },
		{ "fd00::/126", "fd00::1-fd00::3", "fd00::1" },
		{ "192.0.2.0/24,192.0.2.40,192.0.2.50,192.0.2.254", "192.0.2.40-192.0.2.50", "192.0.2.254" },
		{ "192.0.2.0/24,,192.0.2.50", "192.0.2.1-192.0.2.50", "192.0.2.1" },
		{ "192.0.2.0/24,192.0.2.40", "192.0.2.40-192.0.2.254", "192.0.2.1" },
		{ "192.0.2.0/24,192.0.2.40,192.0.2.40", "192.0.2.40-192.0.2.40", "192.0.2.1" },
		{ "192.0.2.0/24,192.0.2.0,192.0.2.255", "192.0.2.0-192.0.2.255", "192.0.2.1" },
		{ "192.0.2.0/24,,,none", "192.0.2.1-192.0.2.254", "" },
		{ "192.0.2.0/24,,,10.0.0.1", "192.0.2.1-192.0.2.254", "10.0.0.1" },
		/* RFC 3021 and 6164 */
		{ "192.0.2.2/31", "192.0.2.2-192.0.2.3", "" },
		{ "192.0.2.2/32", "192.0.2.2-192.0.2.2", "" },
		{ "192.0.2.2/31,,,192.0.2.2", "192.0.2.2-192.0.2.3", "192.0.2.2" },
		{ "fd00::/127", "fd00::-fd00::1", "" },
		{ "fd00::9/128", "fd00::9-fd00::9", "" },
		{ "0.0.0.0/0", "0.0.0.1-255.255.255.254", "0.0.0.1" },
		{ "::/0", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1" },
		{ "10.0.0.0/24 10.0.1.0/24", "10.0.0.1-10.0.0.254,10.0.1.1-10.0.1.254", "10.0.0.1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_error err;
		struct pool pool;

		is_int(settle(&pool, cases[i].ranges, "", &err), 0, "%s is a pool", cases[i].ranges);
		is_str(pool_text(&pool).s, cases[i].text, "the range of %s", cases[i].ranges);
		is_str(ip_text(&pool.ranges[0].gateway).s, cases[i].gateway, "the gateway of %s",
		       cases[i].ranges);
		pool_free(&pool);
	}
}

static void test_errors(void)
{
	static const struct {
		const char *ranges, *exclude, *msg;
	} cases[] = {
		{ "", "", "empty range set" },
		{ "192.0.2.12/24", "",
		  "Network has host bits set. For a subnet mask of length 24 the network address is "
		  "192.0.2.0" },
		{ "2001:db8:1::/24", "",
		  "Network has host bits set. For a subnet mask of length 24 the network address is "
		  "2001:d00::" },
		{ "fd00::1/64", "",
		  "Network has host bits set. For a subnet mask of length 64 the network address is fd00::" },
		{ "192.0.2.0/24,192.0.3.0", "", "RangeStart 192.0.3.0 not in network 192.0.2.0/24" },
		{ "192.0.2.0/24,192.0.1.255", "", "RangeStart 192.0.1.255 not in network 192.0.2.0/24" },
		{ "192.0.2.0/24,fd00::1", "", "RangeStart fd00::1 not in network 192.0.2.0/24" },
		{ "192.0.2.0/24,,192.0.4.0", "", "RangeEnd 192.0.4.0 not in network 192.0.2.0/24" },
		{ "192.0.2.0/24,,fd00::1", "", "RangeEnd fd00::1 not in network 192.0.2.0/24" },
		{ "192.0.2.0/24,,192.0.2.0", "", "RangeStart 192.0.2.1 is after RangeEnd 192.0.2.0" },
		{ "192.0.2.0/24,192.0.2.50,192.0.2.40", "",
		  "RangeStart 192.0.2.50 is after RangeEnd 192.0.2.40" },
		{ "192.0.2.0/24,192.0.2.255", "",
		  "RangeStart 192.0.2.255 is the broadcast address of network 192.0.2.0/24" },
		{ "fd00::/64,fd00:0:0:1::", "", "RangeStart fd00:0:0:1:: not in network fd00::/64" },
		{ "192.0.2.0/24,,,fd00::1", "",
		  "gateway fd00::1 is not of the family of network 192.0.2.0/24" },
		{ "fd00::/64,,,192.0.2.1", "",
		  "gateway 192.0.2.1 is not of the family of network fd00::/64" },
		{ "192.0.2.0/24 fd00::/64", "", "mixed address families" },
		{ "10.0.0.0/24 10.0.1.0/24 10.0.0.0/24", "",
		  "subnets 10.0.0.1-10.0.0.254 and 10.0.0.1-10.0.0.254 overlap" },
		{ "10.0.0.0/20 10.0.1.0/24", "",
		  "subnets 10.0.0.1-10.0.15.254 and 10.0.1.1-10.0.1.254 overlap" },
		{ "192.0.2.0/30", "192.0.2.2/32", "no address of 192.0.2.1-192.0.2.2 may be assigned" },
		{ "192.0.2.0/32,,,192.0.2.0", "", "no address of 192.0.2.0-192.0.2.0 may be assigned" },
		{ "192.0.2.0/24,,192.0.2.1", "", "no address of 192.0.2.1-192.0.2.1 may be assigned" },
		{ "::/0", "::/0",
		  "no address of ::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff may be assigned" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_error err;
		struct pool pool;

		is_int(settle(&pool, cases[i].ranges, cases[i].exclude, &err), -1, "%s is not a pool",
		       cases[i].ranges);
		is_int(err.code, CNI_CONFIG, "the code is that of a wrong configuration");
		is_str(err.msg, cases[i].msg, "with its reason");
		pool_free(&pool);
	}
}

/* Which addresses a pool has, at its bounds. */
static void test_contains(void)
{
	static const struct {
		const char *ranges, *ip;
		bool contains, may_give;
	} cases[] = {
		{ "192.0.2.0/24,192.0.2.40,192.0.2.50", "192.0.3.0", false, false },
		{ "192.0.2.0/24,192.0.2.40,192.0.2.50", "192.0.2.39", false, false },
		{ "192.0.2.0/24,192.0.2.40,192.0.2.50", "192.0.2.40", true, true },
		{ "192.0.2.0/24,192.0.2.40,192.0.2.50", "192.0.2.50", true, true },
		{ "192.0.2.0/24,192.0.2.40,192.0.2.50", "192.0.2.51", false, false },
		{ "2001:db8:1::/64,2001:db8:1::40,2001:db8:1::50", "2001:db8:2::", false, false },
		{ "2001:db8:1::/64,2001:db8:1::40,2001:db8:1::50", "2001:db8:1::39", false, false },
		{ "2001:db8:1::/64,2001:db8:1::40,2001:db8:1::50", "2001:db8:1::40", true, true },
		{ "2001:db8:1::/64,2001:db8:1::40,2001:db8:1::50", "2001:db8:1::50", true, true },
		{ "2001:db8:1::/64,2001:db8:1::40,2001:db8:1::50", "2001:db8:1::51", false, false },
		{ "192.0.2.0/24", "192.0.2.0", false, false },
		{ "192.0.2.0/24", "192.0.2.1", true, false },
		{ "192.0.2.0/24", "192.0.2.254", true, true },
		{ "192.0.2.0/24", "192.0.2.255", false, false },
		{ "192.0.2.0/24,192.0.2.0,192.0.2.255", "192.0.2.0", true, false },
		{ "192.0.2.0/24,192.0.2.0,192.0.2.255", "192.0.2.255", true, false },
		{ "fd00::/64", "fd00::ffff:ffff:ffff:ffff", true, true },
		{ "fd00::/64,fd00::", "fd00::", true, false },
		/* a set: membership in any of its ranges */
		{ "10.0.0.0/24 172.16.1.0/24", "10.0.0.7", true, true },
		{ "10.0.0.0/24 172.16.1.0/24", "172.16.1.254", true, true },
		{ "10.0.0.0/24 172.16.1.0/24", "172.16.2.7", false, false },
		{ "10.0.0.0/24 172.16.1.0/24", "::ffff:10.0.0.7", true, true },
		{ "10.0.0.0/24 172.16.1.0/24", "fd00::1", false, false },
		{ "::/0", "10.0.0.7", false, false },
		{ "10.0.0.0/24", "", false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct ip ip = address(cases[i].ip);
		struct cni_error err;
		struct pool pool;

		settle(&pool, cases[i].ranges, "", &err);
		is_int(pool_range(&pool, &ip) != NULL, cases[i].contains, "%s %s in %s", cases[i].ip,
		       cases[i].contains ? "is" : "is not", cases[i].ranges);
		is_int(pool_may_give(&pool, &ip), cases[i].may_give, "it %s be assigned",
		       cases[i].may_give ? "may" : "may not");
		pool_free(&pool);
	}
}

static void test_overlaps(void)
{
	static const struct {
		const char *name, *a, *b;
		bool overlap;
	} cases[] = {
		{ "subnets side by side", "10.0.0.0/24", "10.0.1.0/24", false },
		{ "different families", "0.0.0.0/0", "::/0", false },
		{ "identical", "10.0.0.0/24", "10.0.0.0/24", true },
		{ "identical, IPv6", "fd00::/64", "fd00::/64", true },
		{ "one subnet in the other", "10.0.0.0/20", "10.0.1.0/24", true },
		{ "one subnet in two parts", "10.0.0.0/24,,10.0.0.127", "10.0.0.0/24,10.0.0.128", false },
		{ "one subnet in two parts with an address in common", "10.0.0.0/24,,10.0.0.127",
		  "10.0.0.0/24,10.0.0.127", true },
		{ "parts of a subnet and of one in it", "10.0.0.0/24,,10.0.0.127", "10.0.0.128/25", false },
		{ "sets that share one subnet of two", "10.0.0.0/20 10.2.1.0/24", "10.1.0.0/20 10.2.1.0/24",
		  true },
		{ "sets that share none", "10.0.0.0/20 10.2.1.0/24", "10.1.0.0/20 10.2.2.0/24", false },
		{ "the last IPv4 addresses", "255.255.255.254/31", "255.255.255.255/32", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_error err;
		struct pool a, b;

		settle(&a, cases[i].a, "", &err);
		settle(&b, cases[i].b, "", &err);
		is_int(pools_overlap(&a, &b), cases[i].overlap, "%s: %s", cases[i].name,
		       cases[i].overlap ? "they overlap" : "they do not overlap");
		is_int(pools_overlap(&b, &a), cases[i].overlap, "the same the other way round");
		pool_free(&a);
		pool_free(&b);
	}
}

static void test_spans(void)
{
	static const struct {
		const char *ranges, *exclude, *spans;
	} cases[] = {
		{ "10.9.0.0/24", "10.9.0.16/28", "10.9.0.2-10.9.0.15 10.9.0.32-10.9.0.254" },
		{ "10.9.0.0/24", "10.9.0.2/32", "10.9.0.3-10.9.0.254" },
		{ "10.9.0.0/24", "10.9.0.254/32", "10.9.0.2-10.9.0.253" },
		{ "10.9.0.0/24", "10.9.0.0/25 10.9.0.64/26", "10.9.0.128-10.9.0.254" },
		{ "10.9.0.0/24", "10.9.0.64/26 10.9.0.0/25", "10.9.0.128-10.9.0.254" },
		{ "10.9.0.0/24", "10.9.0.5/32 10.9.0.5/32", "10.9.0.2-10.9.0.4 10.9.0.6-10.9.0.254" },
		{ "10.9.0.0/24", "10.9.0.5/32 10.9.0.7/32 10.9.0.6/32",
		  "10.9.0.2-10.9.0.4 10.9.0.8-10.9.0.254" },
		{ "10.9.0.0/24", "10.9.0.77/26", "10.9.0.2-10.9.0.63 10.9.0.128-10.9.0.254" },
		{ "10.9.0.0/24", "10.8.0.0/16 10.10.0.0/16 fd00::/8", "10.9.0.2-10.9.0.254" },
		{ "10.9.0.0/24 10.9.1.0/24", "10.9.0.128/25 10.9.1.0/25",
		  "10.9.0.2-10.9.0.127 10.9.1.128-10.9.1.254" },
		{ "10.9.0.0/24 10.9.1.0/24", "10.9.0.0/24", "10.9.1.2-10.9.1.254" },
		{ "10.9.0.0/24,,,10.9.0.9", "", "10.9.0.1-10.9.0.8 10.9.0.10-10.9.0.254" },
		/* the gateway of one range is reserved only in that range */
		{ "10.9.0.0/24,,10.9.0.9,10.9.0.20 10.9.0.0/24,10.9.0.10,,10.9.0.5", "",
		  "10.9.0.1-10.9.0.9 10.9.0.10-10.9.0.254" },
		{ "fd00::/64", "fd00::/80", "fd00::1:0:0:0-fd00::ffff:ffff:ffff:ffff" },
		{ "::/0", "8000::/1", "::2-7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "::/0", "::/1", "8000::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "0.0.0.0/0,,,none", "0.0.0.0/1 255.255.255.254/32", "128.0.0.0-255.255.255.253" },
		{ "255.255.255.254/31", "255.255.255.255/32", "255.255.255.254-255.255.255.254" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_error err;
		struct pool pool;

		is_int(settle(&pool, cases[i].ranges, cases[i].exclude, &err), 0, "%s without %s is a pool",
		       cases[i].ranges, cases[i].exclude);
		is_str(spans(&pool).s, cases[i].spans, "the addresses that may be assigned");
		pool_free(&pool);
	}
}

static void test_sizes(void)
{
	static const struct {
		const char *ranges, *exclude;
		unsigned long long size;
	} cases[] = {
		{ "10.9.0.0/24", "", 253 },
		{ "10.9.0.0/24,,,none", "", 254 },
		{ "10.9.0.0/24 10.9.1.0/30", "10.9.0.128/25", 126 + 1 },
		{ "10.9.0.0/31", "", 2 },
		{ "10.9.0.0/32", "", 1 },
		{ "10.0.0.0/8", "", (1 << 24) - 3 },
		{ "0.0.0.0/0", "", 0xfffffffdULL },
		{ "fd00::/127", "", 2 },
		{ "fd00::/120", "", 254 },
		{ "fd00::/96", "", 0xfffffffeULL },
		{ "fd00::/80", "", (1ULL << 48) - 2 },
		/* borrows over several bytes */
		{ "fd00::/64,fd00::ffff:ff00,fd00::1:0:0:5", "", 0xffff000000fe + 1 + 7 },
		{ "fd00::/66", "", (1ULL << 62) - 2 },
		{ "fd00::/64", "", UINT64_MAX },
		{ "::/0", "", UINT64_MAX },
		{ "fd00::/66 fd00:0:0:1::/66 fd00:0:0:2::/66 fd00:0:0:3::/66 fd00:0:0:4::/66", "",
		  UINT64_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_error err;
		struct pool pool;
		uint64_t size;

		settle(&pool, cases[i].ranges, cases[i].exclude, &err);
		size = pool_size(&pool);
		/* 2^63 or more may be reported as the maximum */
		ok(size == cases[i].size || (size == UINT64_MAX && cases[i].size >> 63),
		   "%s without \"%s\" has %llu addresses (%llu)", cases[i].ranges, cases[i].exclude,
		   cases[i].size, (unsigned long long)size);
		pool_free(&pool);
	}
}

/* The order in which addresses are tried, after the last assigned one. */
static void test_walks(void)
{
	static const struct {
		const char *name, *ranges, *exclude, *last, *walk;
	} cases[] = {
		{ "from the beginning", "192.168.1.0/29", "", "",
		  "192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5 192.168.1.6" },
		{ "from the end", "192.168.1.0/29", "", "192.168.1.6",
		  "192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5 192.168.1.6" },
		{ "from the middle", "192.168.1.0/29", "", "192.168.1.3",
		  "192.168.1.4 192.168.1.5 192.168.1.6 192.168.1.2 192.168.1.3" },
		{ "after one outside", "192.168.1.0/29", "", "192.168.2.3",
		  "192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5 192.168.1.6" },
		{ "after one of another family", "192.168.1.0/29", "", "fd00::1",
		  "192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5 192.168.1.6" },
		{ "after the gateway", "192.168.1.0/29", "", "192.168.1.1",
		  "192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5 192.168.1.6" },
		{ "after one that is excluded", "192.168.1.0/29", "192.168.1.3/32", "192.168.1.3",
		  "192.168.1.4 192.168.1.5 192.168.1.6 192.168.1.2" },
		{ "over excluded addresses", "192.168.1.0/29", "192.168.1.4/31", "192.168.1.3",
		  "192.168.1.6 192.168.1.2 192.168.1.3" },
		{ "from the first range", "10.0.0.0/30 10.0.1.0/30 10.0.2.0/30", "", "",
		  "10.0.0.2 10.0.1.2 10.0.2.2" },
		{ "after the end of the first range", "10.0.0.0/30 10.0.1.0/30 10.0.2.0/30", "", "10.0.0.2",
		  "10.0.1.2 10.0.2.2 10.0.0.2" },
		{ "after the end of the last range", "10.0.0.0/30 10.0.1.0/30 10.0.2.0/30", "", "10.0.2.2",
		  "10.0.0.2 10.0.1.2 10.0.2.2" },
		{ "from within the second range", "10.0.0.0/30 10.0.1.0/29", "", "10.0.1.3",
		  "10.0.1.4 10.0.1.5 10.0.1.6 10.0.0.2 10.0.1.2 10.0.1.3" },
		{ "in the order of the ranges", "10.0.1.0/30 10.0.0.0/30", "", "", "10.0.1.2 10.0.0.2" },
		{ "an IPv6 range over a carry", "fd00::/64,fd00::fffe,fd00::1:1", "", "fd00::ffff",
		  "fd00::1:0 fd00::1:1 fd00::fffe fd00::ffff" },
		{ "the last IPv4 addresses", "255.255.255.252/30,,,none", "", "255.255.255.253",
		  "255.255.255.254 255.255.255.253" },
		{ "up to the last IPv6 address", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126,,,none", "",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffd "
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe" },
		{ "a single one", "10.0.0.7/32", "", "10.0.0.7", "10.0.0.7" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_error err;
		struct pool pool;

		settle(&pool, cases[i].ranges, cases[i].exclude, &err);
		is_str(walked(&pool, cases[i].last).s, cases[i].walk, "%s", cases[i].name);
		pool_free(&pool);
	}
}

static enum found accept_fourth(void *arg, struct ip *ip, struct cni_error *err)
{
	int *calls = arg;

	(void)ip, (void)err;
	return ++*calls == 4 ? FOUND : FOUND_NOT;
}

static enum found fail_at_once(void *arg, struct ip *ip, struct cni_error *err)
{
	int *calls = arg;

	(void)ip;
	++*calls;
	return cni_fail(err, CNI_IO, "no");
}

static void test_answers(void)
{
	struct ip ip = { .family = 0 }, none = { .family = 0 };
	struct cni_error err;
	struct pool pool;
	int calls = 0;

	settle(&pool, "192.168.1.0/29", "", &err);
	is_int(pool_walk(&pool, &none, accept_fourth, &calls, &ip, &err), FOUND, "a walk ends with success");
	is_str(ip_text(&ip).s, "192.168.1.5", "at the address that was accepted");
	is_int(calls, 4, "and tries no further address");
	calls = 0;
	is_int(pool_walk(&pool, &none, fail_at_once, &calls, &ip, &err), FOUND_FAILED,
	       "a walk ends with the first failure");
	is_int(calls, 1, "and tries no further address");
	is_str(err.msg, "no", "and has its error");
	pool_free(&pool);
}

static void test_text(void)
{
	char ranges[1024] = "", begin[] = "10.0.0.0-10.0.0.1,10.0.1.0-10.0.1.1,";
	struct cni_error err;
	struct pool pool;
	size_t used = 0;

	for (int i = 0; i < 50; i++)
		used += (size_t)snprintf(ranges + used, sizeof(ranges) - used, "10.0.%d.0/31 ", i);
	is_int(settle(&pool, ranges, "", &err), 0, "a pool can have 50 ranges");
	is_int((long long)strlen(pool_text(&pool).s), sizeof(struct pool_str) - 1, "its text is cut");
	ok(!strncmp(pool_text(&pool).s, begin, strlen(begin)), "it begins with the first ranges");
	pool_free(&pool);
}

static unsigned int random_number(unsigned int below)
{
	static unsigned int state = 1;

	state = state * 1103515245 + 12345;
	return (state >> 16) % below;
}

/* A random pool in 10.0.0.0/24, or fd00::/120, and, by simple rules, which last bytes may be assigned. */
static void make_random(const char *base, bool v4, char *ranges, size_t ranges_size, char *exclude,
			size_t exclude_size, bool free_bytes[256])
{
	unsigned int halves = 1 + random_number(2), offset = 0;
	size_t used = 0;

	memset(free_bytes, 0, 256);
	*ranges = *exclude = '\0';
	for (unsigned int h = 0; h < halves; h++, offset += 256 / halves) {
		unsigned int size = 256 / halves, start = 1 + random_number(size - 2),
			     end = start + random_number(size - start), gateway = random_number(size);

		used += (size_t)snprintf(ranges + used, ranges_size - used,
					 v4 ? "%s%u/%u,%s%u,%s%u,%s%u " : "%s%x/%u,%s%x,%s%x,%s%x ", base,
					 offset, (v4 ? 24 : 120) + halves - 1, base, offset + start, base,
					 offset + end, base, offset + gateway);
		for (unsigned int i = start; i <= end; i++)
			free_bytes[offset + i] = i != gateway && !(v4 && i == size - 1);
	}
	used = 0;
	for (unsigned int n = random_number(5); n > 0; n--) {
		unsigned int bits = random_number(6), first = random_number(256) >> bits << bits;

		used += (size_t)snprintf(exclude + used, exclude_size - used, v4 ? "%s%u/%u " : "%s%x/%u ",
					 base, first, (v4 ? 32 : 128) - bits);
		memset(free_bytes + first, 0, (size_t)1 << bits);
	}
}

/* The expected walk after last, by the same rules. */
static struct text expected(const char *base, bool v4, const bool free_bytes[256], unsigned int last)
{
	struct text text = { "" };

	for (unsigned int i = 1; i <= 256; i++) {
		char name[80];
		struct ip ip;

		snprintf(name, sizeof(name), v4 ? "%s%u" : "%s%x", base, (last + i) % 256);
		ip = address(name);
		if (free_bytes[(last + i) % 256])
			append(&text, &ip);
	}
	return text;
}

static void test_at_random(void)
{
	int wrong_walks = 0, wrong_sizes = 0, refused = 0, n = 0;

	for (int i = 0; i < 4000; i++) {
		bool v4 = i % 2, free_bytes[256];
		const char *base = v4 ? "10.0.0." : "fd00::";
		char ranges[512], exclude[512], last[80];
		struct cni_error err;
		struct pool pool;
		size_t size = 0;
		unsigned int from;
		struct ip ip;

		make_random(base, v4, ranges, sizeof(ranges), exclude, sizeof(exclude), free_bytes);
		for (size_t b = 0; b < 256; b++)
			size += free_bytes[b];
		if (settle(&pool, ranges, exclude, &err) < 0) {
			refused++;
			wrong_sizes += size != 0;
			pool_free(&pool);
			continue;
		}
		n++;
		wrong_sizes += pool_size(&pool) != size;
		from = random_number(256);
		snprintf(last, sizeof(last), v4 ? "%s%u" : "%s%x", base, from);
		ip = address(last);
		if (!pool_range(&pool, &ip))
			from = 255;
		if (strcmp(walked(&pool, last).s, expected(base, v4, free_bytes, from).s) != 0) {
			tap_because("%s without %s, after %s:\n#   %s\n#   %s", ranges, exclude, last,
				    walked(&pool, last).s, expected(base, v4, free_bytes, from).s);
			wrong_walks++;
		}
		pool_free(&pool);
	}
	is_int(wrong_walks, 0, "%d pools at random are walked as simple rules say", n);
	is_int(wrong_sizes, 0, "their sizes and the %d refused pools agree with the rules too", refused);
	ok(n > 1000, "most of them are pools");
}

static void test_positions(void)
{
	const struct {
		const char *ranges, *ip;
		uint64_t position;
	} rows[] = {
		{ "10.9.0.0/24", "10.9.0.1", 0 },
		{ "10.9.0.0/24", "10.9.0.254", 253 },
		{ "10.9.0.0/24 10.8.0.0/24", "10.8.0.1", 254 },
		{ "10.9.0.0/24 10.8.0.0/24 10.7.0.0/16", "10.7.1.0", 508 + 255 },
		{ "fd00::/64", "fd00::1:0", 65535 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct ip ip = address(rows[i].ip);
		struct cni_error err;
		struct pool pool;

		settle(&pool, rows[i].ranges, "", &err);
		ok(pool_position(&pool, &ip) == rows[i].position, "%s is number %d of %s", rows[i].ip,
		   (int)rows[i].position, rows[i].ranges);
		pool_free(&pool);
	}
}

int main(void)
{
	test_defaults();
	test_errors();
	test_contains();
	test_overlaps();
	test_spans();
	test_sizes();
	test_positions();
	test_walks();
	test_answers();
	test_text();
	test_at_random();
	return done();
}
