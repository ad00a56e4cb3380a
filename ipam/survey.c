/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/survey.h"

#include <stdlib.h>

#include "ipam/ask.h"
#include "ipam/past.h"

/* The usage that counts ip: of the pool that may assign it, or of "static"; NULL: none. */
static struct usage *survey_usage_of(struct survey *survey, const struct conf *conf, const struct ip *ip)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (pool_may_give(&conf->pools[i], ip))
			return &survey->usage[i];
	for (size_t i = 0; i < conf->n_pools; i++)
		if (pool_keeps(&conf->pools[i], ip))
			return &survey->asked;
	return NULL;
}

static void survey_count_leases(struct survey *survey, const struct conf *conf)
{
	for (size_t i = 0; i < survey->states.leases.n; i++) {
		struct usage *usage = survey_usage_of(survey, conf, &survey->states.leases.list[i].ip);
		enum state state = survey->states.states[i];

		if (!usage)
			continue;
		usage->used++;
		usage->dead += state == STALE || state == EARLIER || state == EMPTY;
	}
}

struct waiting {
	struct survey *survey;
	const struct conf *conf;
};

static void survey_count_waiting(void *arg, const struct ip *ip)
{
	const struct waiting *waiting = arg;
	struct survey *survey = waiting->survey;
	struct usage *usage = survey_usage_of(survey, waiting->conf, ip);
	const struct lease key = { .ip = *ip };

	if (usage &&
	    !(survey->states.leases.n && bsearch(&key, survey->states.leases.list, survey->states.leases.n,
						 sizeof(key), lease_by_address)))
		usage->waiting++;
}

/* within: conf, or conf narrowed to the blocks of this node. */
static int survey_read_store(struct survey *survey, const struct conf *within, const struct store *store,
			     struct cni_error *err)
{
	struct waiting waiting = { .survey = survey, .conf = within };

	if (states_read(&survey->states, store, NULL, NULL, err) < 0)
		return -1;
	past_each_waiting(store, within->place.reuse_delay, survey_count_waiting, &waiting);
	return 0;
}

static void survey_measure(struct survey *survey, const struct conf *within)
{
	for (size_t i = 0; i < within->n_pools; i++)
		survey->usage[i].size = pool_size(&within->pools[i]);
}

/* Counts only the addresses of this node's blocks. */
static int survey_narrow(struct conf *ret, struct survey *survey, const struct conf *conf,
			 const struct store *store, struct cni_error *err)
{
	struct blocks blocks;
	int rc = blocks_read(&blocks, store, err);

	if (rc == 0)
		rc = cluster_narrow(ret, conf, &blocks, err);
	for (size_t i = 0; rc == 0 && i < conf->n_pools; i++)
		survey->usage[i].blocks = blocks_of_pool(&blocks, &conf->pools[i]);
	blocks_free(&blocks);
	return rc;
}

/* Closes the store before states_judge(), which may take seconds. */
static int survey_read_within(struct survey *survey, const struct conf *within, struct store *store,
			      struct cni_error *err)
{
	int rc = survey_read_store(survey, within, store, err);

	store_close(store);
	survey_measure(survey, within);
	if (rc == 0) {
		states_judge(&survey->states);
		survey_count_leases(survey, within);
	}
	return rc;
}

static int survey_read_blocks(struct survey *survey, const struct conf *conf, struct store *store,
			      struct cni_error *err)
{
	struct conf ours = { .n_pools = 0 };
	int rc;

	if (survey_narrow(&ours, survey, conf, store, err) < 0) {
		store_close(store);
		return -1;
	}
	rc = survey_read_within(survey, &ours, store, err);
	cluster_widen(&ours);
	return rc;
}

int survey_read(struct survey *ret, const struct conf *conf, struct cni_error *err)
{
	struct survey survey = { .usage = calloc(conf->n_pools, sizeof(*survey.usage)) };
	bool shared = conf->cluster.pool;
	struct store store;
	enum found found;
	int rc;

	if (!survey.usage)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (!shared)
		survey_measure(&survey, conf);
	found = store_look(&store, &conf->place, err);
	rc = found == FOUND_FAILED ? -1 : 0;
	if (found == FOUND && store.meta < 0) /* only host-local has used the store: no blocks */
		shared = false;
	if (found == FOUND)
		rc = shared ? survey_read_blocks(&survey, conf, &store, err)
			    : survey_read_within(&survey, conf, &store, err);
	if (rc < 0)
		survey_free(&survey);
	else
		*ret = survey;
	return rc;
}

void survey_free(struct survey *survey)
{
	states_free(&survey->states);
	free(survey->usage);
}
