/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "claim/engine.h"
#include "claim/http.h"
#include "claim/kubeconfig.h"
#include "cni/cleanup.h"
#include "cni/json.h"

/*
 * Leases of coordination.k8s.io/v1: every cluster has them, and kubectl get leases shows which node owns
 * which block. The API server answers 409 to the creation of a Lease that exists, to an update of another
 * version than the present one, and to a deletion of another uid.
 */

#define PAGE 500
#define CREATE_TRIES 4 /* how often a claim is repeated */
#define LABEL_MAX 63
#define OBJECT_MAX 253
#define TRY_MS 5000

#define LABEL "ipvlan-cni/pool"
#define TENANT "ipvlan-cni/tenant"
#define OWNER "ipvlan-cni/owner"
#define BLOCK "ipvlan-cni/block"
#define SIZE "blockSize="
#define KEPT "ipvlan-cni/kept"
#define KEPT_KIND "ipvlan-cni/kind"
#define RECORD "ipvlan-cni/record"
#define NAME "ipvlan-cni/name"

/* A list of names only: a Lease has a kilobyte, half of it about the managers of its fields. */
#define TABLE "application/json;as=Table;v=v1;g=meta.k8s.io"
#define KIND "apiVersion", "coordination.k8s.io/v1", "kind", "Lease"

struct kubernetes {
	struct engine engine;
	struct http http;
	json_t *kubeconfig;
	char *namespace;
	char *leases; /* their path */
	json_t *node; /* the owner reference to the Node object; NULL: not requested yet */
};

struct name {
	char s[320];
};

struct block_name {
	char s[96];
};

/* Of letters, digits, dashes and dots: "10.9.0.16-28", "fd00-0-0-0-0-0-0-10-124" */
static struct block_name kubernetes_block_name(const struct prefix *block)
{
	const unsigned char *b = block->ip.bytes;
	struct block_name name;
	size_t used = 0;

	if (block->ip.family == AF_INET) {
		snprintf(name.s, sizeof(name.s), "%s-%u", ip_text(&block->ip).s, block->len);
		return name;
	}
	for (size_t i = 0; i < 16; i += 2)
		used += (size_t)snprintf(name.s + used, sizeof(name.s) - used, "%s%x", i ? "-" : "",
					 b[i] << 8 | b[i + 1]);
	snprintf(name.s + used, sizeof(name.s) - used, "-%u", block->len);
	return name;
}

/* "net-10.9.0.16-28" */
static struct name kubernetes_name_of(const struct kubernetes *k, const struct prefix *block)
{
	struct name name;

	snprintf(name.s, sizeof(name.s), "%s-%s", k->engine.cluster->pool, kubernetes_block_name(block).s);
	return name;
}

/* The block of the Lease with this name. */
static bool kubernetes_parse_name(const struct kubernetes *k, const char *name, struct prefix *ret)
{
	const size_t pool = strlen(k->engine.cluster->pool);
	char text[80], *dash;

	if (strncmp(name, k->engine.cluster->pool, pool) != 0 || name[pool] != '-' ||
	    snprintf(text, sizeof(text), "%s", name + pool + 1) >= (int)sizeof(text))
		return false;
	dash = strrchr(text, '-');
	if (!dash)
		return false;
	*dash = '/';
	for (char *c = text; c < dash; c++)
		if (*c == '-')
			*c = ':';
	return prefix_parse(text, ret) && !strcmp(kubernetes_name_of(k, ret).s, name);
}

/* May text be a label's value and a part of a Lease's name, without escapes (LABEL_MAX), or the name of an
 * object (OBJECT_MAX)? */
static bool kubernetes_is_dns_name(const char *text, size_t max)
{
	static const char inside[] = "abcdefghijklmnopqrstuvwxyz0123456789.-", *const ends = ".-";
	size_t len = strlen(text);

	return len && len <= max && !text[strspn(text, inside)] && !strchr(ends, *text) &&
	       !strchr(ends, text[len - 1]) && !strstr(text, "..") && !strstr(text, ".-") &&
	       !strstr(text, "-.");
}

/* Calls method for the Lease with this name; name "": for all. Consumes body. */
static int kubernetes_call(struct kubernetes *k, const char *method, const char *name, json_t *body,
			   struct reply *ret, struct cni_error *err)
{
	json_auto_t *request = body;
	char path[8192];

	if (snprintf(path, sizeof(path), "%s%s%s", k->leases, *name && *name != '?' ? "/" : "", name) >=
	    (int)sizeof(path))
		return cni_fail(err, CNI_CONFIG, "Kubernetes: the path is too long: %.200s", path);
	return http_call(&k->http, method, path, request, ret, err);
}

/* Fails with the message of the reply, which it consumes. */
static enum found kubernetes_refused(const struct kubernetes *k, const struct reply *reply,
				     struct cni_error *err)
{
	http_refused(&k->http, reply, k->leases, err);
	json_decref(reply->doc);
	return FOUND_FAILED;
}

/* The API server says that the object does not exist. A balancer without a server may answer 404, too. */
static bool kubernetes_is_missing(const struct reply *reply)
{
	const char *reason = json_string_value(json_field(reply->doc, "reason"));

	return reply->status == 404 && reason && !strcmp(reason, "NotFound");
}

struct micro_time {
	char s[40];
};

static struct micro_time kubernetes_micro_time(const char *since)
{
	struct micro_time time;

	snprintf(time.s, sizeof(time.s), "%.*s.000000Z", (int)strcspn(since, ".Z"), since);
	return time;
}

