/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/json.h"
#include "tap.h"

static struct prefix prefix(const char *text)
{
	struct prefix prefix = { .len = 0 };

	prefix_parse(text, &prefix);
	return prefix;
}

static struct ip ip(const char *text)
{
	struct ip ip = { .family = 0 };

	ip_parse(text, &ip);
	return ip;
}

static struct object route(const char *to, const char *via, int dev)
{
	const struct prefix dst = prefix(to);
	const struct ip gw = ip(via);

	return object_route(dev, &dst, &gw, NULL);
}

/* The object that an entry of the ledger stands for, in words, or "unknown". */
static struct object_text read_again(const char *text)
{
	json_auto_t *doc = json_loads(text, JSON_DECODE_ANY, NULL);
	struct object object;

	return object_read(&object, doc) ? object_text(&object) : (struct object_text){ "unknown" };
}

/* An object read from the ledger is the one that was written. */
static void test_entries(void)
{
	const struct ip host = ip("10.138.36.58");
	const struct prefix pod = prefix("10.138.36.2/32"), address = prefix("192.168.9.2/24");
	json_auto_t *rules = json_pack("{s:s, s:{s:[{}]}}", "network", "net", "egress", "deny");
	const struct object objects[] = {
		object_anchor(3, 2),
		object_access(3),
		route("192.168.9.0/24", "10.138.36.66", 3),
		route("fd00:9::/64", "fd00:36::66", 3),
		object_route(5, &pod, NULL, &host),
		object_neighbour(5, &pod.ip, "02:00:00:00:00:01"),
		object_sysctl(3, "proxy_arp"),
		object_vlan(2, 100, "eth0.100"),
		object_dummy("ipvd0123abcd", 1400),
		object_resolv("my \"pod\"\t\033[31m", NULL),
		object_table(),
		object_masquerade(&address),
		object_fence(3),
		object_rate(3, &host, &pod.ip, (const struct rate[]){ { 1000, 2000 }, { 0, 0 } }),
		object_guard(3),
		object_lease(3, &host),
		object_policy(3, rules),
		object_subject(3, &host, &(struct object){ .name = "0123456789abcdef" }),
	};

	for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++) {
		json_auto_t *doc = object_json(&objects[i]);
		struct object again;

		ok(object_read(&again, doc) && object_agrees(&again, &objects[i]) &&
			   !strcmp(object_text(&again).s, object_text(&objects[i]).s),
		   "%s", object_text(&objects[i]).s);
	}
}

/* What a sysctl was before its first holder. Earlier versions did not record those that were on. */
static void test_before(void)
{
	static const struct {
		const char *entry;
		bool before;
	} entries[] = {
		{ "{\"kind\":\"sysctl\",\"dev\":3,\"name\":\"proxy_arp\",\"all\":0}", false },
		{ "{\"kind\":\"sysctl\",\"dev\":3,\"name\":\"proxy_arp\",\"all\":0,\"before\":true}", true },
		{ "{\"kind\":\"proxy\",\"dev\":3,\"to\":\"fd00::2/128\",\"before\":true}", true },
	};

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		json_auto_t *doc = json_loads(entries[i].entry, 0, NULL), *written = NULL;
		struct object object;

		ok(object_read(&object, doc) && object.before == entries[i].before, "%s", entries[i].entry);
		written = object_json(&object);
		ok(json_is_true(json_object_get(written, "before")) == entries[i].before, "%s, written",
		   entries[i].entry);
	}
}

