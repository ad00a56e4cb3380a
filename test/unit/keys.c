/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/keys.h"

#include <glob.h>

#include "cni/conflist.h"
#include "cni/json.h"

#include "tap.h"

struct findings {
	size_t n;
	char where[128], key[64], meant[128], all[2048];
};

static void note(void *arg, const struct unknown_key *unknown)
{
	struct findings *findings = arg;
	size_t used = strlen(findings->all);

	findings->n++;
	snprintf(findings->where, sizeof(findings->where), "%s", unknown->where);
	snprintf(findings->key, sizeof(findings->key), "%s", unknown->key);
	snprintf(findings->meant, sizeof(findings->meant), "%s", unknown->meant);
	snprintf(findings->all + used, sizeof(findings->all) - used, "%s%s", used ? "\n" : "",
		 unknown_key_text(unknown, "").s);
}

static struct findings find(const json_t *conf)
{
	struct findings findings = { .n = 0 };

	keys_unknown(conf, note, &findings);
	return findings;
}

static struct findings find_text(const char *text)
{
	struct cni_error err = { 0 };
	json_auto_t *conf = json_read(text, strlen(text), &err);

	return find(conf);
}

/* Each object that has keys, with "*" in place of the key, and its keys. */
struct place {
	const char *where, *conf;
	const char *const *keys;
};

#define KEYS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define IPVLAN "{\"type\": \"ipvlan\", "
#define ADDRPOOL "{\"type\": \"other\", \"ipam\": {\"type\": \"addrpool\", "

static const struct place places[] = {
	{ "", IPVLAN "\"*\": 0}",
	  KEYS("master", "mode", "mtu", "linkInContainer", "flag", "force", "vlan", "internal", "routes",
	       "hostRoutes", "reflector", "hostAccess", "proxyArp", "ipMasq", "announce", "dad",
	       "conflictCheck", "routerAdvertisements", "resolvConf", "logFile", "logLevel", "ipam", "dns") },
	{ "dns", IPVLAN "\"DNS\": {\"*\": 0}}", KEYS("nameservers", "domain", "search", "options") },
	{ "routes[0]", IPVLAN "\"routes\": [{\"*\": 0}]}",
	  KEYS("dst", "gw", "mtu", "advmss", "priority", "table", "scope") },
	{ "hostRoutes[1]", IPVLAN "\"hostRoutes\": [{}, {\"*\": 0}]}", KEYS("dst", "gw") },
	{ "ipam", ADDRPOOL "\"*\": 0}}",
	  KEYS("subnet", "rangeStart", "rangeEnd", "gateway", "for", "identities", "ranges", "routes",
	       "resolvConf", "dataDir", "exclude", "static", "reuseDelay", "sticky", "pool", "fsync",
	       "cluster") },
	{ "ipam.ranges[0][1]", ADDRPOOL "\"ranges\": [[{}, {\"*\": 0}]]}}",
	  KEYS("subnet", "rangeStart", "rangeEnd", "gateway", "for", "identities") },
	{ "ipam.routes[0]", ADDRPOOL "\"routes\": [{\"*\": 0}]}}", KEYS("dst", "gw", "priority") },
	{ "ipam.cluster", ADDRPOOL "\"cluster\": {\"*\": 0}}}",
	  KEYS("etcd", "kubernetes", "blockSize", "pool", "node", "blockRoutes", "timeout", "keep") },
	{ "ipam.cluster.etcd", ADDRPOOL "\"cluster\": {\"etcd\": {\"*\": 0}}}}",
	  KEYS("endpoints", "prefix", "ca", "cert", "key", "user", "password") },
	{ "ipam.cluster.kubernetes", ADDRPOOL "\"cluster\": {\"kubernetes\": {\"*\": 0}}}}",
	  KEYS("kubeconfig", "namespace", "ownedByNode", "nodesGone") },
};

static struct findings find_in(const struct place *place, const char *key)
{
	const char *star = strchr(place->conf, '*');
	char text[512];

	snprintf(text, sizeof(text), "%.*s%s%s", (int)(star - place->conf), place->conf, key, star + 1);
	return find_text(text);
}

