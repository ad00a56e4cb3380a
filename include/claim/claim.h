/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node claims blocks, has the engine count them, returns those that it does not need, lists those of all
 * nodes, and releases those of a node that no longer exists.
 *
 * One process of the machine does this at a time: claim.lock. It opens the store only for moments, so that
 * other calls can assign and release addresses meanwhile. It writes a note in the store before and after each
 * request to the engine. If it is killed, the next process continues:
 *
 *	claiming   claims the block again, which may be ours already, free, or another node's
 *	returning  removes the claim again; addrpool assigns no address of the block
 *
 * test/model is a model of this protocol.
 */
#ifndef CLAIM_CLAIM_H
#define CLAIM_CLAIM_H

#include "claim/engine.h"
#include "cni/plugin.h"
#include "ipam/conf.h"

/* This node and network, and the engine. */
struct node {
	const struct request *req;
	const struct conf *conf;
	struct engine *engine;
	struct claim self;  /* the next claim, without its block */
	bool begun;	    /* this call has seen that the engine has the pool's record */
	bool refused;	    /* another machine has our name, or we have lost our leases: assign no address */
	long long asked_ms; /* when the engine was last asked for our claims, CLOCK_BOOTTIME */
	json_t *report;	    /* lines for the person who asks; NULL: no person asks */
	bool earlier;	    /* the configuration may be that of an earlier ADD */
	int lock;
};

/*
 * Has the engine count our blocks, and claims one more for pool number n. Claims none if the number of blocks
 * is no longer before, and an address of them is free: another process has claimed one meanwhile. wanted: an
 * address of the block to claim; family 0: any block. Errors: CNI_RETRY (no block is free, no answer),
 * CNI_CONFIG (refused).
 */
int claim_more(struct node *node, size_t n, size_t before, const struct ip *wanted, struct cni_error *err);

/* Has the engine count our blocks, unless another process has done so within the minute, and makes the store
 * agree. Takes two seconds at most. CNI_CONFIG: assign no address. CNI_RETRY: the engine does not answer, or
 * denies access. A block that the engine lacks counts only once the engine has it again. now: counts them
 * also within the minute, and takes as long as the configuration allows.
 */
int claim_confirm(struct node *node, bool now, struct cni_error *err);

/* Returns blocks that the node does not need, and identities of attachments that are over; all: see
 * claim/identity.h. */
int claim_return(struct node *node, bool all, struct cni_error *err);

/* The engine's last answer to another process of this node; and ours. there: the pool's block size; 0: it has
 * no record. */
enum found claim_was_told(const struct node *node, enum block_event event, long long since,
			  struct cni_error *err);
void claim_keep_success(const struct node *node, bool agreed);
void claim_keep_failure(const struct node *node, enum block_event event, const struct cni_error *why);
int claim_check_block_size(const struct node *node, long long there, struct cni_error *err);

/* Reports what others have of this node, and what the engine has again: to the person who asks, and in the
 * logFile; to the log if no person asks. */
__attribute__((format(printf, 2, 3))) void claim_report(const struct node *node, const char *line, ...);

/* Lists all claims, or those of the node called name, for people. */
json_t *claim_list(struct node *node, const char *name, struct cni_error *err);

/* Releases all blocks of the node called name, and returns a list of them. A block whose claim the node has
 * changed meanwhile is not released: it has "stays": true. If name is this node, releases only the blocks of
 * this network, and fails while an address of them is leased. */
json_t *claim_release(struct node *node, const char *name, struct cni_error *err);

#endif
