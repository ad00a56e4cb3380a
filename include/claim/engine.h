/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine of the cluster, etcd or the Kubernetes API, records which node owns which block of a pool: a
 * claim for each block that a node owns, an index of each node's claims, and the pool's block size, which
 * must be the same for all nodes.
 *
 *	etcd: below <prefix>/<pool>/
 *
 *		10.9.0.16/28					-> {"node": ...}
 *		~node/<node>/<network>/<owner>/10.9.0.16/28	-> a sign of life, or ""
 *		pool						-> {"blockSize": ...}
 *
 *	Kubernetes: Leases
 *
 *		<pool>-10.9.0.16-28	holderIdentity: the node; renewTime: a sign of life; labels: pool,
 *					tenant, owner, block
 *		<pool>-pool
 *
 * The keys ~node/ are the index. The transaction that writes a claim also writes its key of the index. A sign
 * of life is the time of the node's last one.
 *
 * Only list() and list_blocks() read all claims. The other functions read the claims of one node, or those
 * that the caller names. So their cost does not depend on the size of the pool.
 *
 * Each function returns before the deadline of the call. If an endpoint does not answer, it asks another one.
 * The engine may have executed a request although its answer was lost. Therefore each request may be
 * repeated: create() succeeds if the claim is ours already.
 */
#ifndef CLAIM_ENGINE_H
#define CLAIM_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "ipam/block.h"
#include "ipam/cluster.h"
#include "ipam/identity.h"

#define CLAIM_TEXT 256
#define CLAIMS_MAX (1 << 20)
#define CANDIDATES_MAX 80
#define BLOCKS_FEW 30 /* a pool of so many blocks is looked at as a whole */
#define SLICES_MAX 20
#define SLICE_MAX 16

struct claim {
	struct prefix block;
	char node[CLAIM_TEXT], network[CLAIM_TEXT];
	char machine[96]; /* the machine's id, of its hardware if that has one; "": it has none */
	char boot[64];	  /* in which the node confirmed the claim */
	char incarnation[INCARNATION_LEN + 1];
	bool owned;		    /* the Node object owns it: Kubernetes deletes both together */
	char since[32], seen[32];   /* RFC 3339; seen: the node's last sign of life, or "" */
	char id[BLOCK_ID_MAX];	    /* of this claim and no later one of the block */
	char version[BLOCK_ID_MAX]; /* changes with each update */
};

struct claims {
	struct claim *list;
	size_t n;
	long long block_size; /* 0: the pool has no record */
};

/* Blocks that nodes have claimed. */
struct taken {
	struct prefix *list;
	size_t n;
};

/* A block that may be free. */
struct candidate {
	struct prefix block;
	bool taken;
};

/* Blocks of the pool that are neighbours in the order of etcd's keys: one number says how many are taken. */
struct slice {
	struct prefix blocks[SLICE_MAX]; /* in that order */
	size_t n;
	size_t taken;
};

/* What look() is asked for, and what it answers. */
struct look {
	const struct blocks *own;     /* our blocks; NULL: they are not compared */
	bool sign;		      /* write a sign of life to one of their claims, for people */
	struct candidate *candidates; /* which of them are taken? */
	size_t n;		      /* CANDIDATES_MAX at most */
	struct slice *slices; /* how many blocks of each are taken? Only of an engine that counts slices */
	size_t n_slices;
	bool same;	      /* the claims with our owner_mark() are those of own; own has none: there
			       * is none with our tenant_mark() either */
	long long block_size; /* of the pool, if there are candidates; 0: it has no record */
};

/* A record beside the claims, see claim/identity.h. */
enum keep_kind { KEEP_IDENTITY, KEEP_ADDRESS };
struct keep {
	enum keep_kind kind;
	char name[IDENTITY_MAX];
	json_t *doc;		    /* owned; its "holder.node" is for people */
	char version[BLOCK_ID_MAX]; /* "": there is none */
	char id[BLOCK_ID_MAX]; /* with a version: of this record and no later one, if the engine has ids */
};
struct keeps {
	struct keep *list;
	size_t n;
};

struct engine;