static void is_slip(const struct place *place, const char *slip, const char *key)
{
	const struct findings found = find_in(place, slip);
	char meant[64];

	snprintf(meant, sizeof(meant), "\"%s\"", key);
	is_int(found.n, 1, "%s %s is unknown", place->where, slip);
	is_str(found.where, place->where, "%s %s is found where it is", place->where, slip);
	is_str(found.key, slip, "%s %s is named", place->where, slip);
	ok(strstr(found.meant, meant), "%s %s may mean %s, and not %s", place->where, slip, key, found.meant);
}

/* Each letter of key missing, doubled, wrong, and swapped with the next one. */
static void test_slips_of(const struct place *place, const char *key)
{
	const int n = (int)strlen(key);
	char slip[64];

	for (int i = 0; i < n; i++) {
		snprintf(slip, sizeof(slip), "%.*s%s", i, key, key + i + 1);
		is_slip(place, slip, key);
		snprintf(slip, sizeof(slip), "%.*s%s", i + 1, key, key + i);
		is_slip(place, slip, key);
		snprintf(slip, sizeof(slip), "%.*s%c%s", i, key, '0', key + i + 1);
		is_slip(place, slip, key);
		snprintf(slip, sizeof(slip), "%.*s%c%c%s", i, key, key[i + 1], key[i],
			 i + 1 < n ? key + i + 2 : "");
		if (i + 1 < n && tolower(key[i]) != tolower(key[i + 1]))
			is_slip(place, slip, key);
	}
}

static void test_slips(void)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		for (const char *const *key = places[i].keys; *key; key++) {
			char upper[64] = "";

			for (size_t k = 0; (*key)[k]; k++)
				upper[k] = (char)toupper((unsigned char)(*key)[k]);
			is_int(find_in(&places[i], *key).n, 0, "%s %s is known", places[i].where, *key);
			is_int(find_in(&places[i], upper).n, 0, "%s %s is known", places[i].where, upper);
			test_slips_of(&places[i], *key);
		}
}

static void test_separators(void)
{
	is_slip(&places[4], "range_start", "rangeStart");
	is_slip(&places[4], "range-end", "rangeEnd");
	is_slip(&places[5], "Range_Start", "rangeStart");
	is_slip(&places[0], "host_access", "hostAccess");
}

