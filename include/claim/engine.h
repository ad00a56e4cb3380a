/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who owns which block, as the cluster's engine keeps it: a claim for each block that a node owns, an index
 * of each node's own claims, and one record for the pool, so that all nodes mean the same by a block.
 *
 *	etcd: below <prefix>/<pool>/
 *
 *		10.9.0.16/28					-> {"node": ...}
 *		~node/<node>/<network>/<owner>/10.9.0.16/28	-> a sign of life, or nothing
 *		pool						-> {"blockSize": ...}
 *
 *	Kubernetes: Leases
 *
 *		<pool>-10.9.0.16-28	holderIdentity: the node; renewTime: a sign of life; labels: pool,
 *					tenant, owner, block
 *		<pool>-pool
 *
 * The keys ~node/ are the index, written by the transaction that writes the claim.
 *
 * No function but list() and list_blocks() asks for more than a node's own claims, or than those it names:
 * the cost of the others does not depend on the size of the pool.
 *
 * Each function asks within the deadline of the call, and on another endpoint if one does not answer. The
 * engine may have done what it did not answer: so everything may be asked again, and what is ours already
 * counts as done.
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
#define CANDIDATES_MAX 30

struct claim {
	struct prefix block;
	char node[CLAIM_TEXT], network[CLAIM_TEXT];
	char machine[96]; /* of the hardware, if it says; "" if nothing does */
	char boot[64];	  /* that the node confirmed it in */
	char incarnation[INCARNATION_LEN + 1];
	bool owned;		    /* by the Node object of Kubernetes, with which it ends */
	char since[32], seen[32];   /* RFC 3339; seen: a sign of life of its node, or "" */
	char id[BLOCK_ID_MAX];	    /* of this claim and no later one of the block */
	char version[BLOCK_ID_MAX]; /* changes with each update */
};

struct claims {
	struct claim *list;
	size_t n;
	long long block_size; /* 0: the pool has no record */
};

/* Blocks that somebody has claimed. */
struct taken {
	struct prefix *list;
	size_t n;
};

/* A block that may be free. */
struct candidate {
	struct prefix block;
	bool taken;
};

/* What look() is asked for, and what it answers. */
struct look {
	const struct blocks *own;     /* that we have; NULL: they are not compared */
	bool sign;		      /* leave a sign of life with one of them, for people */
	struct candidate *candidates; /* which of them are taken? */
	size_t n;		      /* CANDIDATES_MAX at most */
	bool same;	      /* the claims with our owner_mark() are those of own; own has none: there
			       * is none with our tenant_mark() either */
	long long block_size; /* of the pool, asked for with candidates; 0: it has no record */
};

/* A record beside the claims, see claim/identity.h. */
enum keep_kind { KEEP_IDENTITY, KEEP_ADDRESS };
struct keep {
	enum keep_kind kind;
	char name[IDENTITY_MAX];
	json_t *doc;		    /* owned; its "holder.node" is for people */
	char version[BLOCK_ID_MAX]; /* "": there is none */
};
struct keeps {
	struct keep *list;
	size_t n;
};

struct engine;

struct engine_kind {
	size_t candidates; /* for the first two looks of a claim; they cost calls in one, bytes in the other
			    */
	int (*look)(struct engine *engine, const struct claim *self, struct look *look,
		    struct cni_error *err);
	/* The claims of our node and network, also those that another machine has confirmed. Claims of 0.1.0
	 * are not among them before they are in the index. */
	int (*own)(struct engine *engine, const struct claim *self, struct claims *ret,
		   struct cni_error *err);
	/* All claims of the pool; which blocks they are of, which is less to keep. */
	int (*list)(struct engine *engine, struct claims *ret, struct cni_error *err);
	int (*list_blocks)(struct engine *engine, struct taken *ret, struct cni_error *err);
	/* The pool's record. FOUND_NOT: there is one. */
	enum found (*begin)(struct engine *engine, long long block_size, struct cni_error *err);
	/* FOUND: it is ours, that is, of our node, network and incarnation. FOUND_NOT: somebody else's. Both
	 * put the claim that is there into *claim. If it cannot be read as one, *claim has its block alone.
	 */
	enum found (*create)(struct engine *engine, struct claim *claim, struct cni_error *err);
	/* Puts fresh in the place of old, if that has its version still. FOUND_NOT: it has another. */
	enum found (*update)(struct engine *engine, const struct claim *old, struct claim *fresh,
			     struct cni_error *err);
	/* The claim with this id, and its place in the index. FOUND_NOT: there is none (any more). */
	enum found (*remove)(struct engine *engine, const struct claim *claim, struct cni_error *err);
	/* The record of this kind and name, into doc and version. FOUND_NOT: there is none. */
	enum found (*keep_read)(struct engine *engine, struct keep *keep, struct cni_error *err);
	/* Writes doc if the record has this version still. FOUND_NOT: it has another; perhaps by this very
	 * request, of which the first answer was lost. Fills version. */
	enum found (*keep_write)(struct engine *engine, struct keep *keep, struct cni_error *err);
	enum found (*keep_remove)(struct engine *engine, const struct keep *keep, struct cni_error *err);
	int (*keep_list)(struct engine *engine, enum keep_kind kind, struct keeps *ret,
			 struct cni_error *err);
	/* Can a node of this name hold nothing any more? FOUND_NOT also if the engine does not know nodes. */
	enum found (*node_gone)(struct engine *engine, const char *node, struct cni_error *err);
	void (*close)(struct engine *engine);
};

/* The first member of each kind's own struct. */
struct engine {
	const struct engine_kind *kind;
	const struct cluster *cluster;
	struct http *http;
	long long deadline_ms; /* CLOCK_BOOTTIME */
};

/* Connects to nothing yet. NULL: CNI_CONFIG, CNI_RETRY (memory), CNI_IO (a file cannot be read). */
struct engine *etcd_open(const struct cluster *cluster, struct cni_error *err);
struct engine *kubernetes_open(const struct cluster *cluster, struct cni_error *err);

/* Starts the time that the configuration allows for what is asked from now on, or less. */
void engine_begin(struct engine *engine, long long most_ms);

void keep_free(struct keep *keep);
int keeps_add(struct keeps *keeps, struct keep *keep, struct cni_error *err); /* takes keep's document */
void keeps_free(struct keeps *keeps);

int claims_add(struct claims *claims, const struct claim *claim, struct cni_error *err);
void claims_free(struct claims *claims);
int taken_add(struct taken *taken, const struct prefix *block, struct cni_error *err);
void taken_free(struct taken *taken);
const struct claim *claims_find(const struct claims *claims, const struct prefix *block); /* looks at each */
int claim_by_block(const void *a, const void *b);					  /* for qsort() */
bool claim_is_same_owner(const struct claim *a, const struct claim *b); /* node, network, incarnation */

/*
 * Whose claims they are, as the index has it. owner: of node, network, incarnation, boot and machine, and of
 * whether the Node owns it, so that a claim that anybody else confirms, takes over or removes no longer has
 * our mark. tenant: of node and network.
 */
struct mark {
	char s[17];
};
struct mark owner_mark(const struct claim *claim);
struct mark tenant_mark(const struct claim *claim);

#endif
