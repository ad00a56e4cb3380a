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
 * Leases of coordination.k8s.io/v1: every cluster has them, and kubectl get leases
 * shows who owns what. A name can be created once (409), an update names the version
 * that it is of (409), a deletion the uid (409).
 */

#define PAGE 500
#define TRY_MS 5000

#define LABEL "ipvlan-cni/pool"
#define KIND "apiVersion", "coordination.k8s.io/v1", "kind", "Lease"

struct kubernetes {
	struct engine engine;
	struct http http;
	json_t *kubeconfig;
	char *namespace;
	char *leases; /* the path of all */
};

struct name {
	char s[320];
};

/* Of letters, digits, dashes and dots: "net-10.9.0.16-28", "net-fd00-0-0-0-0-0-0-10-124" */
static struct name name_of(const struct kubernetes *k, const struct prefix *block)
{
	const unsigned char *b = block->ip.bytes;
	struct name name;
	size_t used;

	if (block->ip.family == AF_INET) {
		snprintf(name.s, sizeof(name.s), "%s-%s-%u", k->engine.cluster->pool, ip_text(&block->ip).s,
			 block->len);
		return name;
	}
	used = (size_t)snprintf(name.s, sizeof(name.s), "%s", k->engine.cluster->pool);
	for (size_t i = 0; i < 16; i += 2)
		used += (size_t)snprintf(name.s + used, sizeof(name.s) - used, "-%x", b[i] << 8 | b[i + 1]);
	snprintf(name.s + used, sizeof(name.s) - used, "-%u", block->len);
	return name;
}

/* The answer to method on a lease, or on all of them. Consumes body. */
static int call(struct kubernetes *k, const char *method, const char *name, json_t *body, struct reply *ret,
		struct cni_error *err)
{
	json_auto_t *request = body;
	char path[1024];

	snprintf(path, sizeof(path), "%s%s%s", k->leases, *name && *name != '?' ? "/" : "", name);
	return http_call(&k->http, method, path, request, ret, err);
}

/* Any answer that we do not understand. Consumes the reply. */
static enum found refused(const struct kubernetes *k, const struct reply *reply, struct cni_error *err)
{
	http_refused(&k->http, reply, k->leases, err);
	json_decref(reply->doc);
	return FOUND_FAILED;
}

struct micro_time {
	char s[40];
};

/* When the claim was made, as a MicroTime. */
static struct micro_time micro_time(const char *since)
{
	struct micro_time time;

	snprintf(time.s, sizeof(time.s), "%.*s.000000Z", (int)strcspn(since, ".Z"), since);
	return time;
}

static json_t *lease_of(const struct kubernetes *k, const struct claim *claim)
{
	json_t *doc =
		json_pack("{s:s, s:s, s:{s:s, s:{s:s}, s:{s:s, s:s, s:s, s:s, s:s}}, s:{s:s, s:s?}}", KIND,
			  "metadata", "name", name_of(k, &claim->block).s, "labels", LABEL,
			  k->engine.cluster->pool, "annotations", "ipvlan-cni/block",
			  prefix_text(&claim->block).s, "ipvlan-cni/network", claim->network,
			  "ipvlan-cni/machine", claim->machine, "ipvlan-cni/boot", claim->boot,
			  "ipvlan-cni/incarnation", claim->incarnation, "spec", "holderIdentity", claim->node,
			  "acquireTime", *claim->since ? micro_time(claim->since).s : NULL);

	if (doc && *claim->version)
		json_object_set_new(json_object_get(doc, "metadata"), "resourceVersion",
				    json_string(claim->version));
	return doc;
}

static void copy(char *ret, size_t size, const json_t *obj, const char *key)
{
	const char *value = json_string_value(json_field(obj, key));

	snprintf(ret, size, "%s", value ? value : "");
}

