/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool pool_in_range(const struct range *range, const struct ip *ip)
{
	return ip->family == range->start.family && ip_compare(&range->start, ip) <= 0 &&
	       ip_compare(ip, &range->end) <= 0;
}

/* The subnet has only one or two addresses, and so reserves none. */
static bool pool_is_tiny(const struct prefix *subnet)
{
	return subnet->len + 1 >= 8 * ip_size(&subnet->ip);
}

static int pool_settle_start(struct range *range, struct cni_error *err)
{
	const struct ip given = range->start;

	if (!given.family)
		range->start = pool_is_tiny(&range->subnet) ? range->subnet.ip : ip_next(&range->subnet.ip);
	else if (!prefix_contains(&range->subnet, &given))
		return cni_fail(err, CNI_CONFIG, "RangeStart %s not in network %s", ip_text(&given).s,
				prefix_text(&range->subnet).s);
	return 0;
}

static int pool_settle_end(struct range *range, struct cni_error *err)
{
	const struct ip given = range->end, last = prefix_last(&range->subnet);

	if (!given.family)
		range->end =
			pool_is_tiny(&range->subnet) || last.family == AF_INET6 ? last : ip_previous(&last);
	else if (!prefix_contains(&range->subnet, &given))
		return cni_fail(err, CNI_CONFIG, "RangeEnd %s not in network %s", ip_text(&given).s,
				prefix_text(&range->subnet).s);
	else if (ip_compare(&given, &range->start) < 0)
		return cni_fail(err, CNI_CONFIG, "RangeStart %s is after RangeEnd %s",
				ip_text(&range->start).s, ip_text(&given).s);
	if (ip_compare(&range->end, &range->start) < 0)
		return cni_fail(err, CNI_CONFIG, "RangeStart %s is the broadcast address of network %s",
				ip_text(&range->start).s, prefix_text(&range->subnet).s);
	return 0;
}

static int pool_settle_range(struct range *range, struct cni_error *err)
{
	struct prefix network = prefix_network(&range->subnet);

	if (!ip_equal(&network.ip, &range->subnet.ip))
		return cni_fail(err, CNI_CONFIG,
				"Network has host bits set. For a subnet mask of length %u the network "
				"address is %s",
				network.len, ip_text(&network.ip).s);
	if (!range->gateway_given && !pool_is_tiny(&network))
		range->gateway = ip_next(&network.ip);
	if (range->gateway.family && range->gateway.family != network.ip.family)
		return cni_fail(err, CNI_CONFIG, "gateway %s is not of the family of network %s",
				ip_text(&range->gateway).s, prefix_text(&network).s);
	if (pool_settle_start(range, err) < 0 || pool_settle_end(range, err) < 0)
		return -1;
	return 0;
}

static bool pool_ranges_overlap(const struct range *a, const struct range *b)
{
	return pool_in_range(a, &b->start) || pool_in_range(b, &a->start);
}

bool pools_overlap(const struct pool *a, const struct pool *b)
{
	for (size_t i = 0; i < a->n_ranges; i++)
		for (size_t j = 0; j < b->n_ranges; j++)
			if (pool_ranges_overlap(&a->ranges[i], &b->ranges[j]))
				return true;
	return false;
}

static int pool_settle_ranges(const struct pool *pool, struct cni_error *err)
{
	struct range *r = pool->ranges;

	if (!pool->n_ranges)
		return cni_fail(err, CNI_CONFIG, "empty range set");
	for (size_t i = 0; i < pool->n_ranges; i++) {
		if (pool_settle_range(&r[i], err) < 0)
			return -1;
		if (r[i].start.family != r[0].start.family)
			return cni_fail(err, CNI_CONFIG, "mixed address families");
	}
	for (size_t i = 0; i < pool->n_ranges; i++)
		for (size_t j = i + 1; j < pool->n_ranges; j++)
			if (pool_ranges_overlap(&r[i], &r[j]))
				return cni_fail(err, CNI_CONFIG, "subnets %s-%s and %s-%s overlap",
						ip_text(&r[i].start).s, ip_text(&r[i].end).s,
						ip_text(&r[j].start).s, ip_text(&r[j].end).s);
	return 0;
}

