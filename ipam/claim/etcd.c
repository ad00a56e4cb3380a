/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim/engine.h"
#include "claim/http.h"
#include "cni/base64.h"
#include "cni/cleanup.h"
#include "cni/json.h"

/* etcd v3 through its JSON gateway (etcd's api/etcdserverpb/rpc.proto): bytes are base64, 64-bit integers are
 * strings, and members that are zero or false are absent. */

#define PREFIX "/ipvlan-cni"
/* etcd searches its whole index for each page. A page with the longest names remains below the longest answer
 * that http.c accepts: in base64 a key and its value have at most 1 KiB, 3 KiB, or 25 KiB if the name of an
 * identity consists of control characters. */
#define PAGE_OF_KEYS 15000
#define PAGE_OF_CLAIMS 5000
#define PAGE_OF_KEPT 500

/* etcd's --max-txn-ops is 128. */
#define READ_AT_ONCE 100

/* If the leader has just died, another member does not answer a put: ask the next one. */
#define TRY_MS 2000
/* Of a single endpoint, which may be overloaded. */
#define TRY_ALONE_MS 5000

struct etcd {
	struct engine engine;
	struct http http;
	char *directory; /* "/ipvlan-cni/net/" */
	const char *user, *password;
	bool open; /* its authentication is off */
};

struct key {
	char s[1024];
};

static struct key etcd_block_key(const struct etcd *etcd, const struct prefix *block)
{
	struct key key;

	snprintf(key.s, sizeof(key.s), "%s%s", etcd->directory, prefix_text(block).s);
	return key;
}

/* A key of the index, or the directory of all claims of whose node and network (owner ""), or of an owner
 * (block NULL). */
static struct key etcd_index_key(const struct etcd *etcd, const struct claim *whose, const char *owner,
				 const struct prefix *block)
{
	struct key key;

	snprintf(key.s, sizeof(key.s), "%s~node/%s/%s/%s%s%s", etcd->directory, whose->node, whose->network,
		 owner, *owner ? "/" : "", block ? prefix_text(block).s : "");
	return key;
}

static struct key etcd_claim_index_key(const struct etcd *etcd, const struct claim *claim)
{
	return etcd_index_key(etcd, claim, owner_mark(claim).s, &claim->block);
}

static struct key etcd_pool_key(const struct etcd *etcd)
{
	struct key key;

	snprintf(key.s, sizeof(key.s), "%spool", etcd->directory);
	return key;
}

static json_t *etcd_bytes(const char *text, size_t len)
{
	autofree char *encoded = base64_encode(text, len);

	return encoded ? json_string(encoded) : NULL;
}

static json_t *etcd_quoted(const char *text)
{
	return etcd_bytes(text, strlen(text));
}

static int etcd_authenticate(struct etcd *etcd, struct cni_error *err)
{
	static const char path[] = "/v3/auth/authenticate";
	json_auto_t *body = json_pack("{s:s, s:s}", "name", etcd->user, "password", etcd->password);
	json_auto_t *doc = NULL;
	struct reply reply;
	const char *token = NULL;

	if (http_call(&etcd->http, "POST", path, body, &reply, err) < 0)
		return -1;
	doc = reply.doc;
	etcd->open = http_has_no_login(&reply);
	if (etcd->open)
		return 0;
	if (reply.status != 200 || field_string(doc, "", "token", &token, err) < 0 || !token)
		return http_refused(&etcd->http, &reply, path, err);
	etcd->http.token = strdup(token);
	return etcd->http.token ? 0 : cni_fail(err, CNI_RETRY, "out of memory");
}

/* Has the token's time ended, or has somebody changed users or roles since it was given? */
static bool etcd_is_token_over(const struct reply *reply)
{
	const char *text = json_string_value(json_field(reply->doc, "message"));

	return reply->status == 401 || (reply->status == 400 && text && strstr(text, "auth store is old"));
}

/* Consumes body. The caller owns the answer. */
static json_t *etcd_call(struct etcd *etcd, const char *path, json_t *body, struct cni_error *err)
{
	json_auto_t *request = body;
	struct reply reply = { .doc = NULL };

	if (!request) {
		cni_fail(err, CNI_RETRY, "out of memory");
		return NULL;
	}
	for (int tries = 0; tries < 2; tries++) {
		json_decref(reply.doc);
		if (*etcd->user && !etcd->http.token && !etcd->open && etcd_authenticate(etcd, err) < 0)
			return NULL;
		if (http_call(&etcd->http, "POST", path, request, &reply, err) < 0)
			return NULL;
		if (reply.status == 200)
			return reply.doc;
		if (!etcd->http.token || !etcd_is_token_over(&reply))
			break;
		free(etcd->http.token);
		etcd->http.token = NULL;
	}
	http_refused(&etcd->http, &reply, path, err);
	json_decref(reply.doc);
	return NULL;
}

