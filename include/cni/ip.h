/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One type for IPv4 and IPv6 addresses, and one for prefixes, which keep their host bits.
 *
 * Text follows the Go library, which reads the same file names and JSON: dotted IPv4 (also for
 * v4-mapped IPv6), RFC 5952 for IPv6.
 */
#ifndef CNI_IP_H
#define CNI_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define IP_DISTANCE_MAX (UINT64_MAX >> 1)

struct ip {
	sa_family_t family; /* AF_INET, AF_INET6, or 0: no address */
	unsigned char bytes[16];
};

struct prefix {
	struct ip ip;
	unsigned int len;
};

/* Has room for any address or prefix; returned by value: ip_text(&ip).s */
struct ip_str {
	char s[80];
};

/* Return false for zone identifiers, leading zeros and surrounding blanks, too. */
bool ip_parse(const char *text, struct ip *ret);
bool prefix_parse(const char *text, struct prefix *ret);
struct ip_str ip_text(const struct ip *ip);
struct ip_str prefix_text(const struct prefix *prefix);

size_t ip_size(const struct ip *ip); /* in bytes: 4, 16, or 0 */
bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_is_any(const struct ip *ip); /* 0.0.0.0 or :: */
bool ip_is_link_local(const struct ip *ip);
bool prefix_contains(const struct prefix *prefix, const struct ip *ip);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
int prefix_compare(const struct prefix *a, const struct prefix *b); /* any order, for sorting */
struct prefix prefix_network(const struct prefix *prefix);	    /* host bits cleared */
struct prefix prefix_host(const struct ip *ip);			    /* the address alone: /32 or /128 */
struct ip prefix_last(const struct prefix *prefix);		    /* host bits set */

/* Addresses of one family as numbers; 255.255.255.255 precedes 0.0.0.0. */
int ip_compare(const struct ip *a, const struct ip *b);
struct ip ip_next(const struct ip *ip);
struct ip ip_previous(const struct ip *ip);
uint64_t ip_distance(const struct ip *from,
		     const struct ip *to); /* from <= to; IP_DISTANCE_MAX: that or more */
struct ip ip_add(const struct ip *ip, uint64_t n);

#endif
