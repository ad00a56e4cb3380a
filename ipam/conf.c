/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/conf.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/keys.h"
#include "cni/own.h"
#include "ipam/block.h"
#include "ipam/record.h"
#include "ipam/whom.h"
#include "ipam/wishes.h"

#define DATA_DIR "/var/lib/cni/networks"
#define REUSE_DELAY_MAX (366LL * 24 * 3600)

/* Limits that no real network reaches, against exhaustion of memory. */
#define POOLS_MAX RECORD_MAX
#define PREFIXES_MAX 4096

/* Adds one entry, all zero, to the array, and returns it. NULL: err is filled. */
static void *conf_grow(void *array, size_t *n, size_t size, struct cni_error *err)
{
	void **p = array, *bigger = realloc(*p, (*n + 1) * size);

	if (!bigger) {
		cni_fail(err, CNI_RETRY, "out of memory");
		return NULL;
	}
	*p = bigger;
	bigger = (char *)bigger + (*n)++ * size;
	memset(bigger, 0, size);
	return bigger;
}

static int read_ipam(json_t **ret, const struct request *req, struct cni_error *err)
{
	*ret = NULL;
	if (field_object(req->conf, "", "ipam", ret, err) < 0)
		return -1;
	return *ret ? 0 : cni_fail(err, CNI_CONFIG, "IPAM config missing 'ipam' key");
}

/* The name of a directory, as a network's name is; so the same characters are valid. */
static int conf_read_pool(struct place *place, const json_t *ipam, struct cni_error *err)
{
	const char *pool = "";

	own_string(ipam, "ipam.", "pool", &pool);
	if (!*pool)
		return 0;
	if (!is_identifier(pool) || strlen(pool) > NAME_MAX) {
		cni_fail(err, CNI_CONFIG, "ipam.pool: invalid name: %.260s", pool);
		return cni_hint(err,
				"it must begin with a letter or digit, and contain only letters, digits, "
				"underscores, dots and dashes");
	}
	place->store = pool;
	return 0;
}

bool place_is_pool(const struct place *place)
{
	return strcmp(place->store, place->network) != 0;
}

static bool conf_has_identities(const json_t *range)
{
	return json_is_true(json_field(range, "identities"));
}

/* Those that are cut into blocks, at a glance. */
static size_t conf_count_range_sets(const json_t *ipam, bool *identities)
{
	const bool direct = json_field(ipam, "subnet");
	const json_t *set;
	size_t i, n = direct && !conf_has_identities(ipam);

	*identities = direct && conf_has_identities(ipam);
	json_array_foreach(json_field(ipam, "ranges"), i, set) {
		const bool kept = conf_has_identities(json_array_get(set, 0));

		*identities |= kept;
		n += !kept;
	}
	return n;
}

int place_read(struct place *ret, const struct request *req, struct cni_error *err)
{
	struct place place = { .data_dir = DATA_DIR, .network = req->name, .store = req->name };
	const char *data_dir = "";
	json_t *ipam;

	if (read_ipam(&ipam, req, err) < 0 || field_string(ipam, "ipam.", "dataDir", &data_dir, err) < 0 ||
	    conf_read_pool(&place, ipam, err) < 0 ||
	    own_int(ipam, "ipam.", "reuseDelay", 0, REUSE_DELAY_MAX, &place.reuse_delay, err) < 0)
		return -1;
	own_bool(ipam, "ipam.", "fsync", &place.fsync);
	place.shared = json_is_object(json_field(ipam, "cluster"));
	place.range_sets = conf_count_range_sets(ipam, &place.identities);
	if (*data_dir)
		place.data_dir = data_dir;
	*ret = place;
	return 0;
}

static int conf_read_ip(const json_t *obj, const char *key, struct ip *ret, struct cni_error *err)
{
	const char *text = NULL;

	if (field_string(obj, "", key, &text, err) < 0)
		return -1;
	if (text && *text && !ip_parse(text, ret))
		return cni_fail(err, CNI_CONFIG, "%s: invalid IP address: %s", key, text);
	return 0;
}

static int conf_read_gateway(struct range *range, const json_t *obj, struct cni_error *err)
{
	const char *text = "";

	if (field_string(obj, "", "gateway", &text, err) < 0)
		return -1;
	range->gateway_given = *text;
	return strcmp(text, "none") ? conf_read_ip(obj, "gateway", &range->gateway, err) : 0;
}

/* "identities": of all ranges of a range set, or of none. */
static int conf_read_identities(struct pool *pool, const json_t *range, struct cni_error *err)
{
	bool identities = false;

	if (field_bool(range, "", "identities", &identities, err) < 0)
		return -1;
	if (pool->n_ranges > 1 && identities != pool->identities)
		return cni_fail(err, CNI_CONFIG, "identities: all ranges of a range set must have the same");
	pool->identities = identities;
	return 0;
}