/* What the Lease must be for an update to succeed. Without uid PUT creates a Lease that does not exist, since
 * Leases allow that: pkg/registry/coordination/lease/strategy.go, AllowCreateOnUpdate(). */
static void kubernetes_must_be(json_t *lease, const char *uid, const char *version)
{
	json_t *meta = json_object_get(lease, "metadata");

	if (!*version)
		return;
	json_object_set_new(meta, "resourceVersion", json_string(version));
	json_object_set_new(meta, "uid", json_string(uid));
}

static json_t *kubernetes_lease_of(const struct kubernetes *k, const struct claim *claim)
{
	json_t *labels = json_pack("{s:s, s:s, s:s, s:s}", LABEL, k->engine.cluster->pool, TENANT,
				   tenant_mark(claim).s, OWNER, owner_mark(claim).s, BLOCK,
				   kubernetes_block_name(&claim->block).s);
	json_t *doc = json_pack("{s:s, s:s, s:{s:s, s:o, s:{s:s, s:s, s:s, s:s, s:s}}, s:{s:s, s:s?}}", KIND,
				"metadata", "name", kubernetes_name_of(k, &claim->block).s, "labels", labels,
				"annotations", "ipvlan-cni/block", prefix_text(&claim->block).s,
				"ipvlan-cni/network", claim->network, "ipvlan-cni/machine", claim->machine,
				"ipvlan-cni/boot", claim->boot, "ipvlan-cni/incarnation", claim->incarnation,
				"spec", "holderIdentity", claim->node, "acquireTime",
				*claim->since ? kubernetes_micro_time(claim->since).s : NULL);

	if (doc && *claim->seen)
		json_object_set_new(json_object_get(doc, "spec"), "renewTime",
				    json_string(kubernetes_micro_time(claim->seen).s));

	if (doc && claim->owned)
		json_object_set_new(json_object_get(doc, "metadata"), "ownerReferences",
				    json_pack("[O]", k->node));
	kubernetes_must_be(doc, claim->id, claim->version);
	return doc;
}

static void kubernetes_copy(char *ret, size_t size, const json_t *obj, const char *key)
{
	const char *value = json_string_value(json_field(obj, key));

	snprintf(ret, size, "%s", value ? value : "");
}

/* A MicroTime, in whole seconds. */
static void kubernetes_copy_time(char ret[32], const json_t *spec, const char *key)
{
	kubernetes_copy(ret, 31, spec, key);
	if (*ret)
		memcpy(ret + strcspn(ret, ".Z"), "Z", sizeof("Z"));
}

static bool kubernetes_read_lease(const struct kubernetes *k, const json_t *doc, struct claim *ret)
{
	const json_t *meta = json_field(doc, "metadata"), *spec = json_field(doc, "spec");
	const json_t *notes = json_field(meta, "annotations");
	const char *name = json_string_value(json_field(meta, "name"));
	const char *block = json_string_value(json_field(notes, "ipvlan-cni/block"));
	struct claim claim = { .since = "" };

	/* another program's Lease may have our annotations, but not our name */
	if (!name || !block || !prefix_parse(block, &claim.block) ||
	    strcmp(name, kubernetes_name_of(k, &claim.block).s) != 0)
		return false;
	kubernetes_copy(claim.node, sizeof(claim.node), spec, "holderIdentity");
	kubernetes_copy_time(claim.since, spec, "acquireTime");
	kubernetes_copy_time(claim.seen, spec, "renewTime");
	kubernetes_copy(claim.network, sizeof(claim.network), notes, "ipvlan-cni/network");
	kubernetes_copy(claim.machine, sizeof(claim.machine), notes, "ipvlan-cni/machine");
	kubernetes_copy(claim.boot, sizeof(claim.boot), notes, "ipvlan-cni/boot");
	kubernetes_copy(claim.incarnation, sizeof(claim.incarnation), notes, "ipvlan-cni/incarnation");
	kubernetes_copy(claim.id, sizeof(claim.id), meta, "uid");
	kubernetes_copy(claim.version, sizeof(claim.version), meta, "resourceVersion");
	claim.owned = json_array_size(json_field(meta, "ownerReferences"));
	*ret = claim;
	return true;
}

/* As kubernetes_read_lease(); fails if the Lease is that of another block. */
static bool kubernetes_read_lease_of(const struct kubernetes *k, const struct prefix *block,
				     const json_t *doc, struct claim *ret)
{
	return kubernetes_read_lease(k, doc, ret) && prefix_equal(&ret->block, block);
}

/* Of the pool's record. 0: doc is not that. */
static long long kubernetes_size_in(const json_t *doc)
{
	const char *size = json_string_value(
		json_field(json_field(json_field(doc, "metadata"), "annotations"), "ipvlan-cni/block-size"));

	return size ? strtoll(size, NULL, 10) : 0;
}

/* Lists the Leases whose labels match selector. In selector "+" is a space, as in a URL. query is added to
 * the URL. FOUND_NOT: HTTP 410, the list that the page belongs to has expired. */
static enum found kubernetes_ask_list(struct kubernetes *k, const char *selector, const char *query,
				      struct reply *ret, struct cni_error *err)
{
	autofree char *path = NULL;

	if (asprintf(&path, "?labelSelector=%s%s", selector, query) < 0) {
		path = NULL;
		return cni_fail(err, CNI_RETRY, "out of memory");
	}
	if (kubernetes_call(k, "GET", path, NULL, ret, err) < 0)
		return FOUND_FAILED;
	if (ret->status == 200)
		return FOUND;
	if (ret->status != 410)
		return kubernetes_refused(k, ret, err);
	json_decref(ret->doc);
	return FOUND_NOT;
}