static int pool_add_span(struct pool *pool, size_t at, const struct span *span, struct cni_error *err)
{
	struct span *bigger = realloc(pool->spans, (pool->n_spans + 1) * sizeof(*bigger));

	if (!bigger)
		return cni_fail(err, CNI_RETRY, "out of memory");
	memmove(&bigger[at + 1], &bigger[at], (pool->n_spans - at) * sizeof(*bigger));
	bigger[at] = *span;
	pool->spans = bigger;
	pool->n_spans++;
	return 0;
}

/* Takes first..last out of span number i. Returns how many parts of it remain: 0, 1 or 2. */
static int pool_cut_span(struct pool *pool, size_t i, const struct ip *first, const struct ip *last,
			 struct cni_error *err)
{
	const struct span whole = pool->spans[i];
	struct span before = whole, after = whole;
	bool has_before = ip_compare(&whole.first, first) < 0, has_after = ip_compare(last, &whole.last) < 0;

	if (ip_compare(last, &whole.first) < 0 || ip_compare(&whole.last, first) < 0)
		return 1;
	if (has_before)
		before.last = ip_previous(first);
	if (has_after)
		after.first = ip_next(last);
	if (has_before && has_after) {
		pool->spans[i] = before;
		return pool_add_span(pool, i + 1, &after, err) < 0 ? -1 : 2;
	}
	if (has_before || has_after) {
		pool->spans[i] = has_before ? before : after;
		return 1;
	}
	pool->n_spans--;
	memmove(&pool->spans[i], &pool->spans[i + 1], (pool->n_spans - i) * sizeof(*pool->spans));
	return 0;
}

/* Takes first..last out of all spans of one range. */
static int pool_cut(struct pool *pool, size_t range, const struct ip *first, const struct ip *last,
		    struct cni_error *err)
{
	int parts;

	if (first->family != pool->ranges[range].start.family)
		return 0;
	for (size_t i = 0; i < pool->n_spans; i += (size_t)parts) {
		parts = pool->spans[i].range == range ? pool_cut_span(pool, i, first, last, err) : 1;
		if (parts < 0)
			return -1;
	}
	return 0;
}

/* Takes n prefixes out of all spans. */
static int pool_cut_prefixes(struct pool *pool, const struct prefix *prefixes, size_t n,
			     struct cni_error *err)
{
	for (size_t i = 0; i < pool->n_ranges; i++)
		for (size_t j = 0; j < n; j++) {
			const struct ip first = prefix_network(&prefixes[j]).ip,
					end = prefix_last(&prefixes[j]);

			if (pool_cut(pool, i, &first, &end, err) < 0)
				return -1;
		}
	return 0;
}

static int pool_find_spans(struct pool *pool, struct cni_error *err)
{
	for (size_t i = 0; i < pool->n_ranges; i++) {
		const struct range *range = &pool->ranges[i];
		const struct span whole = { .first = range->start, .last = range->end, .range = i };
		const struct ip last = prefix_last(&range->subnet);

		if (pool_add_span(pool, pool->n_spans, &whole, err) < 0 ||
		    pool_cut(pool, i, &range->gateway, &range->gateway, err) < 0)
			return -1;
		if (!pool_is_tiny(&range->subnet) &&
		    pool_cut(pool, i, &range->subnet.ip, &range->subnet.ip, err) < 0)
			return -1;
		if (!pool_is_tiny(&range->subnet) && last.family == AF_INET &&
		    pool_cut(pool, i, &last, &last, err) < 0)
			return -1;
	}
	return 0;
}

int pool_settle(struct pool *pool, const struct prefix *exclude, size_t n_exclude, struct cni_error *err)
{
	if (pool_settle_ranges(pool, err) < 0 || pool_find_spans(pool, err) < 0 ||
	    pool_cut_prefixes(pool, exclude, n_exclude, err) < 0)
		return -1;
	if (pool->n_spans)
		return 0;
	cni_fail(err, CNI_CONFIG, "no address of %s may be assigned", pool_text(pool).s);
	return cni_hint(err, "all are gateways, excluded, or the first or last address of a subnet");
}