static json_t *etcd_put_text(const char *key, const char *text)
{
	return json_pack("{s:{s:o, s:o}}", "request_put", "key", etcd_quoted(key), "value",
			 etcd_quoted(text));
}

/* Consumes value. */
static json_t *etcd_put(const char *key, json_t *value)
{
	autofree char *dumped = json_dumps(value, JSON_COMPACT);

	json_decref(value);
	return dumped ? etcd_put_text(key, dumped) : NULL;
}

static json_t *etcd_delete(const char *key)
{
	return json_pack("{s:{s:o}}", "request_delete_range", "key", etcd_quoted(key));
}

static json_t *etcd_count(const char *key)
{
	return json_pack("{s:{s:o, s:b}}", "request_range", "key", etcd_quoted(key), "count_only", 1);
}

/* From the first block of the slice to the last one: how many keys there are, or which. */
static json_t *etcd_range_of(const struct etcd *etcd, const struct slice *slice, const char *what)
{
	const struct key first = etcd_block_key(etcd, &slice->blocks[0]);
	const struct key last = etcd_block_key(etcd, &slice->blocks[slice->n - 1]);

	/* the end is the next possible key: with the final zero byte */
	return json_pack("{s:{s:o, s:o, s:b}}", "request_range", "key", etcd_quoted(first.s), "range_end",
			 etcd_bytes(last.s, strlen(last.s) + 1), what, 1);
}

static struct key etcd_end_of(const char *directory)
{
	struct key end;

	snprintf(end.s, sizeof(end.s), "%s", directory);
	end.s[strlen(end.s) - 1]++; /* the first text after all that begin with directory */
	return end;
}

/* Reads the newest key below a directory, and counts the keys there. */
static json_t *etcd_newest_below(const char *directory)
{
	return json_pack("{s:{s:o, s:o, s:i, s:b, s:s, s:s}}", "request_range", "key", etcd_quoted(directory),
			 "range_end", etcd_quoted(etcd_end_of(directory).s), "limit", 1, "keys_only", 1,
			 "sort_order", "DESCEND", "sort_target", "CREATE");
}

static json_t *etcd_get(const char *key)
{
	return json_pack("{s:{s:o}}", "request_range", "key", etcd_quoted(key));
}

static json_t *etcd_compare(const char *key, const char *target, const char *field, const char *revision)
{
	return json_pack("{s:o, s:s, s:s, s:s}", "key", etcd_quoted(key), "target", target, "result", "EQUAL",
			 field, revision);
}

/* Executes actions if all conditions hold; otherwise reads key. Consumes both. */
static json_t *etcd_transact(struct etcd *etcd, json_t *conditions, json_t *actions, const char *key,
			     struct cni_error *err)
{
	return etcd_call(etcd, "/v3/kv/txn",
			 json_pack("{s:o, s:o, s:[o]}", "compare", conditions, "success", actions, "failure",
				   etcd_get(key)),
			 err);
}

/* Executes actions, and consumes them. "responses" of the answer has theirs, in their order. */
static json_t *etcd_do_all(struct etcd *etcd, json_t *actions, struct cni_error *err)
{
	return etcd_call(etcd, "/v3/kv/txn", json_pack("{s:o}", "success", actions), err);
}

/* The response to action n, which was a read. */
static const json_t *etcd_response(const json_t *answer, size_t n)
{
	return json_field(json_array_get(json_field(answer, "responses"), n), "response_range");
}

static bool etcd_succeeded(const json_t *answer)
{
	return json_is_true(json_field(answer, "succeeded"));
}

static size_t etcd_count_in(const json_t *response)
{
	const json_t *value = json_field(response, "count");
	const char *text = json_string_value(value);

	return text ? strtoul(text, NULL, 10) : (size_t)json_integer_value(value);
}

/* Copies an integer as etcd writes it; "": it is absent. */
static void etcd_copy_integer(char ret[BLOCK_ID_MAX], const json_t *value)
{
	if (json_is_integer(value))
		snprintf(ret, BLOCK_ID_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		snprintf(ret, BLOCK_ID_MAX, "%s", json_is_string(value) ? json_string_value(value) : "");
}

static json_t *etcd_value_of(const struct claim *claim)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "node", claim->node, "network", claim->network,
			 "machine", claim->machine, "boot", claim->boot, "incarnation", claim->incarnation,
			 "since", claim->since);
}

static void etcd_copy(char *ret, size_t size, const json_t *obj, const char *key)
{
	const char *value = json_string_value(json_field(obj, key));

	snprintf(ret, size, "%s", value ? value : "");
}