/* As kubernetes_ask_list(), as a table of names from the API server's cache. Calls row() with the cells of
 * each Lease.
 */
static int kubernetes_ask_table(struct kubernetes *k, const char *selector,
				void (*row)(const json_t *cells, void *arg), void *arg, struct cni_error *err)
{
	const json_t *line;
	struct reply reply;
	enum found found;
	size_t i;

	k->http.accept = TABLE;
	found = kubernetes_ask_list(k, selector, "&includeObject=None&resourceVersion=0", &reply, err);
	k->http.accept = NULL;
	if (found != FOUND)
		return found == FOUND_NOT
			       ? cni_fail(err, CNI_RETRY, "Kubernetes %s: HTTP 410", http_endpoint(&k->http))
			       : -1;
	json_array_foreach(json_field(reply.doc, "rows"), i, line)
		row(json_field(line, "cells"), arg);
	json_decref(reply.doc);
	return 0;
}

static const char *kubernetes_cell(const json_t *cells, size_t n)
{
	const char *text = json_string_value(json_array_get(cells, n));

	return text ? text : "";
}

struct comparison {
	const struct kubernetes *k;
	const struct blocks *own;
	size_t known, unknown;
};

static void kubernetes_compare_row(const json_t *cells, void *arg)
{
	struct comparison *comparison = arg;
	struct prefix block;
	bool known = false;

	if (kubernetes_parse_name(comparison->k, kubernetes_cell(cells, 0), &block))
		for (size_t i = 0; i < comparison->own->n; i++)
			known |= prefix_equal(&comparison->own->list[i].prefix, &block);
	comparison->known += known;
	comparison->unknown += !known;
}

struct looking {
	const struct kubernetes *k;
	struct look *look;
};

static void kubernetes_take_row(const json_t *cells, void *arg)
{
	struct looking *looking = arg;
	const char *name = kubernetes_cell(cells, 0);

	if (!strncmp(kubernetes_cell(cells, 1), SIZE, strlen(SIZE)))
		looking->look->block_size = strtoll(kubernetes_cell(cells, 1) + strlen(SIZE), NULL, 10);
	for (size_t i = 0; i < looking->look->n; i++)
		looking->look->candidates[i].taken |=
			!strcmp(kubernetes_name_of(looking->k, &looking->look->candidates[i].block).s, name);
}

static struct name kubernetes_pool_name(const struct kubernetes *k)
{
	struct name name;

	snprintf(name.s, sizeof(name.s), "%s-pool", k->engine.cluster->pool);
	return name;
}

/* Reads the pool's record. If 0.1.0 wrote it, adds its block size where a table shows it. */
static int kubernetes_read_pool(struct kubernetes *k, struct look *look, struct cni_error *err)
{
	const struct name name = kubernetes_pool_name(k);
	char size[24];
	struct reply reply, done;

	if (kubernetes_call(k, "GET", name.s, NULL, &reply, err) < 0)
		return -1;
	if (reply.status != 200 && !kubernetes_is_missing(&reply))
		return kubernetes_refused(k, &reply, err);
	look->block_size = kubernetes_size_in(reply.doc);
	snprintf(size, sizeof(size), "%lld", look->block_size);
	if (look->block_size) {
		json_t *meta = json_field(reply.doc, "metadata");
		json_auto_t *more =
			json_pack("{s:{s:s, s:s}, s:{s:s+}}", "labels", LABEL, k->engine.cluster->pool, BLOCK,
				  "pool", "spec", "holderIdentity", SIZE, size);

		json_object_set(meta, "labels", json_object_get(more, "labels"));
		json_object_set(reply.doc, "spec", json_object_get(more, "spec"));
		if (kubernetes_call(k, "PUT", name.s, json_incref(reply.doc), &done, err) < 0) {
			json_decref(reply.doc);
			return -1;
		}
		json_decref(done.doc); /* the next look tries again if this was denied, or too late */
	}
	json_decref(reply.doc);
	return 0;
}

static int kubernetes_look_at_candidates(struct kubernetes *k, struct look *look, struct cni_error *err)
{
	struct looking looking = { .k = k, .look = look };
	char selector[CANDIDATES_MAX * 96 + 256];
	size_t used = (size_t)snprintf(selector, sizeof(selector), LABEL "=%s," BLOCK "+in+(pool",
				       k->engine.cluster->pool);

	for (size_t i = 0; i < look->n; i++) {
		look->candidates[i].taken = false;
		used += (size_t)snprintf(selector + used, sizeof(selector) - used, ",%s",
					 kubernetes_block_name(&look->candidates[i].block).s);
	}
	snprintf(selector + used, sizeof(selector) - used, ")");
	look->block_size = 0;
	if (kubernetes_ask_table(k, selector, kubernetes_take_row, &looking, err) < 0)
		return -1;
	return look->block_size ? 0 : kubernetes_read_pool(k, look, err);
}

static int kubernetes_node_missing(const char *node, const char *key, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG,
		 "Kubernetes has no Node object called %s, which ipam.cluster.kubernetes.%s requires", node,
		 key);
	return cni_hint(err, "ipam.cluster.node is the name of this node as kubectl get nodes lists it; the "
			     "default is the host name");
}

