#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim/base64.h"
#include "claim/engine.h"
#include "claim/http.h"
#include "cni/cleanup.h"
#include "cni/json.h"

/* etcd v3 by its JSON gateway (etcd's api/etcdserverpb/rpc.proto): bytes are base64,
 * 64-bit integers strings, and what is zero or false is left out. */

#define PREFIX "/ipvlan-cni"
#define PAGE 1000

/* A put that reaches a member whose leader has just died hangs until the client gives up. */
#define TRY_MS 2000

struct etcd {
	struct engine engine;
	struct http http;
	char *directory; /* "/ipvlan-cni/net/" */
	const char *user, *password;
};

struct key {
	char s[512];
};

static struct key block_key(const struct etcd *etcd, const struct prefix *block)
{
	struct key key;

	snprintf(key.s, sizeof(key.s), "%s%s", etcd->directory, prefix_text(block).s);
	return key;
}

static struct key pool_key(const struct etcd *etcd)
{
	struct key key;

	snprintf(key.s, sizeof(key.s), "%spool", etcd->directory);
	return key;
}

static json_t *bytes(const char *text, size_t len)
{
	autofree char *encoded = base64_encode(text, len);

	return encoded ? json_string(encoded) : NULL;
}

static json_t *quoted(const char *text)
{
	return bytes(text, strlen(text));
}

static int authenticate(struct etcd *etcd, struct cni_error *err)
{
	static const char path[] = "/v3/auth/authenticate";
	json_auto_t *body = json_pack("{s:s, s:s}", "name", etcd->user, "password", etcd->password);
	json_auto_t *doc = NULL;
	struct reply reply;
	const char *token = NULL;

	if (http_call(&etcd->http, "POST", path, body, &reply, err) < 0)
		return -1;
	doc = reply.doc;
	if (reply.status != 200 || field_string(doc, "", "token", &token, err) < 0 || !token)
		return http_refused(&etcd->http, &reply, path, err);
	etcd->http.token = strdup(token);
	return etcd->http.token ? 0 : cni_fail(err, CNI_RETRY, "out of memory");
}

/* Consumes body. The answer is the caller's; NULL with err filled. */
static json_t *call(struct etcd *etcd, const char *path, json_t *body, struct cni_error *err)
{
	json_auto_t *request = body;
	struct reply reply;

	if (!request) {
		cni_fail(err, CNI_RETRY, "out of memory");
		return NULL;
	}
	if (*etcd->user && !etcd->http.token && authenticate(etcd, err) < 0)
		return NULL;
	if (http_call(&etcd->http, "POST", path, request, &reply, err) < 0)
		return NULL;
	if (reply.status == 200)
		return reply.doc;
	http_refused(&etcd->http, &reply, path, err);
	json_decref(reply.doc);
	return NULL;
}

static json_t *put(const char *key, json_t *value)
{
	autofree char *dumped = json_dumps(value, JSON_COMPACT);

	json_decref(value);
	return dumped ? json_pack("{s:{s:o, s:o}}", "request_put", "key", quoted(key), "value",
				  quoted(dumped))
		      : NULL;
}

static json_t *compare(const char *key, const char *target, const char *field, const char *revision)
{
	return json_pack("{s:o, s:s, s:s, s:s}", "key", quoted(key), "target", target, "result", "EQUAL",
			 field, revision);
}

/* If conditions hold, action; else a look at key. Consumes both. */
static json_t *transact(struct etcd *etcd, json_t *conditions, json_t *action, const char *key,
			struct cni_error *err)
{
	return call(etcd, "/v3/kv/txn",
		    json_pack("{s:o, s:[o], s:[{s:{s:o}}]}", "compare", conditions, "success", action,
			      "failure", "request_range", "key", quoted(key)),
		    err);
}

static bool succeeded(const json_t *answer)
{
	return json_is_true(json_field(answer, "succeeded"));
}

/* An integer as etcd writes it, "" when it is left out. */
static void copy_integer(char ret[BLOCK_ID_MAX], const json_t *value)
{
	if (json_is_integer(value))
		snprintf(ret, BLOCK_ID_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		snprintf(ret, BLOCK_ID_MAX, "%s", json_is_string(value) ? json_string_value(value) : "");
}

static json_t *value_of(const struct claim *claim)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "node", claim->node, "network", claim->network,
			 "machine", claim->machine, "boot", claim->boot, "incarnation", claim->incarnation,
			 "since", claim->since);
}

static void copy(char *ret, size_t size, const json_t *obj, const char *key)
{
	const char *value = json_string_value(json_field(obj, key));

	snprintf(ret, size, "%s", value ? value : "");
}

/* "10.9.0.16/28" or "pool", of a key in our directory; the caller frees it. */
static char *name_of(const struct etcd *etcd, const json_t *kv)
{
	const char *encoded = json_string_value(json_field(kv, "key"));
	size_t len, directory = strlen(etcd->directory);
	autofree char *key = encoded ? base64_decode(encoded, &len) : NULL;

	return key && len > directory && !strncmp(key, etcd->directory, directory) ? strdup(key + directory)
										   : NULL;
}

