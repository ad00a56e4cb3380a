/*
 * Who owns which block, as the cluster's engine keeps it: a claim for each block
 * that somebody owns, and one record for the pool, so that all nodes mean the same
 * by a block.
 *
 *	etcd          <prefix>/<pool>/10.9.0.16/28 -> {"node": …}     <prefix>/<pool>/pool -> {"blockSize": …}
 *	Kubernetes    Lease <pool>-10.9.0.16-28, holderIdentity node  Lease <pool>-pool
 *
 * Each function asks within the deadline of the call, on another endpoint where one
 * does not answer. An answer that did not come may have been given all the same: so
 * everything may be asked again, and what is ours already counts as done.
 */
#ifndef CLAIM_ENGINE_H
#define CLAIM_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "ipam/block.h"
#include "ipam/cluster.h"

#define CLAIM_TEXT 256
#define CLAIMS_MAX (1 << 20)

struct claim {
	struct prefix block;
	char node[CLAIM_TEXT], network[CLAIM_TEXT];
	char machine[64]; /* of the hardware, where it tells; "" if nothing does */
	char boot[40];	  /* that the node confirmed it in */
	char incarnation[INCARNATION_LEN + 1];
	char since[32];		    /* RFC 3339 */
	char id[BLOCK_ID_MAX];	    /* of this claim and no later one of the block */
	char version[BLOCK_ID_MAX]; /* changes with each update */
};

struct claims {
	struct claim *list;
	size_t n;
	long long block_size; /* 0: the pool has no record */
};

struct engine;

struct engine_kind {
	int (*list)(struct engine *engine, struct claims *ret, struct cni_error *err);
	/* The pool's record. FOUND_NOT: there is one. */
	enum found (*begin)(struct engine *engine, long long block_size, struct cni_error *err);
	/* FOUND: it is ours, that is, of our node, network and incarnation; with its id.
	 * FOUND_NOT: somebody else's. */
	enum found (*create)(struct engine *engine, struct claim *claim, struct cni_error *err);
	/* Puts claim in the place of the one with its version. FOUND_NOT: it has another. */
	enum found (*update)(struct engine *engine, struct claim *claim, struct cni_error *err);
	/* The claim with this id. FOUND_NOT: there is none (any more). */
	enum found (*remove)(struct engine *engine, const struct claim *claim, struct cni_error *err);
	void (*close)(struct engine *engine);
};

/* The first member of each kind's own struct. */
struct engine {
	const struct engine_kind *kind;
	const struct cluster *cluster;
	long long deadline_ms; /* CLOCK_BOOTTIME */
};

/* Connects to nothing yet. NULL: CNI_CONFIG, CNI_RETRY (memory), CNI_IO (a file cannot be read). */
struct engine *etcd_open(const struct cluster *cluster, struct cni_error *err);
struct engine *kubernetes_open(const struct cluster *cluster, struct cni_error *err);

/* Starts the time that the configuration allows for what is asked from now on. */
void engine_begin(struct engine *engine);

int claims_add(struct claims *claims, const struct claim *claim, struct cni_error *err);
void claims_free(struct claims *claims);
int claim_by_block(const void *a, const void *b);			/* for qsort() and bsearch() */
bool claim_is_same_owner(const struct claim *a, const struct claim *b); /* node, network, incarnation */

#endif