/* Requests a Node object. The caller owns *ret. */
static enum found kubernetes_read_node(struct kubernetes *k, const char *node, json_t **ret,
				       struct cni_error *err)
{
	struct reply reply;
	enum found found;
	char path[320];

	*ret = NULL;
	if (!kubernetes_is_dns_name(node, OBJECT_MAX))
		return (enum found)cni_fail(err, CNI_CONFIG, "\"%s\" cannot be the name of a Node object",
					    node);
	snprintf(path, sizeof(path), "/api/v1/nodes/%s", node);
	if (http_call(&k->http, "GET", path, NULL, &reply, err) < 0)
		return FOUND_FAILED;
	found = reply.status == 200 ? FOUND : kubernetes_is_missing(&reply) ? FOUND_NOT : FOUND_FAILED;
	if (found == FOUND)
		*ret = json_incref(reply.doc);
	else if (found == FOUND_FAILED)
		http_refused(&k->http, &reply, path, err);
	json_decref(reply.doc);
	return found;
}

/* Requests the Node object that will own the claim, if ownedByNode is true. */
static int kubernetes_find_node(struct kubernetes *k, const struct claim *claim, struct cni_error *err)
{
	json_auto_t *doc = NULL;
	enum found found;

	if (!claim->owned || k->node)
		return 0;
	found = kubernetes_read_node(k, claim->node, &doc, err);
	if (found != FOUND)
		return found == FOUND_NOT ? kubernetes_node_missing(claim->node, "ownedByNode", err) : -1;
	k->node = json_pack("{s:s, s:s, s:s, s:O}", "apiVersion", "v1", "kind", "Node", "name", claim->node,
			    "uid", json_field(json_field(doc, "metadata"), "uid"));
	return k->node ? 0
		       : cni_fail(err, CNI_RETRY, "Kubernetes %s: Node %s has no uid",
				  http_endpoint(&k->http), claim->node);
}

/* Reads the Lease of a block. It may be another program's, and so without an id. FOUND_NOT: it does not
 * exist. */
static enum found kubernetes_read_one(struct kubernetes *k, const struct prefix *block, struct claim *ret,
				      struct cni_error *err)
{
	struct reply reply;

	if (kubernetes_call(k, "GET", kubernetes_name_of(k, block).s, NULL, &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 200 && !kubernetes_is_missing(&reply))
		return kubernetes_refused(k, &reply, err);
	if (reply.status == 200 && !kubernetes_read_lease_of(k, block, reply.doc, ret))
		*ret = (struct claim){ .block = *block };
	json_decref(reply.doc);
	return reply.status == 200 ? FOUND : FOUND_NOT;
}

/* Renews the Lease of one of our claims, for people. Ignores errors. */
static void kubernetes_sign(struct kubernetes *k, const struct claim *self, const struct prefix *block)
{
	struct cni_error err = { 0 };
	struct claim there;
	struct reply reply;

	if (kubernetes_read_one(k, block, &there, &err) != FOUND ||
	    strcmp(owner_mark(&there).s, owner_mark(self).s) != 0 ||
	    kubernetes_find_node(k, &there, &err) < 0)
		return;
	memcpy(there.seen, self->seen, sizeof(there.seen));
	if (kubernetes_call(k, "PUT", kubernetes_name_of(k, block).s, kubernetes_lease_of(k, &there), &reply,
			    &err) == 0)
		json_decref(reply.doc);
}

static int kubernetes_own(struct engine *engine, const struct claim *self, struct claims *ret,
			  struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	char selector[64];
	const json_t *item;
	struct reply reply;
	enum found found;
	size_t i;
	int rc = 0;

	*ret = (struct claims){ 0 };
	/* the API server compares each label with all Leases; those of other pools are left out below */
	snprintf(selector, sizeof(selector), TENANT "=%s", tenant_mark(self).s);
	found = kubernetes_ask_list(k, selector, "&resourceVersion=0", &reply, err);
	if (found != FOUND)
		return found == FOUND_NOT
			       ? cni_fail(err, CNI_RETRY, "Kubernetes %s: HTTP 410", http_endpoint(&k->http))
			       : -1;
	json_array_foreach(json_field(reply.doc, "items"), i, item) {
		struct claim claim;

		if (rc == 0 && kubernetes_read_lease(k, item, &claim) && !strcmp(claim.node, self->node) &&
		    !strcmp(claim.network, self->network))
			rc = claims_add(ret, &claim, err);
	}
	json_decref(reply.doc);
	if (rc < 0)
		claims_free(ret);
	return rc;
}

/* The node has no block. Lists its claims, which are usually none: a table without rows has a kilobyte of
 * descriptions of its columns. */
static int kubernetes_compare_none(struct engine *engine, const struct claim *self, struct look *look,
				   struct cni_error *err)
{
	struct claims claims;

	if (kubernetes_own(engine, self, &claims, err) < 0)
		return -1;
	look->same = !claims.n;
	claims_free(&claims);
	return 0;
}

static int kubernetes_compare_own(struct kubernetes *k, const struct claim *self, struct look *look,
				  struct cni_error *err)
{
	struct comparison comparison = { .k = k, .own = look->own };
	char selector[256];