/* The key without our directory: "10.9.0.16/28", "pool". The caller frees it. */
static char *etcd_name_of(const struct etcd *etcd, const json_t *kv)
{
	const char *encoded = json_string_value(json_field(kv, "key"));
	size_t len, directory = strlen(etcd->directory);
	autofree char *key = encoded ? base64_decode(encoded, &len) : NULL;

	return key && len > directory && !strncmp(key, etcd->directory, directory) ? strdup(key + directory)
										   : NULL;
}

static json_t *etcd_read_value(const json_t *kv)
{
	const char *encoded = json_string_value(json_field(kv, "value"));
	size_t len;
	autofree char *value = encoded ? base64_decode(encoded, &len) : NULL;

	return value ? json_loadb(value, len, 0, NULL) : NULL;
}

/* A value that another program wrote becomes a claim without a node. No node can claim its block. */
static struct claim etcd_read_claim(const struct prefix *block, const json_t *kv)
{
	struct claim claim = { .block = *block };
	json_auto_t *value = etcd_read_value(kv);

	etcd_copy(claim.node, sizeof(claim.node), value, "node");
	etcd_copy(claim.network, sizeof(claim.network), value, "network");
	etcd_copy(claim.machine, sizeof(claim.machine), value, "machine");
	etcd_copy(claim.boot, sizeof(claim.boot), value, "boot");
	etcd_copy(claim.incarnation, sizeof(claim.incarnation), value, "incarnation");
	etcd_copy(claim.since, sizeof(claim.since), value, "since");
	etcd_copy_integer(claim.id, json_field(kv, "create_revision"));
	etcd_copy_integer(claim.version, json_field(kv, "mod_revision"));
	return claim;
}

/* Reads the keys alone if a page has so many. */
static json_t *etcd_range(const char *from, const char *end, int page)
{
	return json_pack("{s:s, s:o, s:i, s:b}", "key", from, "range_end", etcd_quoted(end), "limit", page,
			 "keys_only", page == PAGE_OF_KEYS);
}

/* The keys to list in our directory: calls take() for each. */
struct listing {
	const char *from, *until;
	int page;
	int (*take)(void *arg, const char *name, const json_t *kv, struct cni_error *err);
	void *arg; /* of take() */
};

struct claim_listing {
	const char *node; /* NULL: all */
	struct claims *claims;
};

static int etcd_take_claim(void *arg, const char *name, const json_t *kv, struct cni_error *err)
{
	const struct claim_listing *listing = arg;
	struct claims *claims = listing->claims;
	struct prefix block;
	struct claim claim;

	if (!strcmp(name, "pool")) {
		json_auto_t *value = etcd_read_value(kv);

		claims->block_size = json_integer_value(json_field(value, "blockSize"));
	}
	if (!prefix_parse(name, &block))
		return 0;
	claim = etcd_read_claim(&block, kv);
	return listing->node && strcmp(listing->node, claim.node) != 0 ? 0 : claims_add(claims, &claim, err);
}

static int etcd_take_block(void *arg, const char *name, const json_t *kv, struct cni_error *err)
{
	struct prefix block;

	(void)kv;
	return prefix_parse(name, &block) ? taken_add(arg, &block, err) : 0;
}

/* Sets seen of the claim that a key of the index, ".../10.9.0.16/28", names. arg: claims in order. */
static int etcd_take_sign(void *arg, const char *name, const json_t *kv, struct cni_error *err)
{
	const struct claims *claims = arg;
	const char *encoded = json_string_value(json_field(kv, "value"));
	const char *slash = memrchr(name, '/', strlen(name));
	struct claim wanted = { .since = "" }, *found = NULL;
	autofree char *value = NULL;
	size_t len;

	(void)err;
	slash = slash ? memrchr(name, '/', (size_t)(slash - name)) : NULL;
	if (encoded && slash && prefix_parse(slash + 1, &wanted.block) && claims->n)
		found = bsearch(&wanted, claims->list, claims->n, sizeof(wanted), claim_by_block);
	value = found ? base64_decode(encoded, &len) : NULL;
	if (value)
		snprintf(found->seen, sizeof(found->seen), "%s", value);
	return 0;
}

/* Reads the page that begins at *more. Sets *more to the next page, NULL after the last. */
static int etcd_read_page(struct etcd *etcd, const struct listing *listing, char **more, const char *end,
			  struct cni_error *err)
{
	autofree char *from = *more;
	json_auto_t *answer = NULL;
	const json_t *kvs, *kv;
	size_t i, len;

	*more = NULL;
	engine_go_on(&etcd->engine);
	answer = etcd_call(etcd, "/v3/kv/range", etcd_range(from, end, listing->page), err);
	if (!answer)
		return -1;
	kvs = json_field(answer, "kvs");
	json_array_foreach(kvs, i, kv) {
		autofree char *name = etcd_name_of(etcd, kv);

		if (name && listing->take(listing->arg, name, kv, err) < 0)
			return -1;
	}
	if (json_is_true(json_field(answer, "more")) && json_array_size(kvs)) {
		const char *last =
			json_string_value(json_field(json_array_get(kvs, json_array_size(kvs) - 1), "key"));
		autofree char *key = last ? base64_decode(last, &len) : NULL;

		/* the next possible key: the last one and a zero byte */
		*more = key ? base64_encode(key, len + 1) : NULL;
	}
	return 0;
}

