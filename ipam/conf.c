#include "ipam/conf.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "ipam/record.h"
#include "ipam/wishes.h"

#define DATA_DIR "/var/lib/cni/networks"
#define REUSE_DELAY_MAX (366LL * 24 * 3600)

/* More is no network, but an attack on our memory. */
#define POOLS_MAX RECORD_MAX
#define EXCLUDE_MAX 4096

/* Room for one more entry, all zero; NULL with err filled. */
static void *grow(void *array, size_t *n, size_t size, struct cni_error *err)
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

int place_read(struct place *ret, const struct request *req, struct cni_error *err)
{
	struct place place = { .data_dir = DATA_DIR, .network = req->name };
	const char *data_dir = "";
	json_t *ipam;

	if (read_ipam(&ipam, req, err) < 0 || field_string(ipam, "ipam.", "dataDir", &data_dir, err) < 0 ||
	    field_bool(ipam, "ipam.", "fsync", &place.fsync, err) < 0 ||
	    field_int(ipam, "ipam.", "reuseDelay", 0, REUSE_DELAY_MAX, &place.reuse_delay, err) < 0)
		return -1;
	if (*data_dir)
		place.data_dir = data_dir;
	*ret = place;
	return 0;
}

static int read_ip(const json_t *obj, const char *key, struct ip *ret, struct cni_error *err)
{
	const char *text = NULL;

	if (field_string(obj, "", key, &text, err) < 0)
		return -1;
	if (text && *text && !ip_parse(text, ret))
		return cni_fail(err, CNI_CONFIG, "%s: invalid IP address: %s", key, text);
	return 0;
}

static int read_gateway(struct range *range, const json_t *obj, struct cni_error *err)
{
	const char *text = "";

	if (field_string(obj, "", "gateway", &text, err) < 0)
		return -1;
	range->gateway_given = *text;
	return strcmp(text, "none") ? read_ip(obj, "gateway", &range->gateway, err) : 0;
}

static int read_range(struct pool *pool, const json_t *obj, struct cni_error *err)
{
	struct range *range;
	const char *subnet = "";

	if (!json_is_object(obj))
		return cni_fail(err, CNI_CONFIG, "a range must be an object");
	range = grow(&pool->ranges, &pool->n_ranges, sizeof(*range), err);
	if (!range || field_string(obj, "", "subnet", &subnet, err) < 0)
		return -1;
	if (!prefix_parse(subnet, &range->subnet))
		return cni_fail(err, CNI_CONFIG, "subnet: invalid CIDR address: %s", subnet);
	if (read_ip(obj, "rangeStart", &range->start, err) < 0 ||
	    read_ip(obj, "rangeEnd", &range->end, err) < 0)
		return -1;
	return read_gateway(range, obj, err);
}

static struct pool *new_pool(struct conf *conf, struct cni_error *err)
{
	if (conf->n_pools < POOLS_MAX)
		return grow(&conf->pools, &conf->n_pools, sizeof(*conf->pools), err);
	cni_fail(err, CNI_CONFIG, "more than %d range sets", POOLS_MAX);
	return NULL;
}

/* A list of range sets, each a list of ranges. */
static int read_sets(struct conf *conf, const json_t *obj, const char *where, const char *key,
		     struct cni_error *err)
{
	json_t *sets = NULL, *set, *range;
	size_t i, j;

	if (field_array(obj, where, key, &sets, err) < 0)
		return -1;
	json_array_foreach(sets, i, set) {
		struct pool *pool = new_pool(conf, err);

		if (!pool)
			return -1;
		if (!json_is_array(set))
			return cni_fail(err, CNI_CONFIG, "%s%s must be a list of lists of ranges", where,
					key);
		json_array_foreach(set, j, range)
			if (read_range(pool, range, err) < 0)
				return -1;
	}
	return 0;
}

/* The one range of before 0.7, written into "ipam" itself. */
static int read_inline_range(struct conf *conf, const json_t *ipam, struct cni_error *err)
{
	struct pool *pool;

	if (!json_field(ipam, "subnet"))
		return 0;
	pool = new_pool(conf, err);
	return pool ? read_range(pool, ipam, err) : -1;
}

