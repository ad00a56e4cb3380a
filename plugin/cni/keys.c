/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/keys.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cni/json.h"

/* The number of letters and digits that are compared; a longer key is similar to no other. */
#define LETTERS_MAX 40

/* How deep lists in lists are searched, and how many keys are reported. */
#define DEPTH_MAX 2
#define REPORTED_MAX 16

struct keys {
	const struct key *known;	/* ends with an entry without a name */
	const struct meaning *meanings; /* likewise; or NULL */
};

struct key {
	const char *name;
	const struct keys *in; /* the keys of its object, or of the objects in its list; NULL: any keys */
};

/* A key of another program, and our key with the same meaning. */
struct meaning {
	const char *key, *ours;
};

#define RANGES "\"ranges\": [[{\"subnet\": \"...\"}]]"
#define IN_IPAM(key) "\"" key "\" in \"ipam\""
#define BESIDE_IPAM(key) "\"" key "\" beside \"ipam\""
#define IN_CLUSTER(key) "\"" key "\" in \"cluster\""
#define IN_ETCD(key) "\"" key "\" in \"cluster\": {\"etcd\": {...}}"

static const struct keys route = {
	.known =
		(const struct key[]){
			{ "dst", NULL },
			{ "gw", NULL },
			{ "mtu", NULL },
			{ "advmss", NULL },
			{ "priority", NULL },
			{ "table", NULL },
			{ "scope", NULL },
			{ NULL, NULL },
		},
	.meanings =
		(const struct meaning[]){
			{ "destination", "\"dst\"" },
			{ "to", "\"dst\"" },
			{ "gateway", "\"gw\"" },
			{ "via", "\"gw\"" },
			{ "metric", "\"priority\"" },
			{ NULL, NULL },
		},
};

static const struct keys dns = {
	.known =
		(const struct key[]){
			{ "nameservers", NULL },
			{ "domain", NULL },
			{ "search", NULL },
			{ "options", NULL },
			{ NULL, NULL },
		},
};

static const struct keys bandwidth = {
	.known =
		(const struct key[]){
			{ "ingressRate", NULL },
			{ "ingressBurst", NULL },
			{ "egressRate", NULL },
			{ "egressBurst", NULL },
			{ NULL, NULL },
		},
};

static const struct keys rule = {
	.known =
		(const struct key[]){
			{ "cidrs", NULL },
			{ "protocols", NULL },
			{ "ports", NULL },
			{ "sourcePorts", NULL },
			{ "established", NULL },
			{ NULL, NULL },
		},
};

static const struct keys directions = {
	.known =
		(const struct key[]){
			{ "egress", &rule },
			{ "ingress", &rule },
			{ NULL, NULL },
		},
};

static const struct keys ipvlan = {
	.known =
		(const struct key[]){
			{ "master", NULL },
			{ "mode", NULL },
			{ "mtu", NULL },
			{ "linkInContainer", NULL },
			{ "flag", NULL },
			{ "force", NULL },
			{ "vlan", NULL },
			{ "internal", NULL },
			{ "routes", &route },
			{ "hostRoutes", &route },
			{ "reflector", NULL },
			{ "hostAccess", NULL },
			{ "proxyArp", NULL },
			{ "ipMasq", NULL },
			{ "antiSpoof", NULL },
			{ "bandwidth", &bandwidth },
			{ "allow", &directions },
			{ "deny", &directions },
			{ "counters", NULL },
			{ "announce", NULL },
			{ "dad", NULL },
			{ "conflictCheck", NULL },
			{ "routerAdvertisements", NULL },
			{ "resolvConf", NULL },
			{ "logFile", NULL },
			{ "logLevel", NULL },
			{ "ipam", NULL },
			{ "dns", &dns },
			/* for libcni, runtimes and Multus */
			{ "cniVersion", NULL },
			{ "cniVersions", NULL },
			{ "name", NULL },
			{ "type", NULL },
			{ "args", NULL },
			{ "capabilities", NULL },
			{ "runtimeConfig", NULL },
			{ "prevResult", NULL },
			{ "disableCheck", NULL },
			{ "disableGC", NULL },
			{ "loadOnlyInlinedPlugins", NULL },
			{ "deviceID", NULL },
			{ "pciBusID", NULL },
			{ NULL, NULL },
		},
	.meanings =
		(const struct meaning[]){
			{ "parent", "\"master\"" },
			{ "interface", "\"master\"" },
			{ "device", "\"master\"" },
			{ "ipvlanMode", "\"mode\"" },
			{ "ipvlanFlag", "\"flag\"" },
			{ "vlanId", "\"vlan\"" },
			{ "masquerade", "\"ipMasq\"" },
			{ "subnet", IN_IPAM("subnet") },
			{ "rangeStart", IN_IPAM("rangeStart") },
			{ "rangeEnd", IN_IPAM("rangeEnd") },
			{ "gateway", IN_IPAM("gateway") },
			{ "ranges", IN_IPAM("ranges") },
			{ "ipRanges", IN_IPAM("ranges") },
			{ "exclude", IN_IPAM("exclude") },
			{ "dataDir", IN_IPAM("dataDir") },
			{ NULL, NULL },
		},
};