static int conf_read_range(struct pool *pool, const json_t *obj, struct cni_error *err)
{
	struct range *range;
	const char *subnet = "";

	if (!json_is_object(obj))
		return cni_fail(err, CNI_CONFIG, "a range must be an object");
	range = conf_grow(&pool->ranges, &pool->n_ranges, sizeof(*range), err);
	if (!range || field_string(obj, "", "subnet", &subnet, err) < 0)
		return -1;
	if (!prefix_parse(subnet, &range->subnet))
		return cni_fail(err, CNI_CONFIG, "subnet: invalid CIDR address: %s", subnet);
	if (conf_read_ip(obj, "rangeStart", &range->start, err) < 0 ||
	    conf_read_ip(obj, "rangeEnd", &range->end, err) < 0 || whom_read(pool, obj, err) < 0 ||
	    conf_read_identities(pool, obj, err) < 0)
		return -1;
	return conf_read_gateway(range, obj, err);
}

static struct pool *conf_new_pool(struct conf *conf, struct cni_error *err)
{
	if (conf->n_pools < POOLS_MAX)
		return conf_grow(&conf->pools, &conf->n_pools, sizeof(*conf->pools), err);
	cni_fail(err, CNI_CONFIG, "more than %d range sets", POOLS_MAX);
	return NULL;
}

/* A list of range sets, each a list of ranges. */
static int conf_read_sets(struct conf *conf, const json_t *obj, const char *where, const char *key,
			  struct cni_error *err)
{
	json_t *sets = NULL, *set, *range;
	size_t i, j;

	if (field_array(obj, where, key, &sets, err) < 0)
		return -1;
	json_array_foreach(sets, i, set) {
		struct pool *pool = conf_new_pool(conf, err);

		if (!pool)
			return -1;
		if (!json_is_array(set))
			return cni_fail(err, CNI_CONFIG, "%s%s must be a list of lists of ranges", where,
					key);
		json_array_foreach(set, j, range)
			if (conf_read_range(pool, range, err) < 0)
				return -1;
	}
	return 0;
}

/* The range that is written directly into "ipam". */
static int conf_read_inline_range(struct conf *conf, const json_t *ipam, struct cni_error *err)
{
	struct pool *pool;

	if (!json_field(ipam, "subnet"))
		return 0;
	pool = conf_new_pool(conf, err);
	return pool ? conf_read_range(pool, ipam, err) : -1;
}

/* A list of addresses and prefixes. */
static int conf_read_prefixes(struct prefix **ret, size_t *n, const json_t *list, const char *key,
			      struct cni_error *err)
{
	const json_t *entry;
	size_t i;

	if (json_array_size(list) > PREFIXES_MAX)
		return cni_fail(err, CNI_CONFIG, "ipam.%s has more than %d entries", key, PREFIXES_MAX);
	json_array_foreach(list, i, entry) {
		const char *text = json_string_value(entry);
		struct prefix *prefix = conf_grow(ret, n, sizeof(*prefix), err);

		if (!prefix)
			return -1;
		if (ip_parse(text, &prefix->ip)) {
			prefix->len = (unsigned int)(8 * ip_size(&prefix->ip));
		} else if (!prefix_parse(text, prefix)) {
			cni_fail(err, CNI_CONFIG, "ipam.%s: invalid address or prefix: %s", key, text);
			return strchr(text, '-')
				       ? cni_hint(err, "write a span of addresses as prefixes, for instance "
						       "\"10.9.0.16/28\" for 10.9.0.16 to 10.9.0.31")
				       : -1;
		}
	}
	return 0;
}

static int conf_settle_pools(struct conf *conf, struct cni_error *err)
{
	for (size_t i = 0; i < conf->n_pools; i++) {
		struct cni_error why = { 0 };

		conf->pools[i].number = i;
		if (pool_settle(&conf->pools[i], conf->exclude, conf->n_exclude, &why) == 0)
			continue;
		cni_fail(err, why.code, "invalid range set %zu: %s", i, why.msg);
		return cni_hint(err, "%s", why.details);
	}
	return 0;
}

/* A result of CNI before 0.3.0 has room for one address of each family. Of a family with "for" a pod gets
 * only one in any case. */
