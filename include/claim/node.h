/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells this machine from others, and this boot of it.
 */
#ifndef CLAIM_NODE_H
#define CLAIM_NODE_H

#include "claim/engine.h"

/* Fills node, network, machine, boot and since of a claim. CNI_IO: no boot id. */
int node_describe(struct claim *ret, const struct cluster *cluster, struct cni_error *err);

/* Do two claims say the same of the machine, of its boot? was: as it is in the engine, also of an older
 * program. */
bool node_is_same_machine(const char *was, const char *is);
bool node_is_same_boot(const char *was, const char *is);

#endif
