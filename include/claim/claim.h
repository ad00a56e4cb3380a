/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node does about blocks: it claims one more, has them compared, returns those that it does not need,
 * lists all, and takes those of a node that is gone.
 *
 * Only one process of the machine does so at a time, under a lock of its own: the
 * store is open for moments only, so that addresses are given and taken meanwhile.
 * What is written in the store before and after each question to the engine lets
 * the next process go on wherever this one was killed:
 *
 *	claiming   asks for the block again; it is ours already, or still free, or not
 *	returning  removes the claim again; nothing of the block is given
 *
 * test/model has the protocol as a model.
 */
#ifndef CLAIM_CLAIM_H
#define CLAIM_CLAIM_H

#include "claim/engine.h"
#include "cni/plugin.h"
#include "ipam/conf.h"

/* Who we are. */
struct node {
	const struct request *req;
	const struct conf *conf;
	struct engine *engine;
	struct claim self; /* of the next block */
	bool refused; /* somebody else has our name, or we have lost our leases: no address may be given */
	int lock;
};

/*
 * A block more for pool number n, if there are as many as before still: another
 * process may have claimed one meanwhile. wanted: the block that it lies in; family
 * 0: any. Before that the blocks that we have are counted by the engine. Errors:
 * CNI_RETRY (none is free, no answer), CNI_CONFIG (refused).
 */
int claim_more(struct node *node, size_t n, size_t before, const struct ip *wanted, struct cni_error *err);

/* Has the engine count our blocks, unless another process just has, and makes the store agree. Takes
 * two seconds at most. CNI_CONFIG: no address may be given. CNI_RETRY: the engine does not answer, or not to
 * us. */
int claim_confirm(struct node *node, struct cni_error *err);

/* Returns blocks that the node does not need, and identities of attachments that are over; all: see
 * claim/identity.h. */
int claim_return(struct node *node, bool all, struct cni_error *err);

/* What others of this node have heard of the engine, and what we have. there: the pool's block size, 0: none.
 */
enum found claim_was_told(const struct node *node, enum block_event event, long long since,
			  struct cni_error *err);
void claim_keep_success(const struct node *node, bool agreed);
void claim_keep_failure(const struct node *node, const struct cni_error *why);
int claim_check_block_size(const struct node *node, long long there, struct cni_error *err);

/* All claims, for people; changes nothing. */
json_t *claim_list(struct node *node, struct cni_error *err);

/* Takes all blocks of the node called name; those that it had. From ourselves only those of this network, and
 * not while it leases an address of them. */
json_t *claim_release(struct node *node, const char *name, struct cni_error *err);

#endif
