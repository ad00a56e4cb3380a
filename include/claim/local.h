/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notes about blocks in the node's store. Each function opens the store for a moment.
 */
#ifndef CLAIM_LOCAL_H
#define CLAIM_LOCAL_H

#include "claim/claim.h"

/* A lease, for messages. */
struct lease_text {
	char container[256];
	struct ip ip;
};

/* Opens the node's store, or makes it. store_close() after success. CNI_IO, CNI_RETRY. */
int local_open(struct store *ret, const struct node *node, struct cni_error *err);

/* Takes the lock for claims of this network, until the process ends, and mends the routes that an earlier
 * call left wrong. CNI_IO, CNI_RETRY. */
int local_lock(struct node *node, struct cni_error *err);

/* Write and remove the note of a block. With blockRoutes, "owned" is noted after the route was made, and the
 * note is removed after the route. CNI_IO, CNI_INTERNAL. */
int local_note(const struct node *node, const struct claim *claim, enum block_state state,
	       struct cni_error *err);
int local_forget(const struct node *node, const struct prefix *block, struct cni_error *err);

/* Reads the noted blocks, and the incarnation into node->self; makes the incarnation if there is none.
 * blocks_free() in any case. CNI_IO. */
int local_read(struct node *node, struct blocks *blocks, struct cni_error *err);

/* FOUND: an address of the pool is in one of the blocks that count, and not leased. CNI_IO, CNI_RETRY. */
enum found local_has_free(const struct node *node, const struct pool *pool, const struct blocks *blocks,
			  struct cni_error *err);

/* FOUND: an address of the block is leased. CNI_IO. */
enum found local_leases(const struct node *node, const struct prefix *block, struct cni_error *err);

/* May a pod that exists have an address of the block? Not one of an earlier boot. Searches the namespaces of
 * the machine. */
enum found local_pods(const struct node *node, const struct prefix *block, struct cni_error *err);

/* Notes all blocks of these claims as returning, if none of their addresses is leased, while it holds the
 * store's lock. FOUND_NOT: *lease is in one of them, and nothing is noted. CNI_IO. */
enum found local_return(const struct node *node, const struct claims *claims, struct lease_text *lease,
			struct cni_error *err);

/* Write, remove and read the note of an event: see blocks_note(). The first three do not fail.
 * local_counted(): BLOCKS_COUNTED, at node->asked_ms; the code is the number of blocks that the engine has.
 */
void local_happened(const struct node *node, enum block_event event, const struct cni_error *error);
void local_counted(const struct node *node, size_t n);
void local_over(const struct node *node, enum block_event event);
enum found local_noted(const struct node *node, enum block_event event, struct block_note *ret,
		       struct cni_error *err);

/* Did the event happen less than ms milliseconds ago? */
bool local_noted_within(const struct node *node, enum block_event event, long long ms);

/* blocks_must_be_counted() */
bool local_must_be_counted(const struct node *node);

/* No block of these ranges was free. */
enum found local_noted_exhausted(const struct node *node, const struct pool *pool, struct block_note *ret,
				 struct cni_error *err);
void local_exhausted(const struct node *node, const struct pool *pool, const struct cni_error *error);

/* blocks_note_listed(), blocks_may_be_listed(), blocks_unnote_listed() */
void local_listed(const struct node *node, const struct pool *pool);
bool local_may_list(const struct node *node, const struct pool *pool);
void local_forget_list(const struct node *node, const struct pool *pool);

/* Has this node called the engine in that boot, or taken over a claim of that boot after its store was lost?
 * local_read() keeps the present boot. */
enum whose_boot local_whose_boot(const struct node *node, const char *boot);
void local_take_over_boot(const struct node *node, const char *boot);

/* Begins with the endpoint that answered last; notes the endpoint that has answered, or if none has, the one
 * to begin with next time. */
void local_begin_with(const struct node *node);
void local_keep_endpoint(const struct node *node);

#endif