static int conf_check_families(const struct conf *conf, const struct request *req, struct cni_error *err)
{
	size_t n[2] = { 0, 0 };
	bool choice[2] = { false, false };

	for (size_t i = 0; i < conf->n_pools; i++) {
		const bool v6 = conf->pools[i].ranges[0].start.family == AF_INET6;

		n[v6]++;
		choice[v6] |= conf->pools[i].whom != NULL;
	}
	if (req->version < CNI_0_3_0 && ((n[0] > 1 && !choice[0]) || (n[1] > 1 && !choice[1])))
		return cni_fail(err, CNI_CONFIG,
				"CNI version %s does not support more than 1 address per family",
				cni_versions[req->version]);
	return 0;
}

static int conf_check_overlaps(const struct conf *conf, struct cni_error *err)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		for (size_t j = i + 1; j < conf->n_pools; j++)
			if (pools_overlap(&conf->pools[i], &conf->pools[j]))
				return cni_fail(err, CNI_CONFIG, "range set %zu overlaps with %zu", i, j);
	return 0;
}

/* The range whose subnet contains all of prefix, or NULL. */
static const struct range *conf_subnet_around(const struct conf *conf, const struct prefix *prefix)
{
	const struct ip first = prefix_network(prefix).ip;

	for (size_t i = 0; i < conf->n_pools; i++) {
		const struct range *range = pool_subnet(&conf->pools[i], &first);

		if (range && range->subnet.len <= prefix->len)
			return range;
	}
	return NULL;
}

/* Fails if an entry of "static" cannot be assigned: it is outside of all subnets, excluded, or reserved. */
static int conf_check_static(const struct conf *conf, const struct prefix *prefix, struct cni_error *err)
{
	const struct ip_str text = entry_text(prefix);
	const struct prefix network = prefix_network(prefix);
	const struct range *range = conf_subnet_around(conf, prefix);
	const char *reserved;

	if (!prefix_equal(&network, prefix)) {
		cni_fail(err, CNI_CONFIG, "ipam.static: %s has host bits set", text.s);
		return cni_hint(err, "write %s for one address, or %s for the whole prefix",
				ip_text(&prefix->ip).s, prefix_text(&network).s);
	}
	if (!range) {
		cni_fail(err, CNI_CONFIG, "ipam.static: %s is in no subnet of the ranges", text.s);
		return cni_hint(err, "the first range set has the subnet %s",
				prefix_text(&conf->pools[0].ranges[0].subnet).s);
	}
	for (size_t i = 0; i < conf->n_exclude; i++)
		if (prefix_contains(&conf->exclude[i], &network.ip) ||
		    prefix_contains(prefix, &conf->exclude[i].ip))
			return cni_fail(err, CNI_CONFIG, "ipam.static: %s overlaps %s of ipam.exclude",
					text.s, entry_text(&conf->exclude[i]).s);
	if (prefix->len < 8 * ip_size(&prefix->ip))
		return 0;
	reserved = subnet_reserved(&range->subnet, &prefix->ip);
	for (size_t i = 0; i < conf->n_pools; i++)
		if (pool_is_gateway(&conf->pools[i], &prefix->ip))
			reserved = "gateway";
	return reserved ? cni_fail(err, CNI_CONFIG, "ipam.static: %s is the %s of %s", text.s, reserved,
				   prefix_text(&range->subnet).s)
			: 0;
}

static int conf_read_static(struct conf *conf, const json_t *ipam, struct cni_error *err)
{
	if (conf_read_prefixes(&conf->asked, &conf->n_asked, own_strings(ipam, "ipam.", "static"), "static",
			       err) < 0)
		return -1;
	for (size_t i = 0; i < conf->n_asked; i++)
		if (conf_check_static(conf, &conf->asked[i], err) < 0)
			return -1;
	for (size_t i = 0; i < conf->n_pools; i++)
		if (pool_keep(&conf->pools[i], conf->asked, conf->n_asked, err) < 0)
			return -1;
	return 0;
}

/* A node cannot assign an address of another node's block, so a request would fail on most nodes. */
static int conf_check_shared(const struct conf *conf, struct cni_error *err)
{
	if (!conf->cluster.pool || !conf->n_asked)
		return 0;
	cni_fail(err, CNI_CONFIG, "ipam.static and ipam.cluster exclude each other");
	return cni_hint(err,
			"a node assigns only addresses of its own blocks: another node would refuse the same "
			"request");
}

/* A block is cut from range sets without identities alone. */
static bool conf_share_block(const struct pool *kept, const struct pool *pool, unsigned int bits)
{
	for (size_t i = 0; i < kept->n_spans; i++) {
		const struct prefix first = block_of(&kept->spans[i].first, bits);
		const struct prefix last = block_of(&kept->spans[i].last, bits);

		if (pool_touches(pool, &first) || pool_touches(pool, &last))
			return true;
	}
	return false;
}