	snprintf(selector, sizeof(selector), LABEL "=%s," OWNER "=%s", k->engine.cluster->pool,
		 owner_mark(self).s);
	if (kubernetes_ask_table(k, selector, kubernetes_compare_row, &comparison, err) < 0)
		return -1;
	look->same = !comparison.unknown && comparison.known == look->own->n;
	if (look->same && look->sign)
		kubernetes_sign(k, self, &look->own->list[0].prefix);
	return 0;
}

static int kubernetes_look(struct engine *engine, const struct claim *self, struct look *look,
			   struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	int rc = 0;

	look->same = false;
	if (look->own)
		rc = look->own->n ? kubernetes_compare_own(k, self, look, err)
				  : kubernetes_compare_none(engine, self, look, err);
	return rc == 0 && look->n ? kubernetes_look_at_candidates(k, look, err) : rc;
}

struct names {
	const struct kubernetes *k;
	struct taken *taken;
	struct cni_error *err;
	int rc;
};

static void kubernetes_name_row(const json_t *cells, void *arg)
{
	struct names *names = arg;
	struct prefix block;

	if (names->rc == 0 && kubernetes_parse_name(names->k, kubernetes_cell(cells, 0), &block))
		names->rc = taken_add(names->taken, &block, names->err);
}

static int kubernetes_list_blocks(struct engine *engine, struct taken *ret, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	struct names names = { .k = k, .taken = ret, .err = err };
	char selector[128];

	*ret = (struct taken){ 0 };
	snprintf(selector, sizeof(selector), LABEL "=%s", engine->cluster->pool);
	if (kubernetes_ask_table(k, selector, kubernetes_name_row, &names, err) == 0 && names.rc == 0)
		return 0;
	taken_free(ret);
	return -1;
}

/* A list that is read by pages. take() gets each item. restart() forgets all items. */
struct listing {
	const char *selector;
	int (*take)(struct kubernetes *k, void *arg, const json_t *item, struct cni_error *err);
	void (*restart)(void *arg);
	void *arg;
};

/* Reads the page that begins at *more. Sets *more to the next page, "" after the last; the caller frees it.
 * FOUND_NOT: the list has expired in the server. */
static enum found kubernetes_read_page(struct kubernetes *k, const struct listing *listing, char **more,
				       struct cni_error *err)
{
	autofree char *from = *more, *query = NULL;
	char *escaped = curl_easy_escape(k->http.curl, from, 0);
	const char *next;
	struct reply reply;
	const json_t *item;
	enum found found;
	size_t i;
	int rc = 0;

	*more = NULL;
	engine_go_on(&k->engine);
	if (asprintf(&query, "&limit=%d%s%s", PAGE, *from ? "&continue=" : "", escaped ? escaped : "") < 0)
		query = NULL;
	curl_free(escaped);
	found = query ? kubernetes_ask_list(k, listing->selector, query, &reply, err)
		      : cni_fail(err, CNI_RETRY, "out of memory");
	if (found != FOUND)
		return found;
	json_array_foreach(json_field(reply.doc, "items"), i, item)
		if (rc == 0)
			rc = listing->take(k, listing->arg, item, err);
	next = json_string_value(json_field(json_field(reply.doc, "metadata"), "continue"));
	*more = strdup(next ? next : "");
	json_decref(reply.doc);
	if (rc == 0 && !*more)
		cni_fail(err, CNI_RETRY, "out of memory");
	return rc == 0 && *more ? FOUND : FOUND_FAILED;
}

/* If it fails, no item is left. */
static int kubernetes_list_items(struct kubernetes *k, const struct listing *listing, struct cni_error *err)
{
	enum found found = FOUND_NOT;
	autofree char *from = NULL;

	do {
		if (found == FOUND_NOT) {
			listing->restart(listing->arg);
			free(from);
			from = strdup("");
		}
		if (!from)
			return cni_fail(err, CNI_RETRY, "out of memory");
		found = kubernetes_read_page(k, listing, &from, err);
	} while (found == FOUND_NOT || (found == FOUND && from && *from));
	if (found == FOUND)
		return 0;
	listing->restart(listing->arg);
	return -1;
}

struct claim_listing {
	const char *node; /* NULL: all */
	struct claims *claims;
};

static int kubernetes_take_claim(struct kubernetes *k, void *arg, const json_t *item, struct cni_error *err)
{
	const struct claim_listing *listing = arg;
	const long long size = kubernetes_size_in(item);
	struct claim claim;

	if (size)
		listing->claims->block_size = size;
	if (!kubernetes_read_lease(k, item, &claim) ||
	    (listing->node && strcmp(listing->node, claim.node) != 0))
		return 0;
	return claims_add(listing->claims, &claim, err);
}

static void kubernetes_forget_claims(void *arg)
{
	const struct claim_listing *listing = arg;

	claims_free(listing->claims);
}

static int kubernetes_list(struct engine *engine, const char *node, struct claims *ret, struct cni_error *err)
{
	char selector[128];
	struct claim_listing claims = { node, ret };
	const struct listing listing = { selector, kubernetes_take_claim, kubernetes_forget_claims, &claims };

	*ret = (struct claims){ 0 };
	snprintf(selector, sizeof(selector), LABEL "=%s", engine->cluster->pool);
	return kubernetes_list_items((struct kubernetes *)engine, &listing, err);
}

static enum found kubernetes_begin(struct engine *engine, long long *block_size, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	const char *pool = engine->cluster->pool;
	const struct name name = kubernetes_pool_name(k);
	enum found found = FOUND;
	char size[24];
	struct reply reply;

	snprintf(size, sizeof(size), "%lld", *block_size);
	if (kubernetes_call(k, "POST", "",
			    json_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s}, s:{s:s}}, s:{s:s+}}", KIND,
				      "metadata", "name", name.s, "labels", LABEL, pool, BLOCK, "pool",
				      "annotations", "ipvlan-cni/block-size", size, "spec", "holderIdentity",
				      SIZE, size),
			    &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status == 409) {
		json_decref(reply.doc);
		if (kubernetes_call(k, "GET", name.s, NULL, &reply, err) < 0)
			return FOUND_FAILED;
		*block_size = kubernetes_size_in(reply.doc);
		found = FOUND_NOT;
	}
	if (reply.status != 200 && reply.status != 201)
		return kubernetes_refused(k, &reply, err);
	json_decref(reply.doc);
	return found;
}

