#include "ipam/survey.h"

#include <stdlib.h>

#include "ipam/ask.h"
#include "ipam/past.h"

/* The pool that may hand ip out, or NULL. */
static struct usage *usage_of(const struct survey *survey, const struct conf *conf, const struct ip *ip)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (pool_may_give(&conf->pools[i], ip))
			return &survey->usage[i];
	return NULL;
}

static void count_leases(struct survey *survey, const struct conf *conf)
{
	for (size_t i = 0; i < survey->leases.n; i++) {
		struct usage *usage = usage_of(survey, conf, &survey->leases.list[i].ip);
		enum state state = survey->states[i];

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

static void count_waiting(void *arg, const struct ip *ip)
{
	const struct waiting *waiting = arg;
	const struct survey *survey = waiting->survey;
	struct usage *usage = usage_of(survey, waiting->conf, ip);
	const struct lease key = { .ip = *ip };

	if (usage && !(survey->leases.n &&
		       bsearch(&key, survey->leases.list, survey->leases.n, sizeof(key), lease_by_address)))
		usage->waiting++;
}

static int read_store(struct survey *survey, const struct conf *conf, const struct store *store,
		      struct cni_error *err)
{
	struct waiting waiting = { .survey = survey, .conf = conf };
	struct alive alive;

	if (leases_read(&survey->leases, store, err) < 0)
		return -1;
	survey->states = calloc(survey->leases.n + 1, sizeof(*survey->states));
	if (!survey->states)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (survey->leases.n)
		qsort(survey->leases.list, survey->leases.n, sizeof(*survey->leases.list), lease_by_address);
	alive_read(&alive);
	for (size_t i = 0; i < survey->leases.n; i++)
		survey->states[i] = lease_state(&alive, store, &survey->leases.list[i]);
	alive_free(&alive);
	count_leases(survey, conf);
	past_each_waiting(store, conf->place.reuse_delay, count_waiting, &waiting);
	return 0;
}

static void measure(struct survey *survey, const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		survey->usage[i].size = pool_size(&conf->pools[i]);
}

/* What another node may give is not for us to count. */
static int read_blocks(struct survey *survey, const struct conf *conf, const struct store *store,
		       struct cni_error *err)
{
	struct blocks blocks;
	struct conf narrow;
	int rc = blocks_read(&blocks, store, err);

	if (rc == 0)
		rc = cluster_narrow(&narrow, conf, &blocks, store, err);
	if (rc == 0) {
		measure(survey, &narrow);
		rc = read_store(survey, &narrow, store, err);
		cluster_widen(&narrow);
	}
	for (size_t i = 0; rc == 0 && i < conf->n_pools; i++)
		survey->usage[i].blocks = blocks_of_pool(&blocks, store, &conf->pools[i]);
	blocks_free(&blocks);
	return rc;
}

int survey_read(struct survey *ret, const struct conf *conf, struct cni_error *err)
{
	struct survey survey = { .usage = calloc(conf->n_pools, sizeof(*survey.usage)) };
	const bool shared = conf->cluster.pool;
	struct store store;
	enum found found;
	int rc;

	if (!survey.usage)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (!shared)
		measure(&survey, conf);
	found = store_open(&store, &conf->place, false, err);
	rc = found == FOUND_FAILED ? -1 : 0;
	if (found == FOUND) {
		rc = shared ? read_blocks(&survey, conf, &store, err)
			    : read_store(&survey, conf, &store, err);
		store_close(&store);
	}
	if (rc < 0)
		survey_free(&survey);
	else
		*ret = survey;
	return rc;
}

void survey_free(struct survey *survey)
{
	leases_free(&survey->leases);
	free(survey->states);
	free(survey->usage);
}