static int conf_check_identities(const struct conf *conf, const json_t *ipam, struct cni_error *err)
{
	for (size_t i = 0; i < conf->n_pools; i++) {
		if (!conf->pools[i].identities)
			continue;
		if (!conf->cluster.pool || !json_is_string(json_field(ipam, "sticky"))) {
			cni_fail(err, CNI_CONFIG,
				 "range set %zu: \"identities\" requires ipam.sticky and ipam.cluster", i);
			return cni_hint(
				err, "without ipam.cluster, ipam.sticky alone keeps addresses on this node");
		}
		for (size_t j = 0; j < conf->n_pools; j++)
			if (!conf->pools[j].identities &&
			    conf_share_block(&conf->pools[i], &conf->pools[j], conf->cluster.block_bits)) {
				cni_fail(err, CNI_CONFIG,
					 "range set %zu with \"identities\" and range set %zu have addresses "
					 "in the same "
					 "block of %u addresses",
					 i, j, 1U << conf->cluster.block_bits);
				return cni_hint(
					err, "let each begin and end where a block does, or write a smaller "
					     "ipam.cluster.blockSize");
			}
	}
	return 0;
}

static int conf_read_range_sets(struct conf *conf, const json_t *ipam, const struct request *req,
				struct cni_error *err)
{
	json_t *runtime = NULL;

	if (field_object(req->conf, "", "runtimeConfig", &runtime, err) < 0 ||
	    conf_read_sets(conf, runtime, "runtimeConfig.", "ipRanges", err) < 0 ||
	    conf_read_inline_range(conf, ipam, err) < 0 ||
	    conf_read_sets(conf, ipam, "ipam.", "ranges", err) < 0)
		return -1;
	if (!conf->n_pools) {
		cni_fail(err, CNI_CONFIG, "no IP ranges specified");
		keys_hint_addrpool(req->conf, err);
		return cni_hint(
			err, "ipam must have \"subnet\": \"...\" or \"ranges\": [[{\"subnet\": \"...\"}]]");
	}
	if (conf_read_prefixes(&conf->exclude, &conf->n_exclude, own_strings(ipam, "ipam.", "exclude"),
			       "exclude", err) < 0)
		return -1;
	return conf_settle_pools(conf, err);
}

static int conf_read_pools(struct conf *conf, const json_t *ipam, const struct request *req,
			   struct cni_error *err)
{
	if (conf_read_range_sets(conf, ipam, req, err) < 0 || conf_check_families(conf, req, err) < 0 ||
	    conf_check_overlaps(conf, err) < 0)
		return -1;
	return conf_read_static(conf, ipam, err);
}

int range_sets_read(struct conf *ret, const struct request *req, struct cni_error *err)
{
	json_t *ipam;

	*ret = (struct conf){ 0 };
	if (read_ipam(&ipam, req, err) == 0 && conf_read_range_sets(ret, ipam, req, err) == 0)
		return 0;
	addrpool_conf_free(ret);
	*ret = (struct conf){ 0 };
	return -1;
}

int addrpool_conf_read(struct conf *ret, const struct request *req, struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct conf conf = { 0 };
	json_t *ipam;

	if (place_read(&conf.place, req, err) < 0 || read_ipam(&ipam, req, err) < 0)
		return -1;
	if (field_string(ipam, "ipam.", "resolvConf", &conf.resolv_conf, err) < 0 ||
	    wishes_read(&conf, ipam, req, err) < 0 || conf_read_pools(&conf, ipam, req, err) < 0 ||
	    cluster_read(&conf.cluster, ipam, conf.place.store, err) < 0 ||
	    cluster_check_pools(&conf.cluster, conf.pools, conf.n_pools, err) < 0 ||
	    conf_check_shared(&conf, err) < 0 || conf_check_identities(&conf, ipam, err) < 0)
		goto fail;
	if (result_add_routes(&conf.given, ipam, "routes", &why) < 0) {
		cni_fail(err, CNI_CONFIG, "%s", why.msg);
		goto fail;
	}
	if (conf.resolv_conf && !*conf.resolv_conf)
		conf.resolv_conf = NULL;
	*ret = conf;
	return 0;
fail:
	addrpool_conf_free(&conf);
	return keys_hint_addrpool(req->conf, err);
}

void addrpool_conf_free(struct conf *conf)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		pool_free(&conf->pools[i]);
	free(conf->pools);
	free(conf->exclude);
	free(conf->asked);
	free(conf->wanted);
	free(conf->sticky);
	free(conf->args.list);
	free(conf->args.text);
	result_free(&conf->given);
}