int pool_keep(struct pool *pool, const struct prefix *prefixes, size_t n, struct cni_error *err)
{
	pool->asked = prefixes;
	pool->n_asked = n;
	return pool_cut_prefixes(pool, prefixes, n, err);
}

void pool_free(struct pool *pool)
{
	free(pool->ranges);
	free(pool->spans);
	*pool = (struct pool){ 0 };
}

const struct range *pool_range(const struct pool *pool, const struct ip *ip)
{
	for (size_t i = 0; i < pool->n_ranges; i++)
		if (pool_in_range(&pool->ranges[i], ip))
			return &pool->ranges[i];
	return NULL;
}

const struct range *pool_subnet(const struct pool *pool, const struct ip *ip)
{
	for (size_t i = 0; i < pool->n_ranges; i++)
		if (prefix_contains(&pool->ranges[i].subnet, ip))
			return &pool->ranges[i];
	return NULL;
}

bool pool_is_gateway(const struct pool *pool, const struct ip *ip)
{
	for (size_t i = 0; i < pool->n_ranges; i++)
		if (pool->ranges[i].gateway.family && ip_equal(&pool->ranges[i].gateway, ip))
			return true;
	return false;
}

bool pool_keeps(const struct pool *pool, const struct ip *ip)
{
	for (size_t i = 0; i < pool->n_asked; i++)
		if (prefix_contains(&pool->asked[i], ip))
			return pool_subnet(pool, ip);
	return false;
}

const struct range *pool_asked(const struct pool *pool, const struct ip *ip)
{
	const struct range *range = pool_range(pool, ip);

	return range || !pool_keeps(pool, ip) ? range : pool_subnet(pool, ip);
}

struct ip_str entry_text(const struct prefix *entry)
{
	return entry->len == 8 * ip_size(&entry->ip) ? ip_text(&entry->ip) : prefix_text(entry);
}

const char *subnet_reserved(const struct prefix *subnet, const struct ip *ip)
{
	const struct ip last = prefix_last(subnet);

	if (pool_is_tiny(subnet))
		return NULL;
	if (ip->family == AF_INET && ip_equal(ip, &last))
		return "broadcast address";
	if (!ip_equal(ip, &subnet->ip))
		return NULL;
	return ip->family == AF_INET ? "network address" : "subnet-router anycast address";
}

static bool pool_in_span(const struct span *span, const struct ip *ip)
{
	return ip->family == span->first.family && ip_compare(&span->first, ip) <= 0 &&
	       ip_compare(ip, &span->last) <= 0;
}

bool pool_may_give(const struct pool *pool, const struct ip *ip)
{
	for (size_t i = 0; i < pool->n_spans; i++)
		if (pool_in_span(&pool->spans[i], ip))
			return true;
	return false;
}

static bool pool_clamp(struct span *span, const struct prefix *prefix)
{
	const struct ip first = prefix_network(prefix).ip, last = prefix_last(prefix);

	if (first.family != span->first.family || ip_compare(&last, &span->first) < 0 ||
	    ip_compare(&span->last, &first) < 0)
		return false;
	if (ip_compare(&span->first, &first) < 0)
		span->first = first;
	if (ip_compare(&last, &span->last) < 0)
		span->last = last;
	return true;
}

bool pool_touches(const struct pool *pool, const struct prefix *prefix)
{
	for (size_t i = 0; i < pool->n_spans; i++) {
		struct span span = pool->spans[i];

		if (pool_clamp(&span, prefix))
			return true;
	}
	return false;
}

int pool_narrow(struct pool *ret, const struct pool *pool, const struct prefix *prefixes, size_t n,
		struct cni_error *err)
{
	struct pool narrow = { .ranges = malloc(pool->n_ranges * sizeof(*narrow.ranges)) };

