/*
 * What tells this machine from others, and this boot of it.
 */
#ifndef CLAIM_NODE_H
#define CLAIM_NODE_H

#include "claim/engine.h"

/* Fills node, network, machine, boot and since of a claim. CNI_IO: no boot id. */
int node_describe(struct claim *ret, const struct cluster *cluster, struct cni_error *err);

#endif