static int etcd_list_keys(struct etcd *etcd, const struct listing *listing, struct cni_error *err)
{
	struct key from, until;
	char *more;

	snprintf(from.s, sizeof(from.s), "%s%s", etcd->directory, listing->from);
	snprintf(until.s, sizeof(until.s), "%s%s", etcd->directory, listing->until);
	more = base64_encode(from.s, strlen(from.s));
	while (more)
		if (etcd_read_page(etcd, listing, &more, until.s, err) < 0)
			return -1;
	return 0;
}

/* The first character of a block is a hexadecimal digit or a colon. So blocks precede "pool" and "~node". */
static int etcd_list(struct engine *engine, const char *node, struct claims *ret, struct cni_error *err)
{
	struct claim_listing claims = { node, ret };
	const struct listing all = { "", "~", PAGE_OF_CLAIMS, etcd_take_claim, &claims };
	const struct listing signs = { "~node/", "~node0", PAGE_OF_CLAIMS, etcd_take_sign, ret };
	struct etcd *etcd = (struct etcd *)engine;

	*ret = (struct claims){ 0 };
	if (etcd_list_keys(etcd, &all, err) == 0) {
		if (ret->n)
			qsort(ret->list, ret->n, sizeof(*ret->list), claim_by_block);
		if (etcd_list_keys(etcd, &signs, err) == 0)
			return 0;
	}
	claims_free(ret);
	return -1;
}

static int etcd_list_blocks(struct engine *engine, struct taken *ret, struct cni_error *err)
{
	const struct listing blocks = { "", "g", PAGE_OF_KEYS, etcd_take_block, ret };

	*ret = (struct taken){ 0 };
	if (etcd_list_keys((struct etcd *)engine, &blocks, err) == 0)
		return 0;
	taken_free(ret);
	return -1;
}

static const struct block *etcd_newest_of(const struct blocks *own)
{
	const struct block *newest = own->list;

	for (size_t i = 1; i < own->n; i++)
		if (strtoull(own->list[i].version, NULL, 10) > strtoull(newest->version, NULL, 10))
			newest = &own->list[i];
	return newest;
}

/*
 * Does the index have as many claims as own, and the same newest one? A change of a claim makes its key of
 * the index anew. So an engine that has lost its latest changes has another newest key, even if it has as
 * many.
 */
static bool etcd_is_same(const struct etcd *etcd, const struct claim *self, const struct blocks *own,
			 const json_t *index)
{
	const struct block *newest = etcd_newest_of(own);
	const json_t *kv = json_array_get(json_field(index, "kvs"), 0);
	const char *encoded = json_string_value(json_field(kv, "key"));
	size_t len;
	autofree char *key = encoded ? base64_decode(encoded, &len) : NULL;
	char version[BLOCK_ID_MAX];

	if (etcd_count_in(index) != own->n || !own->n)
		return etcd_count_in(index) == own->n;
	etcd_copy_integer(version, json_field(kv, "create_revision"));
	return key && newest &&
	       !strcmp(key, etcd_index_key(etcd, self, owner_mark(self).s, &newest->prefix).s) &&
	       !strcmp(version, newest->version);
}

/* The condition that etcd still has the key. */
static json_t *etcd_exists(const char *key)
{
	return json_pack("{s:o, s:s, s:s, s:s}", "key", etcd_quoted(key), "target", "VERSION", "result",
			 "GREATER", "version", "0");
}

/* Writes the time to the key of our newest claim in the index, if that still exists. */
static json_t *etcd_sign(const struct etcd *etcd, const struct claim *self, const struct blocks *own)
{
	const struct key key = etcd_index_key(etcd, self, owner_mark(self).s, &etcd_newest_of(own)->prefix);

	return json_pack("{s:{s:[o], s:[o]}}", "request_txn", "compare", etcd_exists(key.s), "success",
			 etcd_put_text(key.s, self->seen));
}

/* The directory of the claims that a look compares with own. */
static struct key etcd_look_key(const struct etcd *etcd, const struct claim *self, const struct blocks *own)
{
	return etcd_index_key(etcd, self, own->n ? owner_mark(self).s : "", NULL);
}

