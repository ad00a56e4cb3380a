/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the node's own store says of its blocks. Each function opens the store for a moment.
 */
#ifndef CLAIM_LOCAL_H
#define CLAIM_LOCAL_H

#include "claim/claim.h"

/* "c1 10.9.0.2": the container and its address. */
struct lease_text {
	char container[256];
	struct ip ip;
};

/* Our turn among the processes of this machine; until the process ends. CNI_IO, CNI_RETRY. */
int local_lock(struct node *node, struct cni_error *err);

/* Writes down what has become of a block, and that it is not ours any more. CNI_IO. */
int local_note(const struct node *node, const struct claim *claim, enum block_state state,
	       struct cni_error *err);
int local_forget(const struct node *node, const struct prefix *block, struct cni_error *err);

/* The blocks that we know of, and our incarnation, which is made now if there is none. blocks_free() in any
 * case. CNI_IO. */
int local_read(struct node *node, struct blocks *blocks, struct cni_error *err);

/* Has somebody a lease in the block? CNI_IO. */
enum found local_leases(const struct node *node, const struct prefix *block, struct cni_error *err);

/* Notes that all our blocks among these claims are being returned, in the same moment in which no lease is in
 * them. FOUND_NOT: one is, *lease, and nothing is noted. CNI_IO. */
enum found local_return(const struct node *node, const struct claims *claims, struct lease_text *lease,
			struct cni_error *err);

/* Something happened: see blocks_note(). It is no failure if that cannot be written. */
void local_happened(const struct node *node, enum block_event event, const struct cni_error *error);
void local_over(const struct node *node, enum block_event event);
enum found local_noted(const struct node *node, enum block_event event, struct block_note *ret,
		       struct cni_error *err);

bool local_noted_within(const struct node *node, enum block_event event, long long ms); /* the last ms */

/* Is it a boot of ours, in which we asked the engine, or that of a claim that we took over from a lost store?
 * local_read() keeps the present one. */
bool local_knows_boot(const struct node *node, const char *boot);
void local_keep_boot(const struct node *node, const char *boot);

/* The first endpoint to ask; and which one answered. */
void local_begin_with(const struct node *node);
void local_keep_endpoint(const struct node *node);

#endif
