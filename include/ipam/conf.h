/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host-local's configuration and what we add to it, validated as a whole before
 * anything is touched. Strings are borrowed from the request's document.
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

/* What DEL and GC need, so that nothing else which is wrong keeps them from
 * giving addresses back. */
struct place {
	const char *data_dir;
	const char *network;
	const char *store;     /* the directory of its leases: "pool", or the network's name */
	bool shared;	       /* by nodes of a cluster */
	size_t range_sets;     /* that the configuration has, at a glance */
	bool fsync;	       /* addresses survive a power failure */
	long long reuse_delay; /* seconds */
};

struct arg {
	const char *key, *value;
};

struct args {
	char *text; /* that they point into */
	struct arg *list;
	size_t n;
};

struct conf {
	struct place place;
	struct cluster cluster;
	struct pool *pools; /* one address of each */
	size_t n_pools;
	struct prefix *exclude; /* never handed out, not even to who asks for them */
	size_t n_exclude;
	struct prefix *asked; /* "static": only for who asks for them */
	size_t n_asked;
	struct ip *wanted; /* addresses asked for, without repetition */
	size_t n_wanted;
	const char *resolv_conf; /* NULL: none */
	struct args args;	 /* of CNI_ARGS; owned */
	char *sticky;		 /* who gets the same address again; NULL: nobody; owned */
	struct result given;	 /* routes, to be handed on as they are */
};

/* Errors: CNI_CONFIG, CNI_ENVIRONMENT (CNI_ARGS). addrpool_conf_free() after success only. */
int addrpool_conf_read(struct conf *ret, const struct request *req, struct cni_error *err);
void addrpool_conf_free(struct conf *conf);

/* The value of an argument in CNI_ARGS, the last one; NULL: it is not given. */
const char *conf_arg(const struct conf *conf, const char *key);

int place_read(struct place *ret, const struct request *req, struct cni_error *err);

/* Does the network have its leases among those of other networks? */
bool place_is_pool(const struct place *place);

#endif