static int etcd_look(struct engine *engine, const struct claim *self, struct look *look,
		     struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	json_t *actions = json_pack("[o]", etcd_get(etcd_pool_key(etcd).s));
	const size_t slices = look->n + 1, index = slices + look->n_slices;
	const size_t n = index + !!look->own + look->sign;
	json_auto_t *answer = NULL, *pool = NULL;

	for (size_t i = 0; i < look->n; i++)
		json_array_append_new(actions,
				      etcd_count(etcd_block_key(etcd, &look->candidates[i].block).s));
	for (size_t i = 0; i < look->n_slices; i++)
		json_array_append_new(actions, etcd_range_of(etcd, &look->slices[i], "count_only"));
	if (look->own)
		json_array_append_new(actions, etcd_newest_below(etcd_look_key(etcd, self, look->own).s));
	if (look->sign)
		json_array_append_new(actions, etcd_sign(etcd, self, look->own));
	answer = etcd_do_all(etcd, actions, err);
	if (!answer)
		return -1;
	if (json_array_size(json_field(answer, "responses")) != n)
		return cni_fail(err, CNI_RETRY, "etcd %s: the answer does not belong to the request",
				http_endpoint(&etcd->http));
	pool = etcd_read_value(json_array_get(json_field(etcd_response(answer, 0), "kvs"), 0));
	look->block_size = json_integer_value(json_field(pool, "blockSize"));
	for (size_t i = 0; i < look->n; i++)
		look->candidates[i].taken = etcd_count_in(etcd_response(answer, i + 1)) > 0;
	for (size_t i = 0; i < look->n_slices; i++)
		look->slices[i].taken = etcd_count_in(etcd_response(answer, slices + i));
	look->same = look->own && etcd_is_same(etcd, self, look->own, etcd_response(answer, index));
	return 0;
}

static int etcd_look_into(struct engine *engine, const struct slice *slice, struct candidate *candidates,
			  struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	json_auto_t *answer =
		etcd_do_all(etcd, json_pack("[o]", etcd_range_of(etcd, slice, "keys_only")), err);
	struct prefix block;
	json_t *kv;
	size_t i;

	if (!answer)
		return -1;
	for (i = 0; i < slice->n; i++)
		candidates[i] = (struct candidate){ .block = slice->blocks[i] };
	json_array_foreach(json_field(etcd_response(answer, 0), "kvs"), i, kv) {
		autofree char *name = etcd_name_of(etcd, kv);

		if (!name || !prefix_parse(name, &block))
			continue;
		for (size_t k = 0; k < slice->n; k++)
			candidates[k].taken |= prefix_equal(&candidates[k].block, &block);
	}
	return 0;
}

/* The keys of the index for node and network of self. */
static json_t *etcd_read_index(struct etcd *etcd, const struct claim *self, struct cni_error *err)
{
	const struct key directory = etcd_index_key(etcd, self, "", NULL);
	autofree char *from = base64_encode(directory.s, strlen(directory.s));
	json_auto_t *answer = etcd_call(etcd, "/v3/kv/range",
					etcd_range(from, etcd_end_of(directory.s).s, PAGE_OF_KEYS), err);
	json_t *keys = answer ? json_array() : NULL, *kv;
	size_t i, len;

	json_array_foreach(json_field(answer, "kvs"), i, kv) {
		const char *encoded = json_string_value(json_field(kv, "key"));
		autofree char *key = encoded ? base64_decode(encoded, &len) : NULL;

		if (key && len > strlen(directory.s) && !strncmp(key, directory.s, strlen(directory.s)))
			json_array_append_new(keys, json_text(key));
	}
	return keys;
}

/* Reads the block of a key of the index: directory, "<owner>/10.9.0.16/28". */
static bool etcd_parse_index_key(const char *key, const struct key *directory, struct prefix *ret)
{
	const char *slash = strchr(key + strlen(directory->s), '/');

	return slash && prefix_parse(slash + 1, ret);
}

/* Adds the claims that n keys of the index name. Deletes a key that names no claim of ours. */
static int etcd_follow_index(struct etcd *etcd, const struct claim *self, const json_t *keys, size_t from,
			     size_t n, struct claims *ret, struct cni_error *err)
{
	const struct key directory = etcd_index_key(etcd, self, "", NULL);
	json_t *gets = json_array(), *deletes = json_array();
	json_auto_t *answer = NULL, *done = NULL;
	struct prefix block;
	struct claim claim;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		const char *key = json_string_value(json_array_get(keys, from + i));

		json_array_append_new(gets, etcd_get(etcd_parse_index_key(key, &directory, &block)
							     ? etcd_block_key(etcd, &block).s
							     : key));
	}
	answer = etcd_do_all(etcd, gets, err);
	for (size_t i = 0; answer && rc == 0 && i < n; i++) {
		const char *key = json_string_value(json_array_get(keys, from + i));
		const json_t *kv = json_array_get(json_field(etcd_response(answer, i), "kvs"), 0);
		const bool leads = kv && etcd_parse_index_key(key, &directory, &block);

		if (leads)
			claim = etcd_read_claim(&block, kv);
		if (!leads || strcmp(etcd_claim_index_key(etcd, &claim).s, key) != 0)
			json_array_append_new(deletes, etcd_delete(key));
		else
			rc = claims_add(ret, &claim, err);
	}
	if (answer && rc == 0 && json_array_size(deletes)) {
		done = etcd_do_all(etcd, json_incref(deletes), err);
		rc = done ? 0 : -1;
	}
	json_decref(deletes);
	return answer ? rc : -1;
}