static bool read_lease(const struct kubernetes *k, const json_t *doc, struct claim *ret)
{
	const json_t *meta = json_field(doc, "metadata"), *spec = json_field(doc, "spec");
	const json_t *notes = json_field(meta, "annotations");
	const char *name = json_string_value(json_field(meta, "name"));
	const char *block = json_string_value(json_field(notes, "ipvlan-cni/block"));
	struct claim claim = { .since = "" };

	/* another's annotations do not make its lease that of a block */
	if (!name || !block || !prefix_parse(block, &claim.block) ||
	    strcmp(name, name_of(k, &claim.block).s) != 0)
		return false;
	copy(claim.node, sizeof(claim.node), spec, "holderIdentity");
	copy(claim.since, sizeof(claim.since) - 1, spec, "acquireTime");
	if (*claim.since)
		memcpy(claim.since + strcspn(claim.since, ".Z"), "Z", sizeof("Z"));
	copy(claim.network, sizeof(claim.network), notes, "ipvlan-cni/network");
	copy(claim.machine, sizeof(claim.machine), notes, "ipvlan-cni/machine");
	copy(claim.boot, sizeof(claim.boot), notes, "ipvlan-cni/boot");
	copy(claim.incarnation, sizeof(claim.incarnation), notes, "ipvlan-cni/incarnation");
	copy(claim.id, sizeof(claim.id), meta, "uid");
	copy(claim.version, sizeof(claim.version), meta, "resourceVersion");
	*ret = claim;
	return true;
}

/* The same for an answer about one block, which must not be about another. */
static bool read_lease_of(const struct kubernetes *k, const struct prefix *block, const json_t *doc,
			  struct claim *ret)
{
	return read_lease(k, doc, ret) && prefix_equal(&ret->block, block);
}

static int read_item(const struct kubernetes *k, struct claims *claims, const json_t *item,
		     struct cni_error *err)
{
	const json_t *notes = json_field(json_field(item, "metadata"), "annotations");
	const char *size = json_string_value(json_field(notes, "ipvlan-cni/block-size"));
	struct claim claim;

	if (size)
		claims->block_size = strtoll(size, NULL, 10);
	return read_lease(k, item, &claim) ? claims_add(claims, &claim, err) : 0;
}

/* One page; *more is where the next one begins, "" after the last; the caller frees it. */
static int read_page(struct kubernetes *k, struct claims *claims, char **more, struct cni_error *err)
{
	autofree char *from = *more;
	char *escaped = curl_easy_escape(k->http.curl, from, 0);
	const char *next;
	char query[2048];
	struct reply reply;
	const json_t *item;
	size_t i;
	int rc;

	*more = NULL;
	snprintf(query, sizeof(query), "?labelSelector=ipvlan-cni%%2Fpool%%3D%s&limit=%d%s%s",
		 k->engine.cluster->pool, PAGE, *from ? "&continue=" : "", escaped ? escaped : "");
	curl_free(escaped);
	if (call(k, "GET", query, NULL, &reply, err) < 0)
		return -1;
	if (reply.status != 200)
		return refused(k, &reply, err);
	rc = 0;
	json_array_foreach(json_field(reply.doc, "items"), i, item)
		if (rc == 0)
			rc = read_item(k, claims, item, err);
	next = json_string_value(json_field(json_field(reply.doc, "metadata"), "continue"));
	*more = strdup(next ? next : "");
	json_decref(reply.doc);
	return *more ? rc : cni_fail(err, CNI_RETRY, "out of memory");
}

static int kubernetes_list(struct engine *engine, struct claims *ret, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	char *from = strdup("");
	int rc = from ? 0 : cni_fail(err, CNI_RETRY, "out of memory");

	*ret = (struct claims){ 0 };
	while (rc == 0 && (rc = read_page(k, ret, &from, err)) == 0 && *from)
		;
	free(from);
	if (rc < 0)
		claims_free(ret);
	return rc;
}

