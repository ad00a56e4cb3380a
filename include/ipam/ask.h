/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims and returns blocks. addrpool itself uses no network: if no block of this node has a free
 * address, or if a block has become superfluous, it runs addrpool-claim with the same configuration,
 * and then reads the blocks again.
 */
#ifndef IPAM_ASK_H
#define IPAM_ASK_H

#include <jansson.h>

#include "cni/plugin.h"
#include "ipam/block.h"
#include "ipam/conf.h"

/* Copies conf, with only the addresses of this node's blocks. Borrows blocks. cluster_widen() after success
 * only. */
int cluster_narrow(struct conf *ret, const struct conf *conf, const struct blocks *blocks,
		   struct cni_error *err);
void cluster_widen(struct conf *narrow);

/* Why ADD found no address. */
struct shortage {
	bool leased;	  /* addresses are leased, perhaps by attachments that are gone */
	bool uncounted;	  /* the engine must first count this node's blocks */
	bool any;	  /* the pool lacks an address, and another block may have one */
	size_t pool;	  /* the pool's index in conf->pools */
	size_t number;	  /* its number in the configuration */
	size_t blocks;	  /* how many blocks of this node it had */
	struct ip wanted; /* family 0: any address of the pool */
};

/*
 * Makes the engine count the blocks of this node. Succeeds also if it does not answer within two seconds, or
 * cannot be asked. Errors: CNI_CONFIG (another machine has the node's name and blocks: an administrator must
 * decide).
 */
int cluster_confirm(const struct request *req, const struct conf *conf, struct cni_error *err);

/*
 * Claims one more block, with an address that the shortage requires. Errors: CNI_RETRY (no block is free, or
 * the engine does not answer), CNI_CONFIG (the engine or addrpool-claim refuses).
 */
int cluster_claim(const struct request *req, const struct cluster *cluster, const struct shortage *shortage,
		  struct cni_error *err);

/*
 * Has the node superfluous blocks, or identities that wait to be returned? cluster_tidy()
 * returns them; the store must be closed. It reports a failure only on stderr, since the addresses
 * are free in any case.
 */
bool cluster_is_untidy(const struct store *store, const struct request *req, const struct place *place);
void cluster_tidy(const struct request *req);

/*
 * The addresses that the engine keeps for the pod's identity, by pool, of those that keep some. The note of
 * ipam/identity.h says then that this attachment holds it. Errors: CNI_RETRY (another attachment holds it, no
 * address is free, no answer), CNI_CONFIG.
 */
int cluster_hold(struct ip *held, const struct request *req, const struct conf *conf, struct cni_error *err);

/* As cluster_tidy(); and the engine lists what it says that this node holds, and releases what is over. */
void cluster_tidy_all(const struct request *req);

/* Finds addrpool-claim beside the running program, or in CNI_PATH. Errors: CNI_CONFIG. */
int cluster_find_program(char *ret, size_t size, struct cni_error *err);

/* Runs addrpool-claim with argv, and with config on its standard input. Returns its answer, or NULL. */
json_t *cluster_ask(const char *config, size_t len, const char *const *argv, int patience_s,
		    struct cni_error *err);

#endif