static int etcd_own(struct engine *engine, const struct claim *self, struct claims *ret,
		    struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	json_auto_t *keys = etcd_read_index(etcd, self, err);
	const size_t all = json_array_size(keys);
	int rc = keys ? 0 : -1;

	*ret = (struct claims){ 0 };
	for (size_t from = 0; rc == 0 && from < all; from += READ_AT_ONCE)
		rc = etcd_follow_index(etcd, self, keys, from,
				       all - from < READ_AT_ONCE ? all - from : READ_AT_ONCE, ret, err);
	if (rc < 0)
		claims_free(ret);
	return rc;
}

static enum found etcd_begin(struct engine *engine, long long *block_size, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	const struct key key = etcd_pool_key(etcd);
	json_auto_t *answer =
		etcd_transact(etcd, json_pack("[o]", etcd_compare(key.s, "CREATE", "create_revision", "0")),
			      json_pack("[o]", etcd_put(key.s, json_pack("{s:I}", "blockSize",
									 (json_int_t)*block_size))),
			      key.s, err);
	json_auto_t *there = NULL;

	if (!answer || etcd_succeeded(answer))
		return answer ? FOUND : FOUND_FAILED;
	there = etcd_read_value(json_array_get(json_field(etcd_response(answer, 0), "kvs"), 0));
	*block_size = json_integer_value(json_field(there, "blockSize"));
	return FOUND_NOT;
}

/* The claim that made a transaction fail, from its answer. */
static enum found etcd_in_the_way(const json_t *answer, const struct prefix *block, struct claim *ret)
{
	const json_t *kv = json_array_get(json_field(etcd_response(answer, 0), "kvs"), 0);

	if (!kv)
		return FOUND_NOT;
	*ret = etcd_read_claim(block, kv);
	return FOUND;
}

/* Adds a claim to the index, if it still exists. */
static int etcd_index(struct etcd *etcd, const struct claim *claim, struct cni_error *err)
{
	const struct key key = etcd_block_key(etcd, &claim->block);
	json_auto_t *answer =
		etcd_transact(etcd,
			      json_pack("[o]", etcd_compare(key.s, "MOD", "mod_revision", claim->version)),
			      json_pack("[o]",
					etcd_put_text(etcd_claim_index_key(etcd, claim).s, claim->seen)),
			      key.s, err);

	return answer ? 0 : -1;
}

static enum found etcd_create(struct engine *engine, struct claim *claim, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	const struct key key = etcd_block_key(etcd, &claim->block);
	json_auto_t *answer =
		etcd_transact(etcd,
			      json_pack("[o, o]", etcd_compare(key.s, "CREATE", "create_revision", "0"),
					etcd_exists(etcd_pool_key(etcd).s)),
			      json_pack("[o, o]", etcd_put(key.s, etcd_value_of(claim)),
					etcd_put_text(etcd_claim_index_key(etcd, claim).s, claim->seen)),
			      key.s, err);
	struct claim other;
	bool ours;

	if (!answer)
		return FOUND_FAILED;
	if (etcd_succeeded(answer)) {
		etcd_copy_integer(claim->id, json_field(json_field(answer, "header"), "revision"));
		memcpy(claim->version, claim->id, sizeof(claim->version));
		return FOUND;
	}
	if (etcd_in_the_way(answer, &claim->block, &other) != FOUND)
		return (enum found)cni_fail(err, CNI_RETRY, "etcd %s has just lost the record of pool %s",
					    http_endpoint(&etcd->http), etcd->engine.cluster->pool);
	ours = claim_is_same_owner(&other, claim);
	*claim = other;
	if (ours)
		return etcd_index(etcd, claim, err) < 0 ? FOUND_FAILED : FOUND;
	return FOUND_NOT;
}

/* etcd rejects a transaction that changes a key twice: the keys may be the same. */
static json_t *etcd_move_in_index(const struct etcd *etcd, const struct claim *old, const struct claim *fresh,
				  json_t *actions)
{
	const struct key from = etcd_claim_index_key(etcd, old), to = etcd_claim_index_key(etcd, fresh);

	if (strcmp(from.s, to.s) != 0)
		json_array_append_new(actions, etcd_delete(from.s));
	json_array_append_new(actions, etcd_put_text(to.s, fresh->seen));
	return actions;
}