static void test_unknown(void)
{
	static const char *const entries[] = {
		"{}",
		"[]",
		"null",
		"\"route\"",
		"{\"kind\":\"rule\"}",
		"{\"kind\":\"anchor\"}",
		"{\"kind\":\"anchor\",\"dev\":0}",
		"{\"kind\":\"anchor\",\"dev\":\"3\"}",
		"{\"kind\":\"anchor\",\"dev\":3,\"mode\":\"l4\"}",
		"{\"kind\":\"route\",\"dev\":3}",
		"{\"kind\":\"route\",\"dev\":3,\"to\":\"300.168.9.0/24\"}",
		"{\"kind\":\"route\",\"dev\":3,\"to\":\"10.0.0.0/8\",\"table\":7}",
		"{\"kind\":\"vlan\",\"dev\":3,\"id\":70000,\"name\":\"eth0.100\"}",
		"{\"kind\":\"neighbour\",\"dev\":3,\"to\":\"::1/128\",\"lladdr\":\"01:23:45:67:89:ab:cd\"}",
	};
	char longest[1000];

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		is_str(read_again(entries[i]).s, "unknown", "%s", entries[i]);
	snprintf(longest, sizeof(longest), "{\"kind\":\"dummy\",\"name\":\"%0500d\"}", 0);
	is_str(read_again(longest).s, "unknown", "a name that is too long");
}

/* One object in several notations. */
static void test_normal_form(void)
{
	const struct object a = route("192.168.9.1/24", "10.138.36.66", 3);
	const struct object b = route("192.168.9.0/24", "10.138.36.66", 3);
	const struct object c = route("FD00:9:0::1/64", "FD00:36:0:0::66", 3);
	const struct object d = route("fd00:9::/64", "fd00:36::66", 3);

	ok(object_agrees(&a, &b), "host bits do not make another route");
	is_str(object_key(&a).s, object_key(&b).s, "nor another key");
	ok(object_agrees(&c, &d), "capitals and zeros do not make another route");
	is_str(object_key(&c).s, "route-fd00:9::_64", "the key of a route is its destination");
}

/* One key, and two objects. */
static void test_contradictions(void)
{
	const struct ip address = ip("10.1.0.2");
	const struct prefix narrow = prefix("10.1.0.2/24"), wide = prefix("10.1.0.2/16");
	const struct object pairs[][2] = {
		{ route("192.168.9.0/24", "10.0.0.1", 3), route("192.168.9.0/24", "10.0.0.2", 3) },
		{ route("192.168.9.0/24", "10.0.0.1", 3), route("192.168.9.0/24", "10.0.0.1", 4) },
		{ object_neighbour(3, &address, "02:00:00:00:00:01"),
		  object_neighbour(3, &address, "02:00:00:00:00:02") },
		{ object_vlan(2, 100, "eth0.100"), object_vlan(3, 100, "eth0.100") },
		{ object_masquerade(&narrow), object_masquerade(&wide) },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		is_str(object_key(&pairs[i][0]).s, object_key(&pairs[i][1]).s, "%s has one place",
		       object_text(&pairs[i][0]).s);
		ok(!object_agrees(&pairs[i][0], &pairs[i][1]), "which %s contradicts",
		   object_text(&pairs[i][1]).s);
	}
}

static void test_keys(void)
{
	const struct ip address = ip("10.1.0.2");
	const struct object objects[] = {
		object_anchor(3, 0),
		object_anchor(4, 0),
		object_access(3),
		object_sysctl(3, "a"),
		object_sysctl(3, "b"),
		object_sysctl(4, "a"),
		object_dummy("a", 0),
		object_vlan(3, 5, "a"),
		object_resolv("a", NULL),
		object_neighbour(3, &address, "02:00:00:00:00:01"),
		object_neighbour(4, &address, "02:00:00:00:00:01"),
	};
	const size_t n = sizeof(objects) / sizeof(*objects);
	size_t same = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			same += !strcmp(object_key(&objects[i]).s, object_key(&objects[k]).s);
	ok(same == 0, "different objects have different keys");
	ok(!strchr(object_key(&objects[0]).s, '/'), "keys are valid file names");
}

int main(void)
{
	test_entries();
	test_before();
	test_unknown();
	test_normal_form();
	test_contradictions();
	test_keys();
	return done();
}