static const struct keys range = {
	.known =
		(const struct key[]){
			{ "subnet", NULL },
			{ "rangeStart", NULL },
			{ "rangeEnd", NULL },
			{ "gateway", NULL },
			{ "for", NULL },
			{ "identities", NULL },
			{ NULL, NULL },
		},
	.meanings =
		(const struct meaning[]){
			{ "range", "\"subnet\"" },
			{ "cidr", "\"subnet\"" },
			{ "network", "\"subnet\"" },
			{ "start", "\"rangeStart\"" },
			{ "startRange", "\"rangeStart\"" },
			{ "end", "\"rangeEnd\"" },
			{ "endRange", "\"rangeEnd\"" },
			{ "gw", "\"gateway\"" },
			{ "defaultGateway", "\"gateway\"" },
			{ "exclude", IN_IPAM("exclude") },
			{ "omitRanges", IN_IPAM("exclude") },
			{ NULL, NULL },
		},
};

static const struct keys etcd = {
	.known =
		(const struct key[]){
			{ "endpoints", NULL },
			{ "prefix", NULL },
			{ "ca", NULL },
			{ "cert", NULL },
			{ "key", NULL },
			{ "user", NULL },
			{ "password", NULL },
			{ NULL, NULL },
		},
	.meanings =
		(const struct meaning[]){
			{ "cacert", "\"ca\"" },
			{ "cafile", "\"ca\"" },
			{ "certfile", "\"cert\"" },
			{ "keyfile", "\"key\"" },
			{ "username", "\"user\"" },
			{ NULL, NULL },
		},
};

static const struct keys kubernetes = {
	.known =
		(const struct key[]){
			{ "kubeconfig", NULL },
			{ "namespace", NULL },
			{ "ownedByNode", NULL },
			{ "nodesGone", NULL },
			{ NULL, NULL },
		},
};

static const struct keys cluster = {
	.known =
		(const struct key[]){
			{ "etcd", &etcd },
			{ "kubernetes", &kubernetes },
			{ "blockSize", NULL },
			{ "pool", NULL },
			{ "node", NULL },
			{ "blockRoutes", NULL },
			{ "timeout", NULL },
			{ "keep", NULL },
			{ NULL, NULL },
		},
	.meanings =
		(const struct meaning[]){
			{ "nodeSliceSize", "\"blockSize\", a number of addresses" },
			{ "nodeName", "\"node\"" },
			{ NULL, NULL },
		},
};

static const struct keys addrpool = {
	.known =
		(const struct key[]){
			{ "type", NULL },	 { "name", NULL }, /* host-local accepts it */
			{ "subnet", NULL },	 { "rangeStart", NULL }, { "rangeEnd", NULL },
			{ "gateway", NULL },	 { "for", NULL },	 { "ranges", &range },
			{ "routes", &route },	 { "resolvConf", NULL }, { "dataDir", NULL },
			{ "exclude", NULL },	 { "static", NULL },	 { "reuseDelay", NULL },
			{ "sticky", NULL },	 { "pool", NULL },	 { "fsync", NULL },
			{ "cluster", &cluster }, { "identities", NULL }, { NULL, NULL },
		},
	.meanings =
		(const struct meaning[]){
			/* of whereabouts */
			{ "range", RANGES },
			{ "ipRanges", RANGES },
			{ "networkName", "\"pool\"" },
			{ "enableOverlappingRanges",
			  "\"pool\", one name for the networks that share addresses" },
			{ "nodeSliceSize", IN_CLUSTER("blockSize") ", a number of addresses" },
			{ "omitRanges", "\"exclude\"" },
			{ "datastore", "\"cluster\"" },
			{ "kubernetes", IN_CLUSTER("kubernetes") },
			{ "etcd", IN_CLUSTER("etcd") },
			{ "etcdHost", IN_ETCD("endpoints") },
			{ "etcdUsername", IN_ETCD("user") },
			{ "etcdPassword", IN_ETCD("password") },
			{ "etcdKeyFile", IN_ETCD("key") },
			{ "etcdCertFile", IN_ETCD("cert") },
			{ "etcdCaCertFile", IN_ETCD("ca") },
			{ "logFile", BESIDE_IPAM("logFile") },
			{ "logLevel", BESIDE_IPAM("logLevel") },
			/* of others */
			{ "addresses", RANGES },
			{ "subnets", RANGES },
			{ "ipv4Pools", RANGES },
			{ "ipv6Pools", RANGES },
			{ "defaultIpv4Ippool", RANGES },
			{ "defaultIpv6Ippool", RANGES },
			{ "cidr", "\"subnet\"" },
			{ "podCidr", "\"subnet\"" },
			{ "network", "\"subnet\"" },
			{ "start", "\"rangeStart\"" },
			{ "startRange", "\"rangeStart\"" },
			{ "ipRangeStart", "\"rangeStart\"" },
			{ "end", "\"rangeEnd\"" },
			{ "endRange", "\"rangeEnd\"" },
			{ "ipRangeEnd", "\"rangeEnd\"" },
			{ "ipRange", "\"rangeStart\" and \"rangeEnd\"" },
			{ "gw", "\"gateway\"" },
			{ "defaultGateway", "\"gateway\"" },
			{ "excludeIps", "\"exclude\"" },
			{ "reserved", "\"exclude\"" },
			{ "reservedIps", "\"exclude\"" },
			{ "dns", BESIDE_IPAM("dns") },
			{ "master", BESIDE_IPAM("master") },
			{ "mode", BESIDE_IPAM("mode") },
			{ NULL, NULL },
		},
};