static enum found etcd_update(struct engine *engine, const struct claim *old, struct claim *fresh,
			      struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	const struct key key = etcd_block_key(etcd, &fresh->block);
	json_auto_t *answer =
		etcd_transact(etcd,
			      json_pack("[o]", etcd_compare(key.s, "MOD", "mod_revision", old->version)),
			      etcd_move_in_index(etcd, old, fresh,
						 json_pack("[o]", etcd_put(key.s, etcd_value_of(fresh)))),
			      key.s, err);
	struct claim other;

	if (!answer)
		return FOUND_FAILED;
	if (etcd_succeeded(answer)) {
		etcd_copy_integer(fresh->version, json_field(json_field(answer, "header"), "revision"));
		return FOUND;
	}
	if (etcd_in_the_way(answer, &fresh->block, &other) != FOUND ||
	    strcmp(owner_mark(&other).s, owner_mark(fresh).s) != 0)
		return FOUND_NOT;
	memcpy(fresh->version, other.version, sizeof(fresh->version));
	return FOUND;
}

/*
 * The conditions that the claim still exists. After a restore from a backup, etcd may use a revision again,
 * for another node's claim. Therefore our key of the index must exist, too. 0.1.0 made none: its boots have
 * no ".".
 */
static json_t *etcd_is_this_claim(const struct etcd *etcd, const struct claim *claim)
{
	json_t *conditions = json_pack("[o]", etcd_compare(etcd_block_key(etcd, &claim->block).s, "CREATE",
							   "create_revision", claim->id));

	if (strchr(claim->boot, '.'))
		json_array_append_new(conditions, etcd_exists(etcd_claim_index_key(etcd, claim).s));
	return conditions;
}

static enum found etcd_remove(struct engine *engine, const struct claim *claim, struct claim *there,
			      struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	const struct key key = etcd_block_key(etcd, &claim->block);
	json_auto_t *answer = NULL;
	struct claim other;

	if (!*claim->id)
		return FOUND_NOT; /* the answer to its creation never came, and the engine did not list it */
	answer = etcd_transact(etcd, etcd_is_this_claim(etcd, claim),
			       json_pack("[o, o]", etcd_delete(key.s),
					 etcd_delete(etcd_claim_index_key(etcd, claim).s)),
			       key.s, err);
	if (!answer || etcd_succeeded(answer))
		return answer ? FOUND : FOUND_FAILED;
	if (there && etcd_in_the_way(answer, &claim->block, &other) == FOUND && !strcmp(other.id, claim->id))
		*there = other;
	return FOUND_NOT;
}

static const char *const kinds[] = { [KEEP_IDENTITY] = "~identity/", [KEEP_ADDRESS] = "~address/" };

static char *etcd_keep_key(const struct etcd *etcd, const struct keep *keep)
{
	char *key;

	return asprintf(&key, "%s%s%s", etcd->directory, kinds[keep->kind], keep->name) < 0 ? NULL : key;
}

static enum found etcd_keep_read(struct engine *engine, struct keep *keep, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	autofree char *key = etcd_keep_key(etcd, keep);
	json_auto_t *answer =
		key ? etcd_call(etcd, "/v3/kv/range", json_pack("{s:o}", "key", etcd_quoted(key)), err)
		    : NULL;
	const json_t *kv = json_array_get(json_field(answer, "kvs"), 0);

	keep_free(keep);
	*keep->version = '\0';
	if (!answer)
		return key ? FOUND_FAILED : (enum found)cni_fail(err, CNI_RETRY, "out of memory");
	if (!kv)
		return FOUND_NOT;
	keep->doc = etcd_read_value(kv);
	etcd_copy_integer(keep->version, json_field(kv, "mod_revision"));
	return json_is_object(keep->doc) ? FOUND : keep_damaged(keep, NULL, key, err);
}

/* The condition that the key has this version; "": that it does not exist. */
static json_t *etcd_has_version(const char *key, const char *version)
{
	return json_pack("[o]", etcd_compare(key, "MOD", "mod_revision", *version ? version : "0"));
}

static enum found etcd_keep_write(struct engine *engine, struct keep *keep, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	autofree char *key = etcd_keep_key(etcd, keep);
	json_auto_t *answer =
		key ? etcd_transact(etcd, etcd_has_version(key, keep->version),
				    json_pack("[o]", etcd_put(key, json_incref(keep->doc))), key, err)
		    : NULL;

	if (!answer)
		return key ? FOUND_FAILED : (enum found)cni_fail(err, CNI_RETRY, "out of memory");
	if (!etcd_succeeded(answer))
		return FOUND_NOT;
	etcd_copy_integer(keep->version, json_field(json_field(answer, "header"), "revision"));
	return FOUND;
}