/* FOUND: the Lease exists now, and *there is its claim. FOUND_NOT: another Lease has just ended, or
 * Kubernetes has refused for another conflict, such as that of a ResourceQuota: to be repeated. */
static enum found kubernetes_try_to_create(struct kubernetes *k, const struct claim *claim,
					   struct claim *there, struct cni_error *err)
{
	struct reply reply;
	bool known;

	if (kubernetes_call(k, "POST", "", kubernetes_lease_of(k, claim), &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 201 && reply.status != 409)
		return kubernetes_refused(k, &reply, err);
	known = reply.status == 201 && kubernetes_read_lease_of(k, &claim->block, reply.doc, there);
	json_decref(reply.doc);
	return known ? FOUND : kubernetes_read_one(k, &claim->block, there, err);
}

static enum found kubernetes_create(struct engine *engine, struct claim *claim, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	enum found found = FOUND_NOT;
	struct claim there;
	bool ours;

	if (kubernetes_find_node(k, claim, err) < 0)
		return FOUND_FAILED;
	for (int tries = 0; found == FOUND_NOT && tries < CREATE_TRIES; tries++)
		found = kubernetes_try_to_create(k, claim, &there, err);
	if (found == FOUND_NOT)
		return (enum found)cni_fail(err, CNI_RETRY,
					    "Kubernetes %s: HTTP 409 for %s, which does not exist",
					    http_endpoint(&k->http), kubernetes_name_of(k, &claim->block).s);
	if (found == FOUND_FAILED)
		return found;
	ours = claim_is_same_owner(&there, claim);
	*claim = there;
	return ours ? FOUND : FOUND_NOT;
}

static enum found kubernetes_update(struct engine *engine, const struct claim *old, struct claim *fresh,
				    struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	struct claim there;
	struct reply reply;
	enum found found;

	memcpy(fresh->version, old->version, sizeof(fresh->version));
	if (kubernetes_find_node(k, fresh, err) < 0 ||
	    kubernetes_call(k, "PUT", kubernetes_name_of(k, &fresh->block).s, kubernetes_lease_of(k, fresh),
			    &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 200 && reply.status != 409 && !kubernetes_is_missing(&reply))
		return kubernetes_refused(k, &reply, err);
	if (reply.status == 200 && kubernetes_read_lease_of(k, &fresh->block, reply.doc, &there))
		memcpy(fresh->version, there.version, sizeof(fresh->version));
	json_decref(reply.doc);
	if (reply.status != 409)
		return reply.status == 200 ? FOUND : FOUND_NOT;
	found = kubernetes_read_one(k, &fresh->block, &there, err);
	if (found == FOUND && strcmp(owner_mark(&there).s, owner_mark(fresh).s) != 0)
		return FOUND_NOT;
	if (found == FOUND)
		memcpy(fresh->version, there.version, sizeof(fresh->version));
	return found;
}

/* Deletes the Lease if it has this uid and version; NULL: any. FOUND_NOT: it does not exist, or differs. */
static enum found kubernetes_delete_lease(struct kubernetes *k, const char *name, const char *uid,
					  const char *version, struct cni_error *err)
{
	struct reply reply;
	bool stays;

	if (kubernetes_call(k, "DELETE", name,
			    json_pack("{s:s, s:s, s:{s:s*, s:s*}}", "apiVersion", "v1", "kind",
				      "DeleteOptions", "preconditions", "uid", uid, "resourceVersion",
				      version),
			    &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 200 && reply.status != 202 && reply.status != 409 &&
	    !kubernetes_is_missing(&reply))
		return kubernetes_refused(k, &reply, err);
	/* finalizers of other programs keep it */
	stays = json_is_string(json_field(json_field(reply.doc, "metadata"), "deletionTimestamp"));
	json_decref(reply.doc);
	return reply.status < 300 && !stays ? FOUND : FOUND_NOT;
}

/* If another program has changed the Lease, for example a label, it is still our claim: reads its version,
 * and tries again. */
static enum found kubernetes_remove(struct engine *engine, const struct claim *claim, struct claim *there,
				    struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	enum found found = kubernetes_delete_lease(k, kubernetes_name_of(k, &claim->block).s, claim->id,
						   *claim->version ? claim->version : NULL, err);
	struct claim now;

	if (found != FOUND_NOT || !*claim->version)
		return found;
	found = kubernetes_read_one(k, &claim->block, &now, err);
	if (found != FOUND || strcmp(now.id, claim->id) != 0)
		return found == FOUND ? FOUND_NOT : found;
	if (!strcmp(owner_mark(&now).s, owner_mark(claim).s))
		return kubernetes_delete_lease(k, kubernetes_name_of(k, &claim->block).s, claim->id,
					       *now.version ? now.version : NULL, err);
	if (there)
		*there = now;
	return FOUND_NOT;
}

static const char *const kinds[] = { [KEEP_IDENTITY] = "identity", [KEEP_ADDRESS] = "address" };

/* "net-address-10.9.0.7-32"; of an identity, whose name may have any character: "net-identity-" and a hash.
 */
static struct name kubernetes_keep_name(const struct kubernetes *k, const struct keep *keep)
{
	struct claim named = { .node = "" };
	struct prefix prefix;
	struct name name;

	snprintf(named.node, sizeof(named.node), "%.255s", keep->name);
	snprintf(named.network, sizeof(named.network), "%.255s",
		 strlen(keep->name) > 255 ? keep->name + 255 : "");
	if (keep->kind == KEEP_ADDRESS && ip_parse(keep->name, &prefix.ip)) {
		prefix.len = (unsigned int)(8 * ip_size(&prefix.ip));
		snprintf(name.s, sizeof(name.s), "%s-%s-%s", k->engine.cluster->pool, kinds[keep->kind],
			 kubernetes_block_name(&prefix).s);
	} else {
		snprintf(name.s, sizeof(name.s), "%s-%s-%s", k->engine.cluster->pool, kinds[keep->kind],
			 tenant_mark(&named).s);
	}
	return name;
}

static json_t *kubernetes_keep_lease(const struct kubernetes *k, const struct keep *keep)
{
	const char *node = json_string_value(json_field(json_field(keep->doc, "holder"), "node"));
	autofree char *record = json_dumps(keep->doc, JSON_COMPACT);
	json_t *doc = json_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s}, s:{s:s, s:s}}, s:{s:s}}", KIND, "metadata",
				"name", kubernetes_keep_name(k, keep).s, "labels", KEPT,
				k->engine.cluster->pool, KEPT_KIND, kinds[keep->kind], "annotations", RECORD,
				record, NAME, keep->name, "spec", "holderIdentity",
				node			     ? node
				: keep->kind == KEEP_ADDRESS ? keep->name
							     : "-");

	kubernetes_must_be(doc, keep->id, keep->version);
	return doc;
}

