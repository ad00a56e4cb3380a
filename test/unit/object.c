#include "plugin/object.h"

#include <string.h>

#include "tap.h"

/* As the line that it writes again, or "refused". */
static struct object_text parsed(const char *text)
{
	struct object object;

	return object_parse(text, &object) ? object_text(&object) : (struct object_text){ "refused" };
}

/* What a ledger contains is what is removed. */
static void test_lines(void)
{
	static const char *const lines[] = {
		"anchor dev 3",
		"access dev 3",
		"route to 192.168.9.0/24 via 10.138.36.66 dev 3",
		"route to fd00:9::/64 via fd00:36::66 dev 3",
		"route to 10.138.36.2/32 dev 5 src 10.138.36.58",
		"neighbour to 10.138.36.2/32 lladdr 02:00:00:00:00:01 dev 5",
		"sysctl name ipv4/conf/eth0.100/proxy_arp",
		"vlan name eth0.100 dev 2 id 100",
		"dummy name ipvd0123abcd",
		"resolv.conf name ns1",
		"table name ipvlan_cni",
		"masquerade to 192.168.9.2/24",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		is_str(parsed(lines[i]).s, lines[i], "%s", lines[i]);
}

static void test_no_lines(void)
{
	static const char *const lines[] = {
		"",
		" ",
		"container c1",
		"ifname eth0",
		"network net",
		"anchor dev",
		"anchor device 3",
		"route to 192.168.9.0",
		"route to 300.168.9.0/24 dev 3",
		"route to 192.168.9.0/24 via nowhere",
		"vlan name eth0.100 dev 2 id x",
		"neighbour to 10.138.36.2/32 lladdr 02:00:00:00:00:01:02:03:04:05 dev 5",
	};
	char longest[1000];

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		is_str(parsed(lines[i]).s, "refused", "\"%s\"", lines[i]);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "dummy name ", strlen("dummy name "));
	longest[sizeof(longest) - 1] = '\0';
	is_str(parsed(longest).s, "refused", "a name that is too long");
}

int main(void)
{
	test_lines();
	test_no_lines();
	return done();
}
