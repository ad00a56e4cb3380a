/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any answers of a cluster's engine: "etcd" or "kubernetes" on the first line, then an
 * answer on each, "200 {…}", in the order in which they are asked for; after the last
 * one the engine does not answer. Whatever a node is made to believe, a block that it
 * takes for its own is the one that it has asked for, and each error is reported.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "claim/engine.h"
#include "claim/http.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *answers; /* that are still to come */

/* Instead of claim/http.c, which gives us an answer to anything but a failure. */
int http_open(struct http *http, struct cni_error *err)
{
	(void)http, (void)err;
	return 0;
}

void http_close(struct http *http)
{
	free(http->token);
	free(http->ca.data);
	free(http->cert.data);
	free(http->key.data);
}

int http_add_endpoint(struct http *http, const char *url, struct cni_error *err)
{
	(void)http, (void)err;
	must(*url);
	return 0;
}

int http_call(struct http *http, const char *method, const char *path, const json_t *body, struct reply *ret,
	      struct cni_error *err)
{
	char *line, *rest;

	(void)http, (void)method, (void)body;
	must(*path == '/');
	while ((line = strsep(&answers, "\n"))) {
		ret->status = strtol(line, &rest, 10);
		ret->doc = json_read(rest, strlen(rest), NULL);
		if (ret->status >= 300 || ret->doc)
			return 0; /* the others are asked for again */
	}
	return cni_fail(err, CNI_RETRY, "no answer");
}

const char *http_endpoint(const struct http *http)
{
	(void)http;
	return "http://h";
}

void http_begin_with(struct http *http, const char *endpoint, const char *node)
{
	(void)http, (void)endpoint, (void)node;
}

bool http_has_no_login(const struct reply *reply)
{
	return reply->status == 412;
}

int http_refused(const struct http *http, const struct reply *reply, const char *path, struct cni_error *err)
{
	(void)http, (void)path;
	return cni_fail(err, CNI_RETRY, "refused with %ld", reply->status);
}

static struct engine *open_engine(struct cluster *cluster, const char *name, json_t **conf)
{
	static const char kubeconfig[] = "current-context: c\n"
					 "contexts: [ { name: c, context: { cluster: c, user: u } } ]\n"
					 "clusters: [ { name: c, cluster: { server: 'https://h' } } ]\n"
					 "users: [ { name: u, user: { token: t } } ]\n";
	char path[PATH_MAX];

	if (!strcmp(name, "etcd")) {
		*conf = json_pack("{s:[s], s:s, s:s}", "endpoints", "http://h", "user", "u", "password", "p");
		cluster->etcd = *conf;
		return etcd_open(cluster, NULL);
	}
	file_of(kubeconfig, sizeof(kubeconfig) - 1, path);
	*conf = json_pack("{s:s}", "kubeconfig", path);
	cluster->kubernetes = *conf;
	return kubernetes_open(cluster, NULL);
}

static void check(enum found found, struct cni_error *err)
{
	must((found == FOUND_FAILED) == (*err->msg != '\0'));
	*err = (struct cni_error){ 0 };
}

static void try_claim(struct engine *engine, struct claim *claim)
{
	const struct claim asked = *claim;
	struct cni_error err = { 0 };
	enum found found = engine->kind->create(engine, claim, &err);

	check(found, &err);
	must(prefix_equal(&claim->block, &asked.block));
	must(found != FOUND || claim_is_same_owner(claim, &asked));
	*claim = asked;
	check(engine->kind->update(engine, &asked, claim, &err), &err);
	check(engine->kind->remove(engine, claim, claim, &err), &err);
	must(prefix_equal(&claim->block, &asked.block));
}

static void try_look(struct engine *engine, const struct claim *self)
{
	struct candidate candidates[2] = { { .block = self->block }, { .block = self->block } };
	const bool counts = engine->kind->look_into;
	struct slice slice = { .blocks = { self->block }, .n = 1 };
	const struct blocks blocks = { 0 };
	struct look look = {
		.own = &blocks, .candidates = candidates, .n = 2, .slices = &slice, .n_slices = counts
	};
	struct cni_error err = { 0 };
	struct claims own;
	struct taken taken;

	check(engine->kind->look(engine, self, &look, &err) < 0 ? FOUND_FAILED : FOUND, &err);
	if (counts)
		check(engine->kind->look_into(engine, &slice, candidates, &err) < 0 ? FOUND_FAILED : FOUND,
		      &err);
	check(engine->kind->own(engine, self, &own, &err) < 0 ? FOUND_FAILED : FOUND, &err);
	for (size_t i = 0; i < own.n; i++)
		must(!strcmp(own.list[i].node, self->node) && !strcmp(own.list[i].network, self->network));
	claims_free(&own);
	check(engine->kind->list_blocks(engine, &taken, &err) < 0 ? FOUND_FAILED : FOUND, &err);
	taken_free(&taken);
}

static void try(struct engine *engine)
{
	struct claim claim = { .node = "node", .network = "net", .boot = "1f2e3d4c", .since = "now" };
	struct cni_error err = { 0 };
	long long block_size = 16;
	struct claims claims;

	must(prefix_parse("10.9.0.16/28", &claim.block));
	check(engine->kind->begin(engine, &block_size, &err), &err);
	try_look(engine, &claim);
	try_claim(engine, &claim);
	if (engine->kind->list(engine, NULL, &claims, &err) < 0) {
		must(*err.msg);
		return;
	}
	for (size_t i = 0; i < claims.n; i++)
		must(prefix_text(&claims.list[i].block).s[0]);
	if (claims.n)
		qsort(claims.list, claims.n, sizeof(*claims.list), claim_by_block);
	claims_free(&claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cluster cluster = { .pool = "net", .network = "net", .node = "node", .block_bits = 4 };
	autofree char *text = strndup((const char *)data, size);
	json_auto_t *conf = NULL;
	struct engine *engine;
	const char *name;

	answers = text;
	name = strsep(&answers, "\n");
	engine = open_engine(&cluster, name, &conf);
	must(engine);
	try(engine);
	engine->kind->close(engine);
	return 0;
}
