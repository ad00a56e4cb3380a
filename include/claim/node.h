/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of this machine and of its boot.
 */
#ifndef CLAIM_NODE_H
#define CLAIM_NODE_H

#include "claim/engine.h"

/* Fills node, network, machine, boot, owned, since and seen of a claim. CNI_IO: no boot id. */
int node_describe(struct claim *ret, const struct cluster *cluster, struct cni_error *err);

/* Do two claims have the same machine, or boot? was: the value in the engine, which an older program may have
 * written. */
bool node_is_same_machine(const char *was, const char *is);
bool node_is_same_boot(const char *was, const char *is);

/* Was this store on this machine in this boot? Then it is this node, although the name differs: the host name
 * has changed while pods run. After a restart a copy of the disk, in another container of the machine, would
 * look the same. */
bool node_was_renamed(const struct claim *self, const char *incarnation, const char *machine,
		      const char *boot);

#endif
