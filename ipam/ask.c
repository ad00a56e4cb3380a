/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/ask.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/json.h"

#define PROGRAM "addrpool-claim"

#define RETURN_PATIENCE_S 60 /* for the engine, when addrpool-claim returns blocks */
#define LOCK_PATIENCE_S 65   /* beyond that: until other calls of addrpool-claim have ended */

int cluster_narrow(struct conf *ret, const struct conf *conf, const struct blocks *blocks,
		   struct cni_error *err)
{
	autofree struct prefix *ours = calloc(blocks->n + 1, sizeof(*ours));
	struct conf narrow = *conf;
	size_t n = 0;

	narrow.pools = calloc(conf->n_pools + 1, sizeof(*narrow.pools));
	narrow.n_pools = 0;
	narrow.cluster.blocks = blocks;
	if (!ours || !narrow.pools) {
		free(narrow.pools);
		return cni_fail(err, CNI_RETRY, "out of memory");
	}
	for (size_t i = 0; i < blocks->n; i++)
		if (block_counts(&blocks->list[i]))
			ours[n++] = blocks->list[i].prefix;
	for (; narrow.n_pools < conf->n_pools; narrow.n_pools++)
		if (pool_narrow(&narrow.pools[narrow.n_pools], &conf->pools[narrow.n_pools], ours, n, err) <
		    0) {
			cluster_widen(&narrow);
			return -1;
		}
	*ret = narrow;
	return 0;
}

void cluster_widen(struct conf *narrow)
{
	for (size_t i = 0; i < narrow->n_pools; i++)
		pool_free(&narrow->pools[i]);
	free(narrow->pools);
}

int cluster_find_program(char *ret, size_t size, struct cni_error *err)
{
	const char *path = getenv("CNI_PATH");
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash) {
		*slash = '\0';
		if ((size_t)snprintf(ret, size, "%s/" PROGRAM, self) < size && access(ret, X_OK) == 0)
			return 0;
	}
	for (const char *dir = path, *end; dir && *dir; dir = *end ? end + 1 : NULL) {
		int n = (int)strcspn(dir, ":");

		end = dir + n;
		if (n && (size_t)snprintf(ret, size, "%.*s/" PROGRAM, n, dir) < size &&
		    access(ret, X_OK) == 0)
			return 0;
	}
	cni_fail(err, CNI_CONFIG, "there is no " PROGRAM " beside addrpool, nor in CNI_PATH");
	return cni_hint(err, "ipam.cluster requires it: install it beside addrpool (%s)", self);
}

json_t *cluster_ask(const char *config, size_t len, const char *const *argv, int patience_s,
		    struct cni_error *err)
{
	char program[PATH_MAX];
	struct child child = {
		.what = "",
		.argv = { program },
		.env = environ,
		.input = config,
		.input_len = len,
		.patience_s = patience_s + LOCK_PATIENCE_S,
	};
	json_t *answer = NULL;
	struct outcome o;

	for (size_t i = 0; argv[i] && i + 2 < CHILD_ARGS; i++)
		child.argv[i + 1] = argv[i];
	if (cluster_find_program(program, sizeof(program), err) < 0 || child_run(&child, &o, err) < 0)
		return NULL;
	if (o.status)
		outcome_explain(&o, err);
	else
		answer = json_read(o.output, o.output_len, err);
	return answer;
}

int cluster_claim(const struct request *req, const struct cluster *cluster, const struct shortage *shortage,
		  struct cni_error *err)
{
	char pool[24], blocks[24];
	const char *argv[] = { "claim", pool, blocks, NULL, NULL };
	struct ip_str wanted = ip_text(&shortage->wanted);
	json_auto_t *answer = NULL;

	snprintf(pool, sizeof(pool), "%zu", shortage->number);
	snprintf(blocks, sizeof(blocks), "%zu", shortage->blocks);
	if (shortage->wanted.family)
		argv[3] = wanted.s;
	answer = cluster_ask(req->config, req->config_len, argv, (int)cluster->timeout, err);
	return answer ? 0 : -1;
}

int cluster_confirm(const struct request *req, const struct cluster *cluster, struct cni_error *err)
{
	const char *argv[] = { "confirm", NULL };
	struct cni_error why = { 0 };
	json_auto_t *answer = cluster_ask(req->config, req->config_len, argv, (int)cluster->timeout, &why);

	if (answer || why.code == CNI_RETRY)
		return 0;
	cni_fail(err, (enum cni_code)why.code, "%s", why.msg);
	return cni_hint(err, "%s", why.details);
}

bool cluster_is_untidy(const struct store *store, const struct place *place)
{
	const struct spares spares = { .n = place->range_sets, .reuse_delay = place->reuse_delay };
	struct blocks blocks;
	int n = 0;

	if (blocks_read(&blocks, store, NULL) == 0 && blocks.n && !blocks_failed(store))
		n = blocks_superfluous(&blocks, store, &spares, NULL);
	blocks_free(&blocks);
	return n > 0;
}

void cluster_tidy(const struct request *req)
{
	const char *argv[] = { "return", NULL };
	struct cni_error why = { 0 };
	json_auto_t *answer = cluster_ask(req->config, req->config_len, argv, RETURN_PATIENCE_S, &why);

	if (!answer)
		cni_log("network %s: cannot return blocks without leases: %s", req->name, why.msg);
}