static void kubernetes_copy_version(struct keep *keep, const json_t *meta)
{
	kubernetes_copy(keep->version, sizeof(keep->version), meta, "resourceVersion");
	kubernetes_copy(keep->id, sizeof(keep->id), meta, "uid");
}

/* False: the Lease belongs to another program. */
static bool kubernetes_read_keep(const struct kubernetes *k, const json_t *doc, struct keep *ret)
{
	const json_t *meta = json_field(doc, "metadata"), *notes = json_field(meta, "annotations");
	const char *record = json_string_value(json_field(notes, RECORD));
	const char *name = json_string_value(json_field(notes, NAME));
	const char *lease = json_string_value(json_field(meta, "name"));

	if (!record || !name || !lease || strlen(name) >= sizeof(ret->name))
		return false;
	memcpy(ret->name, name, strlen(name) + 1);
	if (strcmp(kubernetes_keep_name(k, ret).s, lease) != 0)
		return false;
	ret->doc = json_loads(record, 0, NULL);
	kubernetes_copy_version(ret, meta);
	return true;
}

static enum found kubernetes_keep_read(struct engine *engine, struct keep *keep, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	struct keep there = { .kind = keep->kind };
	struct reply reply;
	bool known;

	keep_free(keep);
	*keep->version = '\0';
	if (kubernetes_call(k, "GET", kubernetes_keep_name(k, keep).s, NULL, &reply, err) < 0)
		return FOUND_FAILED;
	if (kubernetes_is_missing(&reply)) {
		json_decref(reply.doc);
		return FOUND_NOT;
	}
	if (reply.status != 200)
		return kubernetes_refused(k, &reply, err);
	known = kubernetes_read_keep(k, reply.doc, &there) && json_is_object(there.doc) &&
		!strcmp(there.name, keep->name);
	kubernetes_copy_version(keep, json_field(reply.doc, "metadata"));
	json_decref(reply.doc);
	if (!known) {
		keep_free(&there);
		return keep_damaged(keep, kubernetes_keep_name(k, keep).s, NULL, err);
	}
	*keep = there;
	return FOUND;
}

