/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/ip.h"

#include "tap.h"

/* The address as ip_text() prints it, or "refused". */
static struct ip_str parsed(const char *text)
{
	struct ip ip;

	return ip_parse(text, &ip) ? ip_text(&ip) : (struct ip_str){ "refused" };
}

static struct ip_str prefix_parsed(const char *text)
{
	struct prefix prefix;

	return prefix_parse(text, &prefix) ? prefix_text(&prefix) : (struct ip_str){ "refused" };
}

static void test_addresses(void)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{ "10.0.0.1", "10.0.0.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "2001:DB8::A", "2001:db8::a" },
		{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		/* v4-mapped is IPv4 for Go, in each notation */
		{ "::ffff:10.0.0.1", "10.0.0.1" },
		{ "::ffff:a00:1", "10.0.0.1" },
		{ "0:0:0:0:0:FFFF:0:0", "0.0.0.0" },
		/* v4-compatible is not, and Go prints it in hexadecimal */
		{ "::1.2.3.4", "::102:304" },
		{ "::102:304", "::102:304" },
		{ "::1:0", "::1:0" },
		{ "::304", "::304" },
		{ "::fffe:1.2.3.4", "::fffe:102:304" },
		{ "64:ff9b::1.2.3.4", "64:ff9b::102:304" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(parsed(cases[i].text).s, cases[i].printed, "%s is the address %s", cases[i].text,
		       cases[i].printed);
}

static void test_no_addresses(void)
{
	static const char *const cases[] = {
		"",
		" ",
		"10.0.0",
		"10.0.0.0.1",
		"10.0.0.256",
		"10.0.0.01",
		"010.0.0.1",
		"0x0a.0.0.1",
		"10.0.0.1 ",
		" 10.0.0.1",
		"10.0.0.1\n",
		"10.0.0.-1",
		"167772161",
		"10.0.0.1/24",
		"10..0.1",
		"1.2.3.",
		"fe80::1%eth0",
		"fe80::1%1",
		"::%",
		"1.2.3.4%eth0",
		":",
		":::",
		"1::2::3",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4::5:6:7:8",
		"12345::",
		"00001::",
		"g::",
		"::1.2.3",
		"::1.2.3.04",
		"::1.2.3.4:5",
		"1:2:3:4:5:6:7:1.2.3.4",
		"[::1]",
	};
	struct ip ip = { .family = 99 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(!ip_parse(cases[i], &ip), "\"%s\" is not an address", cases[i]);
	is_int(ip.family, 99, "an invalid address leaves the result unchanged");
}

static void test_prefixes(void)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{ "10.1.2.3/24", "10.1.2.3/24" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "10.0.0.1/31", "10.0.0.1/31" },
		{ "10.0.0.1/32", "10.0.0.1/32" },
		{ "::/0", "::/0" },
		{ "2001:db8::1/127", "2001:db8::1/127" },
		{ "2001:DB8:0::1/128", "2001:db8::1/128" },
		{ "::1.2.3.4/96", "::102:304/96" },
		{ "::ffff:10.0.0.1/120", "10.0.0.1/24" },
		{ "::ffff:10.0.0.1/96", "10.0.0.1/0" },
		{ "::ffff:10.0.0.1/128", "10.0.0.1/32" },
		{ "::ffff:10.0.0.1/95", "refused" },
		{ "::ffff:10.0.0.1/24", "refused" },
		{ "10.0.0.1", "refused" },
		{ "10.0.0.1/", "refused" },
		{ "/24", "refused" },
		{ "", "refused" },
		{ "10.0.0.1/33", "refused" },
		{ "::1/129", "refused" },
		{ "::1/999", "refused" },
		{ "::1/4294967297", "refused" },
		{ "10.0.0.1/-1", "refused" },
		{ "10.0.0.1/+8", "refused" },
		{ "10.0.0.1/08", "10.0.0.1/8" },
		{ "10.0.0.1/24 ", "refused" },
		{ "10.0.0.1/ 24", "refused" },
		{ "10.0.0.1/24/24", "refused" },
		{ "10.0.0.1/255.255.255.0", "refused" },
		{ "fe80::1%eth0/64", "refused" },
		{ "0000:0000:0000:0000:0000:ffff:255.255.255.255/128", "255.255.255.255/32" },
		{ "00000000000000000000000000000000000000000000000000::/8", "refused" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(prefix_parsed(cases[i].text).s, cases[i].printed, "the prefix \"%s\": %s",
		       cases[i].text, cases[i].printed);
}

static void test_networks(void)
{
	static const struct {
		const char *text, *network;
	} cases[] = {
		{ "10.1.2.3/0", "0.0.0.0/0" },
		{ "10.1.2.3/1", "0.0.0.0/1" },
		{ "192.1.2.3/1", "128.0.0.0/1" },
		{ "10.255.255.255/9", "10.128.0.0/9" },
		{ "10.1.2.3/24", "10.1.2.0/24" },
		{ "10.1.2.255/25", "10.1.2.128/25" },
		{ "10.1.2.3/31", "10.1.2.2/31" },
		{ "10.1.2.3/32", "10.1.2.3/32" },
		{ "ffff::ffff/0", "::/0" },
		{ "2001:db8:ffff::1/33", "2001:db8:8000::/33" },
		{ "2001:db8::f/127", "2001:db8::e/127" },
		{ "2001:db8::f/128", "2001:db8::f/128" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct prefix prefix = { 0 }, network;

		prefix_parse(cases[i].text, &prefix);
		network = prefix_network(&prefix);
		is_str(prefix_text(&network).s, cases[i].network, "%s is in the network %s", cases[i].text,
		       cases[i].network);
	}
}

static void test_contains(void)
{
	static const struct {
		const char *prefix, *ip;
		bool contained;
	} cases[] = {
		{ "10.1.2.3/24", "10.1.2.0", true },
		{ "10.1.2.3/24", "10.1.2.255", true },
		{ "10.1.2.3/24", "10.1.3.0", false },
		{ "10.1.2.3/24", "10.1.1.255", false },
		{ "0.0.0.0/0", "255.1.2.3", true },
		{ "0.0.0.0/0", "::", false },
		{ "::/0", "10.0.0.1", false },
		{ "::/0", "ffff::", true },
		{ "10.0.0.0/31", "10.0.0.1", true },
		{ "10.0.0.0/31", "10.0.0.2", false },
		{ "10.0.0.1/32", "10.0.0.1", true },
		{ "10.0.0.1/32", "10.0.0.0", false },
		{ "10.0.0.0/9", "10.127.9.9", true },
		{ "10.0.0.0/9", "10.128.0.0", false },
		{ "fd00::/127", "fd00::1", true },
		{ "fd00::/127", "fd00::2", false },
		{ "fd00::1/128", "fd00::1", true },
		{ "fd00::1/128", "fd00::", false },
		{ "fd00::/65", "fd00::7fff:0:0:0", true },
		{ "fd00::/65", "fd00::8000:0:0:0", false },
		{ "10.0.0.0/8", "::ffff:10.1.1.1", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct prefix prefix = { 0 };
		struct ip ip = { 0 };

		prefix_parse(cases[i].prefix, &prefix);
		ip_parse(cases[i].ip, &ip);
		is_int(prefix_contains(&prefix, &ip), cases[i].contained, "%s %s %s", cases[i].prefix,
		       cases[i].contained ? "contains" : "does not contain", cases[i].ip);
	}
}

static void test_questions(void)
{
	struct ip none = { 0 }, any4, any6, one, link_local, not_link_local;
	struct prefix a, b;

	ip_parse("0.0.0.0", &any4);
	ip_parse("::", &any6);
	ip_parse("::1", &one);
	ip_parse("febf::1", &link_local);
	ip_parse("fec0::1", &not_link_local);

	is_int((long long)ip_size(&none), 0, "family 0 has no bytes");
	is_int((long long)ip_size(&any4), 4, "an IPv4 address has 4 bytes");
	is_int((long long)ip_size(&any6), 16, "an IPv6 address has 16 bytes");
	is_str(ip_text(&none).s, "", "the text of family 0 is empty");

	ok(ip_is_any(&any4), "0.0.0.0 is any address");
	ok(ip_is_any(&any6), ":: is any address");
	ok(!ip_is_any(&one), "::1 is not any address");
	ok(!ip_is_any(&none), "family 0 is not the any address");
	ok(!ip_equal(&any4, &any6), "0.0.0.0 and :: differ");
	ok(ip_equal(&none, &none), "two addresses of family 0 are equal");

	ok(ip_is_link_local(&link_local), "febf::1 is link-local, fe80::/10 ends there");
	ok(!ip_is_link_local(&not_link_local), "fec0::1 is not link-local");
	ip_parse("169.254.0.1", &one);
	ok(!ip_is_link_local(&one), "169.254.0.1 is routed like any IPv4 address");

	prefix_parse("10.0.0.1/24", &a);
	prefix_parse("10.0.0.2/24", &b);
	ok(!prefix_equal(&a, &b), "prefixes that differ in host bits differ");
	prefix_parse("10.0.0.1/25", &b);
	ok(!prefix_equal(&a, &b), "prefixes that differ in length differ");
	prefix_parse("::ffff:10.0.0.1/120", &b);
	ok(prefix_equal(&a, &b), "a prefix equals its v4-mapped form");
}

static void test_neighbours(void)
{
	/* a, and b the next one */
	static const struct {
		const char *a, *b;
	} cases[] = {
		{ "10.0.0.1", "10.0.0.2" },
		{ "10.0.0.255", "10.0.1.0" },
		{ "10.255.255.255", "11.0.0.0" },
		{ "127.255.255.255", "128.0.0.0" },
		{ "255.255.255.255", "0.0.0.0" },
		{ "::", "::1" },
		{ "fd00::ffff", "fd00::1:0" },
		{ "fd00::ffff:ffff:ffff:ffff", "fd00:0:0:1::" },
		{ "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "8000::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ip a = { 0 }, b = { 0 }, got;

		ip_parse(cases[i].a, &a);
		ip_parse(cases[i].b, &b);
		got = ip_next(&a);
		ok(ip_equal(&got, &b), "after %s comes %s", cases[i].a, cases[i].b);
		got = ip_previous(&b);
		ok(ip_equal(&got, &a), "before %s comes %s", cases[i].b, cases[i].a);
	}
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void test_order(void)
{
	static const char *const ordered[][6] = {
		{ "0.0.0.0", "0.0.0.1", "10.0.0.255", "10.0.1.0", "127.255.255.255", "255.255.255.255" },
		{ "::", "::1", "::1:0", "7fff::ffff", "8000::", "ffff::" },
	};

	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < 6; i++) {
			for (size_t j = 0; j < 6; j++) {
				struct ip a = { 0 }, b = { 0 };

				ip_parse(ordered[f][i], &a);
				ip_parse(ordered[f][j], &b);
				is_int(sign(ip_compare(&a, &b)), (i > j) - (i < j), "%s compared with %s",
				       ordered[f][i], ordered[f][j]);
			}
		}
	}
}

static void test_last(void)
{
	static const struct {
		const char *prefix, *last;
	} cases[] = {
		{ "10.1.2.3/0", "255.255.255.255" },
		{ "10.1.2.3/1", "127.255.255.255" },
		{ "10.1.2.3/9", "10.127.255.255" },
		{ "10.1.2.3/24", "10.1.2.255" },
		{ "10.1.2.3/31", "10.1.2.3" },
		{ "10.1.2.2/31", "10.1.2.3" },
		{ "10.1.2.3/32", "10.1.2.3" },
		{ "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "fd00::1/64", "fd00::ffff:ffff:ffff:ffff" },
		{ "fd00::/65", "fd00::7fff:ffff:ffff:ffff" },
		{ "fd00::1/127", "fd00::1" },
		{ "fd00::1/128", "fd00::1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct prefix prefix = { 0 };
		struct ip last;

		prefix_parse(cases[i].prefix, &prefix);
		last = prefix_last(&prefix);
		is_str(ip_text(&last).s, cases[i].last, "the last address of %s is %s", cases[i].prefix,
		       cases[i].last);
	}
}

int main(void)
{
	test_addresses();
	test_no_addresses();
	test_prefixes();
	test_networks();
	test_contains();
	test_questions();
	test_neighbours();
	test_order();
	test_last();
	return done();
}
