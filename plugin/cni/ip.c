/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const unsigned char v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

bool ip_parse(const char *text, struct ip *ret)
{
	struct ip ip = { .family = AF_INET };

	if (inet_pton(AF_INET, text, ip.bytes) != 1) {
		ip.family = AF_INET6;
		if (inet_pton(AF_INET6, text, ip.bytes) != 1)
			return false;
	}
	if (ip.family == AF_INET6 && !memcmp(ip.bytes, v4_mapped, sizeof(v4_mapped))) {
		struct ip v4 = { .family = AF_INET };

		memcpy(v4.bytes, ip.bytes + sizeof(v4_mapped), 4);
		ip = v4;
	}
	*ret = ip;
	return true;
}

bool prefix_parse(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	struct prefix prefix = { .len = 0 };
	char ip[INET6_ADDRSTRLEN];
	size_t digits;

	if (!slash || (size_t)(slash - text) >= sizeof(ip))
		return false;
	memcpy(ip, text, (size_t)(slash - text));
	ip[slash - text] = '\0';

	digits = strspn(slash + 1, "0123456789");
	if (digits < 1 || digits > 3 || slash[1 + digits])
		return false;
	for (const char *c = slash + 1; *c; c++)
		prefix.len = prefix.len * 10 + (unsigned int)(*c - '0');

	if (!ip_parse(ip, &prefix.ip))
		return false;
	if (prefix.ip.family == AF_INET && strchr(ip, ':')) { /* ::ffff:10.0.0.1/120 */
		if (prefix.len < 96)
			return false;
		prefix.len -= 96;
	}
	if (prefix.len > 8 * ip_size(&prefix.ip))
		return false;
	*ret = prefix;
	return true;
}

struct ip_str ip_text(const struct ip *ip)
{
	const unsigned char *b = ip->bytes;
	static const unsigned char zero[12];
	struct ip_str text = { "" };

	/* glibc writes ::102:304 as ::1.2.3.4, Go and RFC 5952 do not */
	if (ip->family == AF_INET6 && !memcmp(b, zero, sizeof(zero)) && (b[12] || b[13]))
		snprintf(text.s, sizeof(text.s), "::%x:%x", b[12] << 8 | b[13], b[14] << 8 | b[15]);
	else if (ip->family)
		inet_ntop(ip->family, b, text.s, sizeof(text.s));
	return text;
}

struct ip_str prefix_text(const struct prefix *prefix)
{
	struct ip_str text = ip_text(&prefix->ip);
	size_t used = strlen(text.s);

	snprintf(text.s + used, sizeof(text.s) - used, "/%u", prefix->len);
	return text;
}

size_t ip_size(const struct ip *ip)
{
	return ip->family == AF_INET ? 4 : ip->family == AF_INET6 ? 16 : 0;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, ip_size(a));
}

bool ip_is_any(const struct ip *ip)
{
	static const unsigned char zero[16];

	return ip->family && !memcmp(ip->bytes, zero, ip_size(ip));
}

bool ip_is_link_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

struct prefix prefix_network(const struct prefix *prefix)
{
	struct prefix network = *prefix;
	size_t size = ip_size(&network.ip);

	for (size_t i = 0; i < size; i++) {
		unsigned int kept = prefix->len > 8 * i ? prefix->len - (unsigned int)(8 * i) : 0;

		if (kept < 8)
			network.ip.bytes[i] &= (unsigned char)(0xff00U >> kept);
	}
	return network;
}

bool prefix_contains(const struct prefix *prefix, const struct ip *ip)
{
	struct prefix other = { .ip = *ip, .len = prefix->len };
	struct prefix a = prefix_network(prefix), b = prefix_network(&other);

	return ip_equal(&a.ip, &b.ip);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && ip_equal(&a->ip, &b->ip);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	if (a->ip.family != b->ip.family)
		return a->ip.family < b->ip.family ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return ip_compare(&a->ip, &b->ip);
}

struct prefix prefix_host(const struct ip *ip)
{
	return (struct prefix){ .ip = *ip, .len = (unsigned int)(8 * ip_size(ip)) };
}

struct ip prefix_last(const struct prefix *prefix)
{
	struct ip last = prefix_network(prefix).ip;

	for (size_t i = 0; i < ip_size(&last); i++) {
		unsigned int kept = prefix->len > 8 * i ? prefix->len - (unsigned int)(8 * i) : 0;

		if (kept < 8)
			last.bytes[i] |= (unsigned char)(0xffU >> kept);
	}
	return last;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	return memcmp(a->bytes, b->bytes, ip_size(a));
}

struct ip ip_next(const struct ip *ip)
{
	struct ip next = *ip;

	for (size_t i = ip_size(ip); i-- > 0 && !++next.bytes[i];)
		;
	return next;
}

struct ip ip_previous(const struct ip *ip)
{
	struct ip previous = *ip;

	for (size_t i = ip_size(ip); i-- > 0 && !previous.bytes[i]--;)
		;
	return previous;
}

uint64_t ip_distance(const struct ip *from, const struct ip *to)
{
	const size_t n = ip_size(from);
	uint64_t distance = 0;
	int borrow = 0;
	unsigned char difference[sizeof(from->bytes)] = { 0 };

	for (size_t i = n; i-- > 0;) {
		int byte = to->bytes[i] - from->bytes[i] - borrow;

		borrow = byte < 0;
		difference[i] = (unsigned char)(byte + 256 * borrow);
	}
	for (size_t i = 0; i < n; i++) {
		if (distance > IP_DISTANCE_MAX >> 8)
			return IP_DISTANCE_MAX;
		distance = distance << 8 | difference[i];
	}
	return distance;
}

struct ip ip_add(const struct ip *ip, uint64_t n)
{
	struct ip sum = *ip;

	for (size_t i = ip_size(ip); n && i-- > 0;) {
		n += sum.bytes[i];
		sum.bytes[i] = (unsigned char)n;
		n >>= 8;
	}
	return sum;
}
