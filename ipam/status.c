/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cni/file.h"
#include "ipam/ask.h"
#include "ipam/lease.h"
#include "ipam/past.h"
#include "ipam/verbs.h"
#include "net/netns.h"

#define FILES_OF_ADD 4 /* a lease, the last address, and two directories */
#define PROBES 8       /* addresses that STATUS examines to find a small pool full */

/* Can ADD write leases into their directory, or make it? */
static int status_check_writable(const struct place *place, struct cni_error *err)
{
	const char *here = *place->data_dir == '/' ? "" : "./";
	char path[PATH_MAX];
	char *slash;
	int rc;

	if (snprintf(path, sizeof(path), "%s%s/%s", here, place->data_dir, place->store) >= (int)sizeof(path))
		return cni_fail(err, CNI_CONFIG, "ipam.dataDir is longer than a path may be");
	/* up to the first directory that exists */
	while ((rc = file_has_room(path, FILES_OF_ADD)) < 0 && errno == ENOENT &&
	       (slash = strrchr(path, '/')))
		slash[slash == path] = '\0';
	if (rc == 0)
		return 0;
	rc = errno;
	cni_fail(err, CNI_UNAVAILABLE, "cannot write to %s: %s", path, errno_text(rc));
	return store_remedy(rc, err);
}

/* Does addrpool-claim exist? */
static int status_check_program(struct cni_error *err)
{
	struct cni_error why = { 0 };
	char program[PATH_MAX];

	if (cluster_find_program(program, sizeof(program), &why) == 0)
		return 0;
	cni_fail(err, CNI_UNAVAILABLE, "%s", why.msg);
	return cni_hint(err, "%s", why.details);
}

struct look {
	const struct store *store;
	long long delay;
	int probes;
};

/* FOUND: it is free, or PROBES addresses were examined. */
static enum found status_may_be_free(void *arg, struct ip *ip, struct cni_error *err)
{
	struct look *look = arg;

	if (look->probes++ == PROBES)
		return FOUND;
	if (lease_exists(look->store, ip, err) == FOUND || past_waits(look->store, ip, look->delay))
		return FOUND_NOT;
	return FOUND;
}

static bool status_is_full(const struct store *store, const struct conf *conf, size_t pool)
{
	const struct ip last = store_last(store, pool);
	struct look look = { .store = store, .delay = conf->place.reuse_delay };
	struct ip ip;

	return pool_walk(&conf->pools[pool], &last, status_may_be_free, &look, &ip, NULL) == FOUND_NOT ||
	       past_was_full(store, pool, pool_text(&conf->pools[pool]).s);
}

static void status_log_full(const struct store *store, const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (conf->pools[i].n_spans && status_is_full(store, conf, i))
			cni_log("network %s: no IP addresses available in range set: %s", conf->place.network,
				pool_text(&conf->pools[i]).s);
}

/* Reports the engine's last failure if it was less than a minute ago. */
static void status_log_failure(const struct store *store, const struct conf *conf)
{
	struct block_note note;

	if (blocks_last_failure(&note, store) == FOUND)
		cni_log("network %s: the last request to the engine failed: %s", conf->place.network,
			note.error.msg);
}

/* Reports what can be read without waiting for a lock. STATUS does not fail if the store cannot be read. */
static void status_log_shortage(const struct conf *conf)
{
	struct store store;

	if (store_look(&store, &conf->place, NULL) != FOUND)
		return;
	if (conf->cluster.pool)
		status_log_failure(&store, conf);
	else
		status_log_full(&store, conf);
	store_close(&store);
}

static int status_check_ipv6(const struct conf *conf, struct cni_error *err)
{
	for (size_t i = 0; i < conf->n_pools; i++) {
		if (conf->pools[i].ranges[0].subnet.ip.family != AF_INET6 || netns_has_ipv6())
			continue;
		cni_fail(err, CNI_UNAVAILABLE, "range set %zu: this kernel has no IPv6", i);
		return cni_hint(err, "start the machine without ipv6.disable=1, or remove the range set");
	}
	return 0;
}

/*
 * SPEC, STATUS: 50 if an ADD would fail now. STATUS succeeds if the pool is full: other pods will release
 * addresses, but a runtime that gets 50 declares the node unusable, and its running pods are evicted.
 */
int addrpool_status(const struct request *req, struct cni_error *err)
{
	struct conf conf;
	int rc;

	if (addrpool_conf_read(&conf, req, err) < 0)
		return -1;
	rc = status_check_writable(&conf.place, err);
	if (rc == 0)
		rc = status_check_ipv6(&conf, err);
	if (rc == 0 && conf.cluster.pool)
		rc = status_check_program(err);
	if (rc == 0)
		status_log_shortage(&conf);
	addrpool_conf_free(&conf);
	return rc;
}