static void test_other_plugins(void)
{
	static const struct {
		int place;
		const char *key, *meant;
	} others[] = {
		{ 4, "range", "\"ranges\": [[{\"subnet\": \"...\"}]]" },
		{ 4, "ipRanges", "\"ranges\": [[{\"subnet\": \"...\"}]]" },
		{ 4, "addresses", "\"ranges\": [[{\"subnet\": \"...\"}]]" },
		{ 4, "node_slice_size", "\"blockSize\" in \"cluster\", a number of addresses" },
		{ 4, "omit_ranges", "\"exclude\"" },
		{ 4, "excludeIPs", "\"exclude\"" },
		{ 4, "excludes", "\"exclude\"" },
		{ 4, "etcd_host", "\"endpoints\" in \"cluster\": {\"etcd\": {...}}" },
		{ 4, "log_file", "\"logFile\" beside \"ipam\"" },
		{ 4, "start", "\"rangeStart\"" },
		{ 4, "cidr", "\"subnet\"" },
		{ 5, "range", "\"subnet\"" },
		{ 5, "end", "\"rangeEnd\"" },
		{ 0, "parent", "\"master\"" },
		{ 0, "vlanId", "\"vlan\"" },
		{ 0, "subnet", "\"subnet\" in \"ipam\"" },
		{ 2, "metric", "\"priority\"" },
		{ 0, "promiscMode", "" },
		{ 4, "leader_renew_deadline", "" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		is_str(find_in(&places[others[i].place], others[i].key).meant, others[i].meant,
		       "%s is %s here", others[i].key, *others[i].meant ? others[i].meant : "nothing");
}

static void test_known_to_others(void)
{
	static const char *const keys[] = {
		"cniVersion",
		"cniVersions",
		"name",
		"type",
		"args",
		"capabilities",
		"runtimeConfig",
		"prevResult",
		"disableCheck",
		"disableGC",
		"loadOnlyInlinedPlugins",
		"deviceID",
		"pciBusID",
		"cni.dev/valid-attachments",
		"cni.dev/attachments",
		"example.com/anything",
		"_comment",
		"//",
		"#",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		is_int(find_in(&places[0], keys[i]).n, 0, "%s is not a slip", keys[i]);
}

static void test_what_is_not_looked_at(void)
{
	static const char *const confs[] = {
		"{\"type\": \"macvlan\", \"mastr\": \"eth0\", \"ipam\": {\"type\": \"dhcp\", \"gatway\": 0}}",
		"{\"type\": \"ipvlan\", \"ipam\": {\"type\": \"static\", \"gatway\": 0}}",
		"{\"type\": \"ipvlan\", \"ipam\": {\"gatway\": 0}}",
		"{\"type\": \"ipvlan\", \"args\": {\"a\": 0}, \"capabilities\": {\"ips\": true}, "
		"\"prevResult\": {\"a\": 0}}",
		"{\"type\": \"ipvlan\", \"routes\": [[[{\"a\": 0}]]], \"dns\": [1, \"a\"], \"hostRoutes\": "
		"7}",
		"{}",
		"null",
		"[{\"type\": \"ipvlan\", \"mastr\": 0}]",
	};

	for (size_t i = 0; i < sizeof(confs) / sizeof(*confs); i++)
		is_str(find_text(confs[i]).all, "", "nothing is unknown in %s", confs[i]);
	is_int(find_text("{\"ipam\": {\"type\": \"host-local\", \"gatway\": 0}}").n, 1,
	       "host-local has our keys");
}

static void test_texts(void)
{
	const struct findings found =
		find_text("{\"type\": \"ipvlan\", \"hostAcess\": true, \"ipam\": {\"type\": "
			  "\"addrpool\", \"gatway\": \"10.0.0.1\", \"colour\": 1}}");

	is_str(found.all,
	       "unknown key \"hostAcess\"; ipvlan's is \"hostAccess\"\n"
	       "unknown key \"gatway\" in ipam; addrpool's is \"gateway\"\n"
	       "unknown key \"colour\" in ipam",
	       "a finding names the key, its place, and the known key");
	is_str(unknown_key_text(&(const struct unknown_key){ "addrpool", "ipam", "gatway", "\"gateway\"" },
				", ignored")
		       .s,
	       "unknown key \"gatway\" in ipam, ignored; addrpool's is \"gateway\"",
	       "and says that it is ignored");
}

static void test_long_keys(void)
{
	char text[1024], key[512];

	memset(key, 'g', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	snprintf(text, sizeof(text), ADDRPOOL "\"%s\": 0, \"\": 0}}", key);
	is_int(find_text(text).n, 2, "a key of any length and an empty key are unknown");
}

static void test_hints(void)
{
	struct cni_error err = { 0 }, hinted = { 0 };
	const char *text = ADDRPOOL "\"range\": \"10.0.0.0/24\", \"gatway\": \"10.0.0.1\"}}";
	json_auto_t *conf = json_read(text, strlen(text), &err);

	keys_hint_addrpool(conf, &err);
	is_str(err.details,
	       "unknown key \"range\" in ipam; addrpool's is \"ranges\": [[{\"subnet\": \"...\"}]]; "
	       "unknown key \"gatway\" in ipam; addrpool's is \"gateway\"",
	       "an error without details gets all unknown keys");
	cni_hint(&hinted, "known");
	keys_hint_addrpool(conf, &hinted);
	is_str(hinted.details, "known", "an error with details keeps them");
}

static void test_examples(void)
{
	glob_t files = { .gl_pathc = 0 };

	glob("conf-examples/*.conflist", 0, NULL, &files);
	ok(files.gl_pathc > 50, "the examples are in the directory that the test runs in");
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct cni_error err = { 0 };
		json_auto_t *plugins = conflist_read(files.gl_pathv[i], &err);
		const json_t *plugin;
		size_t k;

		ok(plugins, "%s can be read", files.gl_pathv[i]);
		json_array_foreach(plugins, k, plugin)
			is_str(find(plugin).all, "", "%s has no unknown key", files.gl_pathv[i]);
	}
	globfree(&files);
}

int main(void)
{
	test_examples();
	test_slips();
	test_separators();
	test_other_plugins();
	test_known_to_others();
	test_what_is_not_looked_at();
	test_texts();
	test_long_keys();
	test_hints();
	return done();
}