static enum found kubernetes_begin(struct engine *engine, long long block_size, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	const char *pool = engine->cluster->pool;
	struct name name;
	char size[24];
	struct reply reply;

	snprintf(name.s, sizeof(name.s), "%s-pool", pool);
	snprintf(size, sizeof(size), "%lld", block_size);
	if (call(k, "POST", "",
		 json_pack("{s:s, s:s, s:{s:s, s:{s:s}, s:{s:s}}}", KIND, "metadata", "name", name.s,
			   "labels", LABEL, pool, "annotations", "ipvlan-cni/block-size", size),
		 &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 201 && reply.status != 409)
		return refused(k, &reply, err);
	json_decref(reply.doc);
	return reply.status == 201 ? FOUND : FOUND_NOT;
}

/* The lease of a block that exists, or did a moment ago. */
static enum found look(struct kubernetes *k, const struct prefix *block, struct claim *ret,
		       struct cni_error *err)
{
	struct reply reply;
	bool known;

	if (call(k, "GET", name_of(k, block).s, NULL, &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 200 && reply.status != 404)
		return refused(k, &reply, err);
	known = reply.status == 200 && read_lease_of(k, block, reply.doc, ret);
	json_decref(reply.doc);
	return known ? FOUND : FOUND_NOT;
}

static enum found kubernetes_create(struct engine *engine, struct claim *claim, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	struct claim there;
	struct reply reply;
	enum found found;

	if (call(k, "POST", "", lease_of(k, claim), &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 201 && reply.status != 409)
		return refused(k, &reply, err);
	found = reply.status == 201 && read_lease_of(k, &claim->block, reply.doc, &there) ? FOUND : FOUND_NOT;
	json_decref(reply.doc);
	if (reply.status == 409)
		found = look(k, &claim->block, &there, err);
	if (found == FOUND && !claim_is_same_owner(&there, claim))
		return FOUND_NOT;
	if (found == FOUND)
		*claim = there;
	return found;
}

static enum found kubernetes_update(struct engine *engine, struct claim *claim, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	struct claim there;
	struct reply reply;
	enum found found;

	if (call(k, "PUT", name_of(k, &claim->block).s, lease_of(k, claim), &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 200 && reply.status != 409 && reply.status != 404)
		return refused(k, &reply, err);
	json_decref(reply.doc);
	if (reply.status != 409)
		return reply.status == 200 ? FOUND : FOUND_NOT;
	found = look(k, &claim->block, &there, err);
	if (found == FOUND && (!claim_is_same_owner(&there, claim) || strcmp(there.boot, claim->boot) != 0))
		return FOUND_NOT;
	return found;
}

static enum found kubernetes_remove(struct engine *engine, const struct claim *claim, struct cni_error *err)
{
	struct kubernetes *k = (struct kubernetes *)engine;
	struct reply reply;

	if (call(k, "DELETE", name_of(k, &claim->block).s,
		 json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "DeleteOptions",
			   "preconditions", "uid", claim->id),
		 &reply, err) < 0)
		return FOUND_FAILED;
	if (reply.status != 200 && reply.status != 202 && reply.status != 404 && reply.status != 409)
		return refused(k, &reply, err);
	json_decref(reply.doc);
	return reply.status < 300 ? FOUND : FOUND_NOT;
}

static void kubernetes_close(struct engine *engine)
{
	struct kubernetes *k = (struct kubernetes *)engine;

	http_close(&k->http);
	json_decref(k->kubeconfig);
	free(k->namespace);
	free(k->leases);
	free(k);
}

static const struct engine_kind kubernetes_kind = {
	.list = kubernetes_list,
	.begin = kubernetes_begin,
	.create = kubernetes_create,
	.update = kubernetes_update,
	.remove = kubernetes_remove,
	.close = kubernetes_close,
};

/* What may be part of a lease's name, and a label's value, and needs no escaping. */
static bool is_dns_name(const char *text)
{
	static const char inside[] = "abcdefghijklmnopqrstuvwxyz0123456789.-", *const ends = ".-";
	size_t len = strlen(text);

	return len && len <= 63 && !text[strspn(text, inside)] && !strchr(ends, *text) &&
	       !strchr(ends, text[len - 1]) && !strstr(text, "..") && !strstr(text, ".-") &&
	       !strstr(text, "-.");
}

static int read_conf(struct kubernetes *k, const json_t *conf, struct cni_error *err)
{
	static const char where[] = "ipam.cluster.kubernetes.";
	const char *path = "", *space = "";
	int rc;

	if (field_string(conf, where, "kubeconfig", &path, err) < 0 ||
	    field_string(conf, where, "namespace", &space, err) < 0)
		return -1;
	if (!is_dns_name(k->engine.cluster->pool)) {
		cni_fail(err, CNI_CONFIG, "the pool's name \"%s\" cannot be part of a Lease's name",
			 k->engine.cluster->pool);
		return cni_hint(err,
				"ipam.cluster.pool gives it one: small letters, digits, dashes, dots; 63 of "
				"them at most");
	}
	rc = *path ? kubeconfig_read(&k->http, &k->namespace, &k->kubeconfig, path, err)
		   : kubeconfig_of_pod(&k->http, &k->namespace, err);
	if (rc < 0)
		return -1;
	if (!*space)
		space = k->namespace ? k->namespace : "default";
	if (!is_dns_name(space))
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
	k->engine = (struct engine){ .kind = &kubernetes_kind, .cluster = cluster };
	k->http.what = "Kubernetes";
	k->http.try_ms = TRY_MS;
	k->http.deadline_ms = &k->engine.deadline_ms;
	if (read_conf(k, cluster->kubernetes, err) == 0 && http_open(&k->http, err) == 0)
		return &k->engine;
	kubernetes_close(&k->engine);
	return NULL;
}