static enum found etcd_keep_remove(struct engine *engine, const struct keep *keep, struct cni_error *err)
{
	struct etcd *etcd = (struct etcd *)engine;
	autofree char *key = etcd_keep_key(etcd, keep);
	json_auto_t *answer = key ? etcd_transact(etcd, etcd_has_version(key, keep->version),
						  json_pack("[o]", etcd_delete(key)), key, err)
				  : NULL;

	if (!answer)
		return key ? FOUND_FAILED : (enum found)cni_fail(err, CNI_RETRY, "out of memory");
	return etcd_succeeded(answer) ? FOUND : FOUND_NOT;
}

struct keep_listing {
	enum keep_kind kind;
	struct keeps *keeps;
};

static int etcd_take_keep(void *arg, const char *name, const json_t *kv, struct cni_error *err)
{
	const struct keep_listing *listing = arg;
	const size_t len = strlen(kinds[listing->kind]);
	struct keep keep = { .kind = listing->kind };

	if (strncmp(name, kinds[listing->kind], len) != 0 || strlen(name + len) >= sizeof(keep.name))
		return 0;
	name += len;
	memcpy(keep.name, name, strlen(name) + 1);
	keep.doc = etcd_read_value(kv);
	etcd_copy_integer(keep.version, json_field(kv, "mod_revision"));
	return keeps_add(listing->keeps, &keep, err);
}

static int etcd_keep_list(struct engine *engine, enum keep_kind kind, struct keeps *ret,
			  struct cni_error *err)
{
	struct keep_listing keeps = { kind, ret };
	struct listing listing = {
		.from = kinds[kind], .page = PAGE_OF_KEPT, .take = etcd_take_keep, .arg = &keeps
	};
	char until[16];

	snprintf(until, sizeof(until), "%s", kinds[kind]);
	until[strlen(until) - 1]++;
	listing.until = until;
	*ret = (struct keeps){ 0 };
	if (etcd_list_keys((struct etcd *)engine, &listing, err) == 0)
		return 0;
	keeps_free(ret);
	return -1;
}

static enum found etcd_node_gone(struct engine *engine, const char *node, struct cni_error *err)
{
	(void)engine;
	(void)node;
	(void)err;
	return FOUND_NOT;
}

static void etcd_close(struct engine *engine)
{
	struct etcd *etcd = (struct etcd *)engine;

	http_close(&etcd->http);
	free(etcd->directory);
	free(etcd);
}

/*
 * A claim whose first look finds a free candidate takes two requests; one that looks into a slice takes
 * three. With as many both stay below 8 KiB. In a pool that is 90 % full one of 10 000 claims takes more.
 */
static const struct engine_kind etcd_kind = {
	.first = { 10, 5 },
	.later = { 0, SLICES_MAX },
	.look = etcd_look,
	.look_into = etcd_look_into,
	.own = etcd_own,
	.list = etcd_list,
	.list_blocks = etcd_list_blocks,
	.begin = etcd_begin,
	.create = etcd_create,
	.update = etcd_update,
	.remove = etcd_remove,
	.keep_read = etcd_keep_read,
	.keep_write = etcd_keep_write,
	.keep_remove = etcd_keep_remove,
	.keep_list = etcd_keep_list,
	.node_gone = etcd_node_gone,
	.close = etcd_close,
};

static int etcd_read_endpoints(struct http *http, const json_t *conf, struct cni_error *err)
{
	json_t *list = NULL, *entry;
	size_t i;

	if (field_array(conf, "ipam.cluster.etcd.", "endpoints", &list, err) < 0)
		return -1;
	if (!json_array_size(list))
		return cni_fail(err, CNI_CONFIG,
				"ipam.cluster.etcd.endpoints must have at least one endpoint");
	json_array_foreach(list, i, entry) {
		if (!json_is_string(entry))
			return cni_fail(err, CNI_CONFIG,
					"ipam.cluster.etcd.endpoints must be a list of strings");
		if (http_add_endpoint(http, json_string_value(entry), err) < 0)
			return -1;
	}
	return 0;
}

static int etcd_read_conf(struct etcd *etcd, const json_t *conf, struct cni_error *err)
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
	    etcd_read_endpoints(&etcd->http, conf, err) < 0)
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
	etcd->engine = (struct engine){ .kind = &etcd_kind, .cluster = cluster, .http = &etcd->http };
	etcd->user = etcd->password = "";
	etcd->http.what = "etcd";
	etcd->http.from = "ipam.cluster.etcd.endpoints";
	etcd->http.deadline_ms = &etcd->engine.deadline_ms;
	if (etcd_read_conf(etcd, cluster->etcd, err) == 0 && http_open(&etcd->http, err) == 0) {
		etcd->http.try_ms = etcd->http.n > 1 ? TRY_MS : TRY_ALONE_MS;
		return &etcd->engine;
	}
	etcd_close(&etcd->engine);
	return NULL;
}