static int read_exclude(struct conf *conf, const json_t *ipam, struct cni_error *err)
{
	json_t *list = NULL, *entry;
	size_t i;

	if (field_array(ipam, "ipam.", "exclude", &list, err) < 0)
		return -1;
	if (json_array_size(list) > EXCLUDE_MAX)
		return cni_fail(err, CNI_CONFIG, "ipam.exclude has more than %d entries", EXCLUDE_MAX);
	json_array_foreach(list, i, entry) {
		const char *text = json_string_value(entry);
		struct prefix *prefix = grow(&conf->exclude, &conf->n_exclude, sizeof(*prefix), err);

		if (!prefix)
			return -1;
		if (text && ip_parse(text, &prefix->ip))
			prefix->len = (unsigned int)(8 * ip_size(&prefix->ip));
		else if (!text || !prefix_parse(text, prefix))
			return cni_fail(err, CNI_CONFIG, "ipam.exclude: invalid address or prefix: %s",
					text ? text : "not a string");
	}
	return 0;
}

static int settle_pools(struct conf *conf, struct cni_error *err)
{
	for (size_t i = 0; i < conf->n_pools; i++) {
		struct cni_error why = { 0 };

		if (pool_settle(&conf->pools[i], conf->exclude, conf->n_exclude, &why) == 0)
			continue;
		cni_fail(err, why.code, "invalid range set %zu: %s", i, why.msg);
		return cni_hint(err, "%s", why.details);
	}
	return 0;
}

/* Before 0.3.0 a result has one address of each family. */
static int check_families(const struct conf *conf, const struct request *req, struct cni_error *err)
{
	size_t v4 = 0;

	for (size_t i = 0; i < conf->n_pools; i++)
		v4 += conf->pools[i].ranges[0].start.family == AF_INET;
	if (req->version < CNI_0_3_0 && (v4 > 1 || conf->n_pools - v4 > 1))
		return cni_fail(err, CNI_CONFIG,
				"CNI version %s does not support more than 1 address per family",
				cni_versions[req->version]);
	return 0;
}

static int check_overlaps(const struct conf *conf, struct cni_error *err)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		for (size_t j = i + 1; j < conf->n_pools; j++)
			if (pools_overlap(&conf->pools[i], &conf->pools[j]))
				return cni_fail(err, CNI_CONFIG, "range set %zu overlaps with %zu", i, j);
	return 0;
}

static int read_pools(struct conf *conf, const json_t *ipam, const struct request *req, struct cni_error *err)
{
	json_t *runtime = NULL;

	if (field_object(req->conf, "", "runtimeConfig", &runtime, err) < 0 ||
	    read_sets(conf, runtime, "runtimeConfig.", "ipRanges", err) < 0 ||
	    read_inline_range(conf, ipam, err) < 0 || read_sets(conf, ipam, "ipam.", "ranges", err) < 0)
		return -1;
	if (!conf->n_pools)
		return cni_fail(err, CNI_CONFIG, "no IP ranges specified");
	if (read_exclude(conf, ipam, err) < 0 || settle_pools(conf, err) < 0 ||
	    check_families(conf, req, err) < 0)
		return -1;
	return check_overlaps(conf, err);
}

int addrpool_conf_read(struct conf *ret, const struct request *req, struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct conf conf = { 0 };
	json_t *ipam;

	if (place_read(&conf.place, req, err) < 0 || read_ipam(&ipam, req, err) < 0)
		return -1;
	if (field_string(ipam, "ipam.", "resolvConf", &conf.resolv_conf, err) < 0 ||
	    wishes_read(&conf, ipam, req, err) < 0 || read_pools(&conf, ipam, req, err) < 0 ||
	    cluster_read(&conf.cluster, ipam, req->name, err) < 0 ||
	    cluster_check_pools(&conf.cluster, conf.pools, conf.n_pools, err) < 0)
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
	return -1;
}

void addrpool_conf_free(struct conf *conf)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		pool_free(&conf->pools[i]);
	free(conf->pools);
	free(conf->exclude);
	free(conf->wanted);
	free(conf->sticky);
	result_free(&conf->given);
}