static enum found kubernetes_keep_write(struct engine *engine, struct keep *keep, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	const bool is_new = !*keep->version;
	const struct name name = kubernetes_keep_name(k, keep);
	struct reply reply;

	if (kubernetes_call(k, is_new ? "POST" : "PUT", is_new ? "" : name.s, kubernetes_keep_lease(k, keep),
			    &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 200 && reply.status != 201 && reply.status != 409 &&
	    !kubernetes_is_missing(&reply))
		return kubernetes_refused(k, &reply, err);
	if (reply.status < 300)
		kubernetes_copy_version(keep, json_field(reply.doc, "metadata"));
	json_decref(reply.doc);
	return reply.status < 300 ? FOUND : FOUND_NOT;
}

static enum found kubernetes_keep_remove(struct engine *engine, const struct keep *keep,
					 struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;

	return kubernetes_delete_lease(k, kubernetes_keep_name(k, keep).s, NULL, keep->version, err);
}

struct keep_listing {
	enum keep_kind kind;
	struct keeps *keeps;
};

static int kubernetes_take_keep(struct kubernetes *k, void *arg, const json_t *item, struct cni_error *err)
{
	const struct keep_listing *listing = arg;
	struct keep keep = { .kind = listing->kind };

	return kubernetes_read_keep(k, item, &keep) ? keeps_add(listing->keeps, &keep, err) : 0;
}

static void kubernetes_forget_keeps(void *arg)
{
	const struct keep_listing *listing = arg;

	keeps_free(listing->keeps);
}

static int kubernetes_keep_list(struct engine *engine, enum keep_kind kind, struct keeps *ret,
				struct cni_error *err)
{
	char selector[192];
	struct keep_listing keeps = { kind, ret };
	const struct listing listing = { selector, kubernetes_take_keep, kubernetes_forget_keeps, &keeps };

	*ret = (struct keeps){ 0 };
	snprintf(selector, sizeof(selector), KEPT "=%s," KEPT_KIND "=%s", engine->cluster->pool, kinds[kind]);
	return kubernetes_list_items((struct kubernetes *)engine, &listing, err);
}

static bool kubernetes_is_out_of_service(const json_t *node)
{
	const json_t *taint;
	size_t i;

	json_array_foreach(json_field(json_field(node, "spec"), "taints"), i, taint) {
		const char *key = json_string_value(json_field(taint, "key"));

		if (key && !strcmp(key, "node.kubernetes.io/out-of-service"))
			return true;
	}
	return false;
}

/*
 * A person, or the program that manages the machines, deletes the Node object or adds the taint only after no
 * pod runs there. A deleted Pod object proves less: if the node did not answer, the pod may still run.
 */
static enum found kubernetes_node_gone(struct engine *engine, const char *node, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	json_auto_t *doc = NULL, *own = NULL;
	enum found found;

	if (!engine->cluster->nodes_gone || !kubernetes_is_dns_name(node, OBJECT_MAX))
		return FOUND_NOT;
	found = kubernetes_read_node(k, node, &doc, err);
	if (found != FOUND_NOT)
		return found == FOUND && !kubernetes_is_out_of_service(doc) ? FOUND_NOT : found;
	/* do the nodes have other names in the pool? */
	found = kubernetes_read_node(k, engine->cluster->node, &own, err);
	return found != FOUND_NOT
		       ? found
		       : (enum found)kubernetes_node_missing(engine->cluster->node, "nodesGone", err);
}

static void kubernetes_close(struct engine *engine)
{
	struct kubernetes *k = (struct kubernetes *)engine;

	http_close(&k->http);
	json_decref(k->kubeconfig);
	json_decref(k->node);
	free(k->namespace);
	free(k->leases);
	free(k);
}

/*
 * The API server searches all Leases for each look, however few candidates it has. A claim whose first look
 * finds a free candidate takes three requests, and less than 8 KiB with names of some ten letters. In a pool
 * with 90 % of its blocks taken one claim of 44 takes four.
 */
static const struct engine_kind kubernetes_kind = {
	.compares_apart = true,
	.first = { 36, 0 },
	.later = { CANDIDATES_MAX, 0 },
	.look = kubernetes_look,
	.own = kubernetes_own,
	.list = kubernetes_list,
	.list_blocks = kubernetes_list_blocks,
	.begin = kubernetes_begin,
	.create = kubernetes_create,
	.update = kubernetes_update,
	.remove = kubernetes_remove,
	.keep_read = kubernetes_keep_read,
	.keep_write = kubernetes_keep_write,
	.keep_remove = kubernetes_keep_remove,
	.keep_list = kubernetes_keep_list,
	.node_gone = kubernetes_node_gone,
	.close = kubernetes_close,
};

static int kubernetes_read_conf(struct kubernetes *k, const json_t *conf, struct cni_error *err)
{
	static const char where[] = "ipam.cluster.kubernetes.";
	const char *path = "", *space = "";
	int rc;

	if (field_string(conf, where, "kubeconfig", &path, err) < 0 ||
	    field_string(conf, where, "namespace", &space, err) < 0)
		return -1;
	if (!kubernetes_is_dns_name(k->engine.cluster->pool, LABEL_MAX)) {
		cni_fail(err, CNI_CONFIG, "the pool's name \"%s\" cannot be part of a Lease's name",
			 k->engine.cluster->pool);
		return cni_hint(err,
				"set ipam.cluster.pool to at most 63 small letters, digits, dashes and dots");
	}
	rc = *path ? kubeconfig_read(&k->http, &k->namespace, &k->kubeconfig, path, err)
		   : kubeconfig_of_pod(&k->http, &k->namespace, err);
	if (rc < 0)
		return -1;
	if (!*space)
		space = k->namespace ? k->namespace : "default";
	if (!kubernetes_is_dns_name(space, LABEL_MAX))
		return cni_fail(err, CNI_CONFIG, "%snamespace: invalid name \"%s\"", where, space);
	if (asprintf(&k->leases, "/apis/coordination.k8s.io/v1/namespaces/%s/leases", space) >= 0)
		return 0;
	k->leases = NULL;
	return cni_fail(err, CNI_RETRY, "out of memory");
}

struct engine *kubernetes_open(const struct cluster *cluster, struct cni_error *err)
{
	struct kubernetes *k = calloc(1, sizeof(*k));

	if (!k) {
		cni_fail(err, CNI_RETRY, "out of memory");
		return NULL;
	}
	k->engine = (struct engine){ .kind = &kubernetes_kind, .cluster = cluster, .http = &k->http };
	k->http.what = "Kubernetes";
	k->http.from = "ipam.cluster.kubernetes.kubeconfig";
	k->http.try_ms = TRY_MS;
	k->http.deadline_ms = &k->engine.deadline_ms;
	if (kubernetes_read_conf(k, cluster->kubernetes, err) == 0 && http_open(&k->http, err) == 0)
		return &k->engine;
	kubernetes_close(&k->engine);
	return NULL;
}