static json_t *read_value(const json_t *kv)
{
	const char *encoded = json_string_value(json_field(kv, "value"));
	size_t len;
	autofree char *value = encoded ? base64_decode(encoded, &len) : NULL;

	return value ? json_loadb(value, len, 0, NULL) : NULL;
}

/* What anybody else has written there is no claim, but keeps the block from being claimed. */
static struct claim read_claim(const struct prefix *block, const json_t *kv)
{
	struct claim claim = { .block = *block };
	json_auto_t *value = read_value(kv);

	copy(claim.node, sizeof(claim.node), value, "node");
	copy(claim.network, sizeof(claim.network), value, "network");
	copy(claim.machine, sizeof(claim.machine), value, "machine");
	copy(claim.boot, sizeof(claim.boot), value, "boot");
	copy(claim.incarnation, sizeof(claim.incarnation), value, "incarnation");
	copy(claim.since, sizeof(claim.since), value, "since");
	copy_integer(claim.id, json_field(kv, "create_revision"));
	copy_integer(claim.version, json_field(kv, "mod_revision"));
	return claim;
}

static int read_kv(const struct etcd *etcd, struct claims *claims, const json_t *kv, struct cni_error *err)
{
	autofree char *name = name_of(etcd, kv);
	struct prefix block;
	struct claim claim;

	if (name && !strcmp(name, "pool")) {
		json_auto_t *value = read_value(kv);

		claims->block_size = json_integer_value(json_field(value, "blockSize"));
	}
	if (!name || !prefix_parse(name, &block))
		return 0;
	claim = read_claim(&block, kv);
	return claims_add(claims, &claim, err);
}

/* One page; *more tells where the next one begins, which the caller frees, or is NULL. */
static int read_page(struct etcd *etcd, struct claims *claims, char **more, struct cni_error *err)
{
	autofree char *from = *more;
	struct key end;
	json_auto_t *answer = NULL;
	const json_t *kvs, *kv;
	size_t i, len;

	*more = NULL;
	snprintf(end.s, sizeof(end.s), "%s", etcd->directory);
	end.s[strlen(end.s) - 1]++; /* what comes after all that begin with the directory */
	answer = call(etcd, "/v3/kv/range",
		      json_pack("{s:s, s:o, s:i}", "key", from, "range_end", quoted(end.s), "limit", PAGE),
		      err);
	if (!answer)
		return -1;
	kvs = json_field(answer, "kvs");
	json_array_foreach(kvs, i, kv)
		if (read_kv(etcd, claims, kv, err) < 0)
			return -1;
	if (json_is_true(json_field(answer, "more")) && json_array_size(kvs)) {
		const char *last =
			json_string_value(json_field(json_array_get(kvs, json_array_size(kvs) - 1), "key"));
		autofree char *key = last ? base64_decode(last, &len) : NULL;

		/* the next possible key: with its final zero byte */
		*more = key ? base64_encode(key, len + 1) : NULL;
	}
	return 0;
}

static int etcd_list(struct engine *engine, struct claims *ret, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	char *from = base64_encode(etcd->directory, strlen(etcd->directory));

	*ret = (struct claims){ 0 };
	while (from)
		if (read_page(etcd, ret, &from, err) < 0) {
			claims_free(ret);
			return -1;
		}
	return 0;
}

static enum found etcd_begin(struct engine *engine, long long block_size, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	const struct key key = pool_key(etcd);
	json_auto_t *answer =
		transact(etcd, json_pack("[o]", compare(key.s, "CREATE", "create_revision", "0")),
			 put(key.s, json_pack("{s:I}", "blockSize", (json_int_t)block_size)), key.s, err);

	return !answer ? FOUND_FAILED : succeeded(answer) ? FOUND : FOUND_NOT;
}

/* The claim that was in the way, from the answer to a transaction that failed. */
static enum found in_the_way(const json_t *answer, const struct prefix *block, struct claim *ret)
{
	const json_t *range =
		json_field(json_array_get(json_field(answer, "responses"), 0), "response_range");
	const json_t *kv = json_array_get(json_field(range, "kvs"), 0);

	if (!kv)
		return FOUND_NOT;
	*ret = read_claim(block, kv);
	return FOUND;
}

/* Only in a pool whose blocks are still as large as we believe. */
static json_t *same_pool(const struct etcd *etcd)
{
	json_auto_t *value =
		json_pack("{s:I}", "blockSize", (json_int_t)1 << etcd->engine.cluster->block_bits);
	autofree char *dumped = value ? json_dumps(value, JSON_COMPACT) : NULL;

	return dumped ? json_pack("{s:o, s:s, s:s, s:o}", "key", quoted(pool_key(etcd).s), "target", "VALUE",
				  "result", "EQUAL", "value", quoted(dumped))
		      : NULL;
}

