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
#include "cni/listing.h"
#include "ipam/identity.h"
#include "ipam/record.h"
#include "ipam/wanted.h"

#define PROGRAM "addrpool-claim"

#define RETURN_PATIENCE_S 60 /* for the engine, when addrpool-claim returns blocks */

/* The engine says which address of an identity's range set is a pod's: all are left. */
static int ask_narrow_one(struct pool *ret, const struct pool *pool, const struct prefix *ours, size_t n,
			  struct cni_error *err)
{
	const struct prefix all = { .ip = { .family = pool->ranges[0].start.family }, .len = 0 };

	return pool->identities ? pool_narrow(ret, pool, &all, 1, err) : pool_narrow(ret, pool, ours, n, err);
}

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
		if (ask_narrow_one(&narrow.pools[narrow.n_pools], &conf->pools[narrow.n_pools], ours, n,
				   err) < 0) {
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
		.patience_s = patience_s + LISTING_LOCK_S,
		.output_max = LISTING_MAX,
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

/* The engine's answer, to this call or to an earlier one, that this node may not have its blocks. */
static enum found ask_refusal(struct block_note *ret, const struct place *place)
{
	struct store store;
	enum found found;

	if (store_look(&store, place, NULL) != FOUND)
		return FOUND_NOT;
	found = blocks_noted(ret, &store, BLOCKS_REFUSED);
	store_close(&store);
	return found;
}

int cluster_confirm(const struct request *req, const struct conf *conf, struct cni_error *err)
{
	const char *argv[] = { "confirm", NULL };
	struct cni_error why = { 0 };
	json_auto_t *answer =
		cluster_ask(req->config, req->config_len, argv, (int)conf->cluster.timeout, &why);
	struct block_note refusal;

	if (answer)
		return 0;
	if (ask_refusal(&refusal, &conf->place) == FOUND) {
		cni_fail(err, CNI_CONFIG, "%s", refusal.error.msg);
		return cni_hint(err, "%s", !strcmp(why.msg, refusal.error.msg) ? why.details : why.msg);
	}
	cni_log("network %s: addresses are assigned although the engine did not count this node's blocks: %s",
		req->name, why.msg);
	return 0;
}

/* How many blocks are superfluous. If the range sets are wrong, only their number counts. */
static int ask_count_superfluous(struct blocks *blocks, const struct store *store, const struct request *req,
				 const struct place *place)
{
	struct spares spares = { .n = place->range_sets, .reuse_delay = place->reuse_delay };
	struct conf conf;
	int n;

	if (range_sets_read(&conf, req, NULL) == 0) {
		spares.pools = conf.pools;
		spares.n = conf.n_pools;
	}
	n = blocks_superfluous(blocks, store, &spares, NULL);
	addrpool_conf_free(&conf);
	return n;
}

bool cluster_is_untidy(const struct store *store, const struct request *req, const struct place *place)
{
	struct blocks blocks;
	int n = 0;

	if (blocks_read(&blocks, store, NULL) == 0 && blocks.n)
		n = ask_count_superfluous(&blocks, store, req, place);
	blocks_free(&blocks);
	return n > 0 || identities_wait(store);
}

void cluster_tidy(const struct request *req)
{
	const char *argv[] = { "return", NULL };
	struct cni_error why = { 0 };
	json_auto_t *answer = cluster_ask(req->config, req->config_len, argv, RETURN_PATIENCE_S, &why);

	if (!answer)
		cni_log("network %s: cannot return blocks without leases, or identities: %s", req->name,
			why.msg);
}

/* "0,2=10.9.0.7": the range sets that keep addresses for identities, with the requested addresses. */
static bool ask_list_wants(const struct conf *conf, char *ret, size_t size)
{
	struct ip given[RECORD_MAX] = { 0 };
	size_t used = 0;

	for (size_t i = 0; i < conf->n_pools && used < size; i++) {
		const struct ip *wanted = wanted_of(conf, i, given);

		if (wanted)
			given[i] = *wanted;
		if (conf->pools[i].identities)
			used += (size_t)snprintf(ret + used, size - used, "%s%zu%s%s", used ? "," : "",
						 conf->pools[i].number, wanted ? "=" : "",
						 wanted ? ip_text(wanted).s : "");
	}
	return used < size;
}

static int ask_read_held(struct ip *held, const struct conf *conf, const json_t *answer,
			 struct cni_error *err)
{
	const json_t *list = json_field(answer, "addresses");
	size_t k = 0;

	for (size_t i = 0; i < conf->n_pools; i++) {
		const char *text = json_string_value(json_array_get(list, k));

		held[i].family = 0;
		if (!conf->pools[i].identities)
			continue;
		if (!text || !ip_parse(text, &held[i]) || !pool_range(&conf->pools[i], &held[i]))
			return cni_fail(err, CNI_RETRY, PROGRAM " gave no address of range set %zu",
					conf->pools[i].number);
		k++;
	}
	return 0;
}

/* The identity of the pod in its network. With ipam.pool conf->sticky begins with the network. */
static const char *ask_identity(const struct conf *conf)
{
	const size_t network = strnlen(conf->place.network, NAME_MAX);

	return place_is_pool(&conf->place) ? conf->sticky + network + 1 : conf->sticky;
}

int cluster_hold(struct ip *held, const struct request *req, const struct conf *conf, struct cni_error *err)
{
	char wants[RECORD_MAX * 96] = "";
	const char *argv[] = { "hold", req->container, req->ifname, ask_identity(conf), wants, NULL };
	json_auto_t *answer = NULL;

	if (!ask_list_wants(conf, wants, sizeof(wants)))
		return cni_fail(err, CNI_CONFIG, "too many range sets with \"identities\"");
	answer = cluster_ask(req->config, req->config_len, argv, (int)conf->cluster.timeout, err);
	return answer ? ask_read_held(held, conf, answer, err) : -1;
}

void cluster_tidy_all(const struct request *req)
{
	const char *argv[] = { "return", "--all", NULL };
	struct cni_error why = { 0 };
	json_auto_t *answer = cluster_ask(req->config, req->config_len, argv, RETURN_PATIENCE_S, &why);

	if (!answer)
		cni_log("network %s: identities were not compared with the engine: %s", req->name, why.msg);
}