struct key_text unknown_key_text(const struct unknown_key *unknown, const char *remark)
{
	struct key_text text;
	const bool inside = *unknown->where, known = *unknown->meant;

	snprintf(text.s, sizeof(text.s), "unknown key \"%.64s\"%s%s%s%s%s%s%s", unknown->key,
		 inside ? " in " : "", unknown->where, remark, known ? "; " : "",
		 known ? unknown->plugin : "", known ? "'s is " : "", unknown->meant);
	return text;
}

struct letters {
	char s[LETTERS_MAX];
	size_t n; /* 0: nothing to compare */
};

/* The same for "range_start" and "RangeStart". */
static struct letters keys_letters_of(const char *key)
{
	struct letters letters = { .n = 0 };

	for (; *key; key++) {
		if (!isalnum((unsigned char)*key))
			continue;
		if (letters.n == LETTERS_MAX)
			return (struct letters){ .n = 0 };
		letters.s[letters.n++] = (char)tolower((unsigned char)*key);
	}
	return letters;
}

static size_t keys_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters are missing, additional, wrong, or swapped with their neighbour. */
static size_t keys_distance(const struct letters *a, const struct letters *b)
{
	size_t d[LETTERS_MAX + 1][LETTERS_MAX + 1] = { { 0 } };

	for (size_t i = 0; i <= a->n; i++)
		for (size_t j = 0; j <= b->n; j++) {
			const bool same = i && j && a->s[i - 1] == b->s[j - 1];

			d[i][j] = i ? j ? d[i - 1][j - 1] + !same : i : j;
			if (i && j)
				d[i][j] = keys_least(d[i][j], keys_least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a->s[i - 1] == b->s[j - 2] && a->s[i - 2] == b->s[j - 1])
				d[i][j] = keys_least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[a->n][b->n];
}

/* The known key with nearly the same letters, or NULL. *slips: how many letters differ. */
static const char *keys_nearest(const struct keys *keys, const struct letters *letters, size_t *slips)
{
	const char *found = NULL;

	for (const struct key *key = keys->known; key->name && letters->n; key++) {
		const struct letters known = keys_letters_of(key->name);
		const size_t d = keys_distance(letters, &known), allowed = known.n < 6 ? 1 : 2;

		if (d > allowed || (found && d >= *slips))
			continue;
		found = key->name;
		*slips = d;
	}
	return found;
}

static const char *keys_meaning_of(const struct keys *keys, const struct letters *letters)
{
	for (const struct meaning *m = keys->meanings; m && m->key; m++) {
		const struct letters foreign = keys_letters_of(m->key);

		if (letters->n == foreign.n && !memcmp(letters->s, foreign.s, foreign.n))
			return m->ours;
	}
	return NULL;
}

static const struct key *keys_find(const struct keys *keys, const char *name)
{
	for (const struct key *key = keys->known; key->name; key++)
		if (!strcasecmp(key->name, name))
			return key;
	return NULL;
}

struct walk {
	const char *plugin;
	void (*each)(void *arg, const struct unknown_key *unknown);
	void *arg;
};

static void keys_report(const struct walk *walk, const struct keys *keys, const char *where, const char *key)
{
	const struct letters letters = keys_letters_of(key);
	struct unknown_key unknown = { .plugin = walk->plugin, .where = where, .key = key, .meant = "" };
	size_t slips = 0;
	const char *near = keys_nearest(keys, &letters, &slips), *foreign = keys_meaning_of(keys, &letters);
	char quoted[LETTERS_MAX + 8];

	if (near && (!slips || !foreign)) {
		snprintf(quoted, sizeof(quoted), "\"%s\"", near);
		unknown.meant = quoted;
	} else if (foreign) {
		unknown.meant = foreign;
	} else if (strchr(key, '/') || *key == '_' || *key == '#') {
		return;
	}
	walk->each(walk->arg, &unknown);
}

static void keys_walk_value(const struct walk *walk, const struct keys *keys, const char *where,
			    const json_t *value, int depth);

// NOLINTNEXTLINE(misc-no-recursion): as deep as the table of keys
static void keys_walk_object(const struct walk *walk, const struct keys *keys, const char *where,
			     const json_t *object)
{
	const json_t *value;
	char inside[128];
	const char *name;

	/* jansson's iterator is not declared const, but changes nothing */
	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		const struct key *key = keys_find(keys, name);

		if (!key)
			keys_report(walk, keys, where, name);
		if (!key || !key->in)
			continue;
		snprintf(inside, sizeof(inside), "%s%s%s", where, *where ? "." : "", key->name);
		keys_walk_value(walk, key->in, inside, value, 0);
	}
}

