/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For people: lists which node owns which block of a shared pool, and releases the blocks of a node that is
 * gone.
 */
#ifndef IPAM_NODES_H
#define IPAM_NODES_H

#include <jansson.h>

#include "ipam/lease.h"
#include "ipam/networks.h"

/* Runs addrpool-claim with argv for the network. Returns its answer, which the caller owns. NULL: err is
 * filled.
 */
json_t *nodes_ask(const struct network *network, const char *const *argv, struct cni_error *err);

/* The list of addrpool-claim, of the blocks of all nodes (node NULL) or of one; the caller owns it. NULL: err
 * is filled. */
json_t *nodes_claims(const struct network *network, const char *node, struct cni_error *err);

/* Adds to the claims the number of leased addresses in each block of this node (only its own node knows that
 * of a block), and "nodes", each with its blocks and last sign of life, the oldest first. */
void nodes_complete(json_t *claims, const struct conf *conf, const struct leases *leases);
void nodes_print(const json_t *claims, const struct conf *conf, const struct leases *leases);

/* printf() that makes control characters visible, since other programs choose the names. */
__attribute__((format(printf, 1, 2))) void nodes_put(const char *format, ...);

/* The width of a column: the larger of width and the length of word. */
int nodes_width(int width, const char *word);

/* addrpool release-node [--yes] NODE FILE; returns main()'s exit status. */
int nodes_release_main(int argc, char **argv, const char *usage);

/*
 * addrpool tidy [--yes] FILE, for ipvlanctl gc: prints as JSON what this node holds of shared pools without
 * need, [{ network, pool, held: ["block 10.9.0.16/28", "identity db/web-0"] }]; with --yes returns it to the
 * engine, and prints what it has returned. With --yes it also has the engine count the node's blocks, if
 * nothing has for an hour. Otherwise it asks no engine. Returns main()'s exit status.
 */
int nodes_tidy_main(int argc, char **argv, const char *usage);

/* addrpool confirm FILE: has the engine count this node's blocks and compare its identities, now. Returns
 * main()'s exit status. */
int nodes_confirm_main(int argc, char **argv, const char *usage);

/* addrpool identities [--json] FILE, reserve IDENTITY ADDRESS[,ADDRESS] FILE, and release-identity [--forget]
 * IDENTITY FILE; return main()'s exit status. */
int nodes_identities_main(int argc, char **argv, const char *usage);
int nodes_reserve_main(int argc, char **argv, const char *usage);
int nodes_release_identity_main(int argc, char **argv, const char *usage);

/* Prints the usage on standard error. Returns main()'s exit status. */
int nodes_misuse(const char *usage);

#endif