struct engine_kind {
	bool compares_apart; /* look() sends one more request to compare our blocks */
	/* What a look of a claim asks for: the first one, and the later ones. */
	struct amounts {
		size_t candidates, slices;
	} first, later;
	int (*look)(struct engine *engine, const struct claim *self, struct look *look,
		    struct cni_error *err);
	/* Which blocks of a slice are taken: candidates are its blocks. Only of an engine that counts slices.
	 */
	int (*look_into)(struct engine *engine, const struct slice *slice, struct candidate *candidates,
			 struct cni_error *err);
	/* The claims of our node and network, also those that another machine has confirmed. Claims that
	 * 0.1.0 made are missing until they are in the index. */
	int (*own)(struct engine *engine, const struct claim *self, struct claims *ret,
		   struct cni_error *err);
	/* All claims of the pool, or those of one node; only the blocks of all, which requires less memory.
	 */
	int (*list)(struct engine *engine, const char *node, struct claims *ret, struct cni_error *err);
	int (*list_blocks)(struct engine *engine, struct taken *ret, struct cni_error *err);
	/* Creates the pool's record. FOUND_NOT: it exists already; *block_size is its size, 0 if it has none.
	 */
	enum found (*begin)(struct engine *engine, long long *block_size, struct cni_error *err);
	/* Creates the claim. FOUND: it is ours (node, network and incarnation), also if it existed.
	 * FOUND_NOT: another one exists. Both set *claim to the claim in the engine. If that cannot be read,
	 * *claim has only its block. */
	enum found (*create)(struct engine *engine, struct claim *claim, struct cni_error *err);
	/* Replaces old by fresh if the engine still has this version of old. FOUND_NOT: it has another. */
	enum found (*update)(struct engine *engine, const struct claim *old, struct claim *fresh,
			     struct cni_error *err);
	/* Deletes the claim with this id, and its key of the index. FOUND_NOT: it does not exist, or it
	 * belongs to another owner by now: then *there, unless NULL, is the claim with this id. */
	enum found (*remove)(struct engine *engine, const struct claim *claim, struct claim *there,
			     struct cni_error *err);
	/* Reads the record of this kind and name into doc, an object, and version. FOUND_NOT: it does not
	 * exist. FOUND_FAILED with a version: it is damaged. */
	enum found (*keep_read)(struct engine *engine, struct keep *keep, struct cni_error *err);
	/* Writes doc if the record still has this version, and sets version. FOUND_NOT: it has another one.
	 * That may be ours: this request was repeated because its first answer was lost. */
	enum found (*keep_write)(struct engine *engine, struct keep *keep, struct cni_error *err);
	enum found (*keep_remove)(struct engine *engine, const struct keep *keep, struct cni_error *err);
	/* doc is not an object if a record is damaged. */
	int (*keep_list)(struct engine *engine, enum keep_kind kind, struct keeps *ret,
			 struct cni_error *err);
	/* FOUND: no pod runs on a node of this name. FOUND_NOT: one may, or the engine does not know nodes.
	 */
	enum found (*node_gone)(struct engine *engine, const char *node, struct cni_error *err);
	void (*close)(struct engine *engine);
};

/* The first member of each kind's own struct. */
struct engine {
	const struct engine_kind *kind;
	const struct cluster *cluster;
	struct http *http;
	/* CLOCK_BOOTTIME */
	long long deadline_ms;
	long long end_ms; /* engine_go_on() moves the deadline no further; 0: it does not move */
};

/* Do not connect yet. NULL: CNI_CONFIG, CNI_RETRY (no memory), CNI_IO (a file cannot be read). */
struct engine *etcd_open(const struct cluster *cluster, struct cni_error *err);
struct engine *kubernetes_open(const struct cluster *cluster, struct cni_error *err);

/* Sets the deadline for all later requests: after the configuration's timeout, or after most_ms if that is
 * less. */
void engine_begin(struct engine *engine, long long most_ms);

/*
 * For what people ask of a large pool: a minute, with several tries, for each answer, LISTING_S for all. Only
 * until the engine is reached does the configuration's timeout apply. Call engine_go_on() before each
 * request; otherwise it does nothing.
 */
void engine_begin_for_people(struct engine *engine);
void engine_go_on(struct engine *engine);

void keep_free(struct keep *keep);
/* Fails since what the engine has in place of the record is none: a Lease, or a key. CNI_CONFIG. */
enum found keep_damaged(struct keep *keep, const char *lease, const char *key, struct cni_error *err);
int keeps_add(struct keeps *keeps, struct keep *keep, struct cni_error *err); /* takes keep's document */
void keeps_free(struct keeps *keeps);

int claims_add(struct claims *claims, const struct claim *claim, struct cni_error *err);
void claims_free(struct claims *claims);
int taken_add(struct taken *taken, const struct prefix *block, struct cni_error *err);
void taken_free(struct taken *taken);
const struct claim *claims_find(const struct claims *claims, const struct prefix *block); /* searches all */
int claim_by_block(const void *a, const void *b);					  /* for qsort() */
bool claim_is_same_owner(const struct claim *a, const struct claim *b); /* node, network, incarnation */

/*
 * Hashes for the index. The mark of an owner is that of node, network, incarnation, boot, machine, and of
 * whether the Node object owns the claim: if another process confirms or takes over our claim, it no longer
 * has our mark. The mark of a tenant is that of node and network.
 */
struct mark {
	char s[17];
};
struct mark owner_mark(const struct claim *claim);
struct mark tenant_mark(const struct claim *claim);

#endif