	if (!narrow.ranges)
		return cni_fail(err, CNI_RETRY, "out of memory");
	memcpy(narrow.ranges, pool->ranges, pool->n_ranges * sizeof(*narrow.ranges));
	narrow.n_ranges = pool->n_ranges;
	narrow.asked = pool->asked;
	narrow.n_asked = pool->n_asked;
	narrow.number = pool->number;
	narrow.whom = pool->whom;
	narrow.identities = pool->identities;
	for (size_t i = 0; i < pool->n_spans; i++)
		for (size_t j = 0; j < n; j++) {
			struct span span = pool->spans[i];

			if (!pool_clamp(&span, &prefixes[j]) ||
			    pool_add_span(&narrow, narrow.n_spans, &span, err) == 0)
				continue;
			pool_free(&narrow);
			return -1;
		}
	*ret = narrow;
	return 0;
}

uint64_t pool_position(const struct pool *pool, const struct ip *ip)
{
	const struct range *range = pool->ranges;
	uint64_t before = 0;

	for (; !pool_in_range(range, ip) && range < &pool->ranges[pool->n_ranges - 1]; range++)
		before += ip_distance(&range->start, &range->end) + 1;
	return before + ip_distance(&range->start, ip);
}

uint64_t pool_size(const struct pool *pool)
{
	uint64_t size = 0;

	for (size_t i = 0; i < pool->n_spans; i++) {
		uint64_t more = ip_distance(&pool->spans[i].first, &pool->spans[i].last);

		if (more == IP_DISTANCE_MAX || __builtin_add_overflow(size, more + 1, &size))
			return UINT64_MAX;
	}
	return size;
}

struct pool_str pool_text(const struct pool *pool)
{
	struct pool_str text = { "" };
	size_t used = 0;

	for (size_t i = 0; i < pool->n_ranges && used < sizeof(text.s); i++)
		used += (size_t)snprintf(text.s + used, sizeof(text.s) - used, "%s%s-%s", i ? "," : "",
					 ip_text(&pool->ranges[i].start).s, ip_text(&pool->ranges[i].end).s);
	return text;
}

/* The two parts of a walk: addresses up to and including last, and those after it, in the order of the
 * ranges. */
enum part { UP_TO_LAST, AFTER_LAST };

/* Clips span to the part of the walk. False: nothing of it remains. */
static bool pool_clip(struct span *span, enum part part, size_t last_range, const struct ip *last)
{
	if (span->range != last_range)
		return (span->range > last_range) == (part == AFTER_LAST);
	if (part == AFTER_LAST && ip_compare(&span->first, last) <= 0) {
		if (ip_compare(&span->last, last) <= 0)
			return false;
		span->first = ip_next(last);
	}
	if (part == UP_TO_LAST && ip_compare(&span->last, last) > 0) {
		if (ip_compare(&span->first, last) > 0)
			return false;
		span->last = *last;
	}
	return true;
}

static enum found pool_walk_span(const struct span *span,
				 enum found (*accept)(void *arg, struct ip *ip, struct cni_error *err),
				 void *arg, struct ip *ret, struct cni_error *err)
{
	for (struct ip ip = span->first;; ip = ip_next(&ip)) {
		enum found found = accept(arg, &ip, err);

		if (found != FOUND_NOT) {
			*ret = ip;
			return found;
		}
		if (ip_compare(&ip, &span->last) >= 0)
			return FOUND_NOT;
	}
}

enum found pool_walk(const struct pool *pool, const struct ip *last,
		     enum found (*accept)(void *arg, struct ip *ip, struct cni_error *err), void *arg,
		     struct ip *ret, struct cni_error *err)
{
	const struct range *from = pool_range(pool, last);
	size_t last_range = from ? (size_t)(from - pool->ranges) : 0;
	const enum part parts[] = { AFTER_LAST, UP_TO_LAST };

	for (size_t p = 0; p < 2; p++) {
		for (size_t i = 0; i < pool->n_spans; i++) {
			struct span span = pool->spans[i];
			enum found found;

			if (from ? !pool_clip(&span, parts[p], last_range, last) : parts[p] == UP_TO_LAST)
				continue;
			found = pool_walk_span(&span, accept, arg, ret, err);
			if (found != FOUND_NOT)
				return found;
		}
	}
	return FOUND_NOT;
}
