/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host-local's configuration and addrpool's own keys, validated as a whole before a call changes anything.
 * Strings are borrowed from the request's document.
 */
#ifndef IPAM_CONF_H
#define IPAM_CONF_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"
#include "cni/plugin.h"
#include "cni/result.h"
#include "ipam/cluster.h"
#include "ipam/pool.h"

/* All that DEL and GC read, so that they release addresses even if another key is wrong. */
struct place {
	const char *data_dir;
	const char *network;
	const char *store;     /* the directory of its leases: "pool", or the network's name */
	bool shared;	       /* "cluster": by many nodes */
	bool identities;       /* a range set keeps addresses for identities */
	size_t range_sets;     /* how many are cut into blocks, not validated */
	bool fsync;	       /* leases survive a power failure */
	long long reuse_delay; /* seconds */
};

struct arg {
	const char *key, *value;
};

struct args {
	char *text; /* the entries of list point into it */
	struct arg *list;
	size_t n;
};

struct conf {
	struct place place;
	struct cluster cluster;
	struct pool *pools; /* one address of each */
	size_t n_pools;
	struct prefix *exclude; /* never assigned, not even on request */
	size_t n_exclude;
	struct prefix *asked; /* "static": assigned only on request */
	size_t n_asked;
	struct ip *wanted; /* requested addresses, without repetition */
	size_t n_wanted;
	const char *resolv_conf; /* NULL: none */
	struct args args;	 /* of CNI_ARGS; owned */
	char *sticky;		 /* the name that gets the same address again; NULL: none; owned */
	const struct ip *held;	 /* by pool: what the engine keeps for the pod's identity; NULL: nothing */
	struct result given;	 /* routes, passed on unchanged */
};

/* Errors: CNI_CONFIG, CNI_ENVIRONMENT (CNI_ARGS). addrpool_conf_free() after success only. */
int addrpool_conf_read(struct conf *ret, const struct request *req, struct cni_error *err);
void addrpool_conf_free(struct conf *conf);

/* Reads only the range sets. DEL and GC use it: they succeed if another key is wrong. Errors: CNI_CONFIG.
 * addrpool_conf_free() in any case. */
int range_sets_read(struct conf *ret, const struct request *req, struct cni_error *err);

/* The value of an argument in CNI_ARGS, the last if there are several; NULL: there is none. */
const char *conf_arg(const struct conf *conf, const char *key);

int place_read(struct place *ret, const struct request *req, struct cni_error *err);

/* Does the network share its store with other networks ("pool")? */
bool place_is_pool(const struct place *place);

#endif
