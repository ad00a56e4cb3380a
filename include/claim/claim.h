/*
 * What a node does about blocks: claims one more, gives back what is too much, tells
 * all of them, and takes them from a node that is gone.
 *
 * Only one process of the machine does so at a time, under a lock of its own: the
 * store is open for moments only, so that addresses are given and taken meanwhile.
 * What is written in the store before and after each question to the engine lets
 * the next process go on wherever this one was killed:
 *
 *	claiming   asks for the block again; it is ours already, or still free, or not
 *	returning  removes the claim again; nothing of the block is given
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
	int lock;
};

/*
 * A block more for pool number n, if there are as many as before still: another
 * process may have claimed one meanwhile. wanted: the block that it lies in; family
 * 0: any. Before that, blocks from before the restart are confirmed. Errors:
 * CNI_RETRY (none is free, no answer), CNI_CONFIG (refused).
 */
int claim_more(struct node *node, size_t n, size_t before, const struct ip *wanted, struct cni_error *err);

/* Could claim_more() find a block? Claims none. The same errors. */
int claim_room(struct node *node, size_t n, struct cni_error *err);

/* Gives back blocks without addresses, but for one of each family. */
int claim_return(struct node *node, struct cni_error *err);

/* All claims, for people; changes nothing. */
json_t *claim_list(struct node *node, struct cni_error *err);

/* Takes all blocks of the node called name; those that it had. Not from ourselves
 * while addresses of them are leased here. */
json_t *claim_release(struct node *node, const char *name, struct cni_error *err);

#endif