// NOLINTNEXTLINE(misc-no-recursion): see above
static void keys_walk_value(const struct walk *walk, const struct keys *keys, const char *where,
			    const json_t *value, int depth)
{
	const json_t *entry;
	char inside[128];
	size_t i;

	if (json_is_object(value))
		keys_walk_object(walk, keys, where, value);
	if (depth == DEPTH_MAX)
		return;
	json_array_foreach(value, i, entry) {
		snprintf(inside, sizeof(inside), "%s[%zu]", where, i);
		keys_walk_value(walk, keys, inside, entry, depth + 1);
	}
}

static void keys_walk_ipvlan(const struct walk *walk, const json_t *conf)
{
	struct walk named = *walk;

	named.plugin = "ipvlan";
	keys_walk_value(&named, &ipvlan, "", conf, DEPTH_MAX);
}

static void keys_walk_addrpool(const struct walk *walk, const json_t *conf)
{
	struct walk named = *walk;

	named.plugin = "addrpool";
	keys_walk_value(&named, &addrpool, "ipam", json_field(conf, "ipam"), DEPTH_MAX);
}

static bool keys_is_of(const json_t *conf, const char *type)
{
	const char *text = json_string_value(json_field(conf, "type"));

	return text && !strcmp(text, type);
}

void keys_unknown(const json_t *conf, void (*each)(void *arg, const struct unknown_key *unknown), void *arg)
{
	const struct walk walk = { .each = each, .arg = arg };
	const json_t *ipam = json_field(conf, "ipam");

	if (keys_is_of(conf, "ipvlan"))
		keys_walk_ipvlan(&walk, conf);
	if (keys_is_of(ipam, "addrpool") || keys_is_of(ipam, "host-local"))
		keys_walk_addrpool(&walk, conf);
}

static void keys_warn(void *arg, const struct unknown_key *unknown)
{
	size_t *n = arg;

	if ((*n)++ < REPORTED_MAX)
		cni_log("%s", unknown_key_text(unknown, ", ignored").s);
}

static void keys_warn_of(void (*walk_plugin)(const struct walk *walk, const json_t *conf), const json_t *conf)
{
	size_t n = 0;
	const struct walk walk = { .each = keys_warn, .arg = &n };

	walk_plugin(&walk, conf);
	if (n > REPORTED_MAX)
		cni_log("%zu more unknown keys, ignored", n - REPORTED_MAX);
}

void keys_warn_ipvlan(const json_t *conf)
{
	keys_warn_of(keys_walk_ipvlan, conf);
}

void keys_warn_addrpool(const json_t *conf)
{
	keys_warn_of(keys_walk_addrpool, conf);
}

struct hint {
	char text[sizeof(((struct cni_error *)NULL)->details)];
	size_t used;
};

static void keys_hint(void *arg, const struct unknown_key *unknown)
{
	const struct key_text text = unknown_key_text(unknown, "");
	struct hint *all = arg;

	if (all->used + strlen(text.s) + 2 < sizeof(all->text))
		all->used += (size_t)snprintf(all->text + all->used, sizeof(all->text) - all->used, "%s%s",
					      all->used ? "; " : "", text.s);
}

int keys_hint_ipvlan(const json_t *conf, struct cni_error *err)
{
	struct hint all = { .used = 0 };

	keys_walk_ipvlan(&(const struct walk){ .each = keys_hint, .arg = &all }, conf);
	return cni_hint(err, "%s", all.text);
}

int keys_hint_addrpool(const json_t *conf, struct cni_error *err)
{
	struct hint all = { .used = 0 };

	keys_walk_addrpool(&(const struct walk){ .each = keys_hint, .arg = &all }, conf);
	return cni_hint(err, "%s", all.text);
}
