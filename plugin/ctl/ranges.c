/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ranges.h"

#include <stdio.h>
#include <string.h>

#include "cni/json.h"

static const char *ranges_text_of(const json_t *object, const char *key)
{
	return json_string_value(json_field(object, key));
}

/* host-local and addrpool reserve no address in subnets of fewer than four. */
static bool ranges_is_tiny(const struct prefix *subnet)
{
	return subnet->len + 1 >= 8 * ip_size(&subnet->ip);
}

static void ranges_fill_in(struct address_range *range, const char *gateway)
{
	const struct prefix *subnet = &range->subnet;
	const struct ip last = prefix_last(subnet);
	const bool tiny = ranges_is_tiny(subnet);

	if (!range->start.family)
		range->start = tiny ? subnet->ip : ip_next(&subnet->ip);
	if (!range->end.family)
		range->end = tiny || last.family == AF_INET6 ? last : ip_previous(&last);
	range->gateway_given = gateway && *gateway;
	if (range->gateway_given)
		ip_parse(gateway, &range->gateway); /* "none" cannot be parsed: family 0 */
	else if (!tiny)
		range->gateway = ip_next(&subnet->ip);
}

static void ranges_add(struct ranges *ret, const json_t *entry)
{
	const char *subnet = ranges_text_of(entry, "subnet"), *start = ranges_text_of(entry, "rangeStart"),
		   *end = ranges_text_of(entry, "rangeEnd");
	struct address_range range = { .gateway_given = false };

	if (!subnet || !prefix_parse(subnet, &range.subnet) || ret->n == RANGES_MAX)
		return;
	range.subnet = prefix_network(&range.subnet);
	if ((start && *start && !ip_parse(start, &range.start)) ||
	    (end && *end && !ip_parse(end, &range.end)))
		return;
	ranges_fill_in(&range, ranges_text_of(entry, "gateway"));
	if (range.start.family != range.end.family)
		return;
	if (ip_compare(&range.start, &range.end) <= 0)
		ret->list[ret->n++] = range;
	else
		ret->backwards = range;
}

/* Adds an address of the IPAM plugin static. */
static void ranges_add_static(struct ranges *ret, const json_t *entry)
{
	const char *address = ranges_text_of(entry, "address"), *gateway = ranges_text_of(entry, "gateway");
	struct address_range range = { .gateway_given = gateway && *gateway };

	if (!address || !prefix_parse(address, &range.subnet) || ret->n == RANGES_MAX)
		return;
	range.start = range.end = range.subnet.ip;
	range.subnet = prefix_network(&range.subnet);
	if (range.gateway_given)
		ip_parse(gateway, &range.gateway);
	ret->list[ret->n++] = range;
}

void ranges_read_sets(struct ranges *ret, const json_t *ipam)
{
	const json_t *set, *entry;
	size_t i, k;

	ranges_add(ret, ipam);
	json_array_foreach(json_field(ipam, "ranges"), i, set)
		json_array_foreach(set, k, entry)
			ranges_add(ret, entry);
}

void ranges_read(struct ranges *ret, const json_t *plugin)
{
	const json_t *ipam = json_field(plugin, "ipam"), *entry;
	const char *type = ranges_text_of(ipam, "type");
	size_t i;

	*ret = (struct ranges){ .n = 0, .exclude = json_field(ipam, "exclude") };
	if (!type)
		return;
	ret->pool = !strcmp(type, "addrpool") || !strcmp(type, "host-local");
	if (!strcmp(type, "static"))
		json_array_foreach(json_field(ipam, "addresses"), i, entry)
			ranges_add_static(ret, entry);
	if (ret->pool)
		ranges_read_sets(ret, ipam);
}

static bool ranges_is_excluded(const struct ranges *ranges, const struct ip *ip)
{
	const json_t *entry;
	struct prefix prefix;
	struct ip one;
	size_t i;

	json_array_foreach(ranges->exclude, i, entry) {
		const char *text = json_string_value(entry);

		if (text && ((ip_parse(text, &one) && ip_equal(&one, ip)) ||
			     (prefix_parse(text, &prefix) && prefix_contains(&prefix, ip))))
			return true;
	}
	return false;
}

const struct address_range *ranges_give(const struct ranges *ranges, const struct ip *ip)
{
	for (size_t i = 0; i < ranges->n; i++) {
		const struct address_range *range = &ranges->list[i];

		if (range->start.family == ip->family && ip_compare(&range->start, ip) <= 0 &&
		    ip_compare(ip, &range->end) <= 0)
			return ip_equal(&range->gateway, ip) || ranges_is_excluded(ranges, ip) ? NULL : range;
	}
	return NULL;
}

/* Finds the first address from the later start to the earlier end that neither excludes. */
static bool range_meets(const struct ranges *a, const struct ranges *b, const struct address_range *x,
			const struct address_range *y, struct ip *ret)
{
	const struct ip *end = ip_compare(&x->end, &y->end) < 0 ? &x->end : &y->end;
	struct ip ip = ip_compare(&x->start, &y->start) > 0 ? x->start : y->start;

	for (int i = 0; i < 4096 && ip_compare(&ip, end) <= 0; i++, ip = ip_next(&ip))
		if (ranges_give(a, &ip) && ranges_give(b, &ip)) {
			*ret = ip;
			return true;
		}
	return false;
}

bool ranges_meet(const struct ranges *a, const struct ranges *b, struct ip *ret)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < b->n; k++)
			if (a->list[i].start.family == b->list[k].start.family &&
			    range_meets(a, b, &a->list[i], &b->list[k], ret))
				return true;
	return false;
}

struct ip_str range_text(const struct address_range *range)
{
	struct ip_str text;

	snprintf(text.s, sizeof(text.s), "%.39s-%.39s", ip_text(&range->start).s, ip_text(&range->end).s);
	return text;
}