static enum found etcd_create(struct engine *engine, struct claim *claim, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	const struct key key = block_key(etcd, &claim->block);
	json_auto_t *answer = transact(etcd,
				       json_pack("[o, o]", compare(key.s, "CREATE", "create_revision", "0"),
						 same_pool(etcd)),
				       put(key.s, value_of(claim)), key.s, err);
	struct claim other;

	if (!answer)
		return FOUND_FAILED;
	if (succeeded(answer)) {
		copy_integer(claim->id, json_field(json_field(answer, "header"), "revision"));
		return FOUND;
	}
	if (in_the_way(answer, &claim->block, &other) != FOUND || !claim_is_same_owner(&other, claim))
		return FOUND_NOT;
	*claim = other;
	return FOUND;
}

static enum found etcd_update(struct engine *engine, struct claim *claim, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	const struct key key = block_key(etcd, &claim->block);
	json_auto_t *answer =
		transact(etcd, json_pack("[o]", compare(key.s, "MOD", "mod_revision", claim->version)),
			 put(key.s, value_of(claim)), key.s, err);
	struct claim other;

	if (!answer)
		return FOUND_FAILED;
	if (succeeded(answer) || (in_the_way(answer, &claim->block, &other) == FOUND &&
				  claim_is_same_owner(&other, claim) && !strcmp(other.boot, claim->boot)))
		return FOUND;
	return FOUND_NOT;
}

static enum found etcd_remove(struct engine *engine, const struct claim *claim, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	const struct key key = block_key(etcd, &claim->block);
	json_auto_t *answer =
		transact(etcd, json_pack("[o]", compare(key.s, "CREATE", "create_revision", claim->id)),
			 json_pack("{s:{s:o}}", "request_delete_range", "key", quoted(key.s)), key.s, err);

	return !answer ? FOUND_FAILED : succeeded(answer) ? FOUND : FOUND_NOT;
}

static void etcd_close(struct engine *engine)
{
	struct etcd *etcd = (struct etcd *)engine;

	http_close(&etcd->http);
	free(etcd->directory);
	free(etcd);
}

static const struct engine_kind etcd_kind = {
	.list = etcd_list,
	.begin = etcd_begin,
	.create = etcd_create,
	.update = etcd_update,
	.remove = etcd_remove,
	.close = etcd_close,
};

static int read_endpoints(struct http *http, const json_t *conf, struct cni_error *err)
{
	json_t *list = NULL, *entry;
	size_t i;

	if (field_array(conf, "ipam.cluster.etcd.", "endpoints", &list, err) < 0)
		return -1;
	if (!json_array_size(list))
		return cni_fail(err, CNI_CONFIG, "ipam.cluster.etcd.endpoints: there must be one at least");
	json_array_foreach(list, i, entry) {
		if (!json_is_string(entry))
			return cni_fail(err, CNI_CONFIG,
					"ipam.cluster.etcd.endpoints must be a list of strings");
		if (http_add_endpoint(http, json_string_value(entry), err) < 0)
			return -1;
	}
	return 0;
}

static int read_conf(struct etcd *etcd, const json_t *conf, struct cni_error *err)
{
	static const char where[] = "ipam.cluster.etcd.";
	const char *prefix = PREFIX;
	size_t len;

	if (field_string(conf, where, "prefix", &prefix, err) < 0 ||
	    field_string(conf, where, "ca", &etcd->http.ca.file, err) < 0 ||
	    field_string(conf, where, "cert", &etcd->http.cert.file, err) < 0 ||
	    field_string(conf, where, "key", &etcd->http.key.file, err) < 0 ||
	    field_string(conf, where, "user", &etcd->user, err) < 0 ||
	    field_string(conf, where, "password", &etcd->password, err) < 0 ||
	    read_endpoints(&etcd->http, conf, err) < 0)
		return -1;
	len = strlen(prefix);
	if (len > 200)
		return cni_fail(err, CNI_CONFIG, "%sprefix is longer than 200 characters", where);
	while (len && prefix[len - 1] == '/')
		len--;
	if (asprintf(&etcd->directory, "%.*s/%s/", (int)len, prefix, etcd->engine.cluster->pool) < 0) {
		etcd->directory = NULL;
		return cni_fail(err, CNI_RETRY, "out of memory");
	}
	return 0;
}

struct engine *etcd_open(const struct cluster *cluster, struct cni_error *err)
{
	struct etcd *etcd = calloc(1, sizeof(*etcd));

	if (!etcd) {
		cni_fail(err, CNI_RETRY, "out of memory");
		return NULL;
	}
	etcd->engine = (struct engine){ .kind = &etcd_kind, .cluster = cluster };
	etcd->user = etcd->password = "";
	etcd->http.what = "etcd";
	etcd->http.try_ms = TRY_MS;
	etcd->http.deadline_ms = &etcd->engine.deadline_ms;
	if (read_conf(etcd, cluster->etcd, err) == 0 && http_open(&etcd->http, err) == 0)
		return &etcd->engine;
	etcd_close(&etcd->engine);
	return NULL;
}
