/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting and giving back blocks. addrpool itself talks to nobody: when no block of
 * ours has room, and when one has become superfluous, it runs addrpool-claim, with the
 * same configuration, and looks at the blocks again.
 */
#ifndef IPAM_ASK_H
#define IPAM_ASK_H

#include <jansson.h>

#include "cni/plugin.h"
#include "ipam/block.h"
#include "ipam/conf.h"

/* conf, with the addresses alone that blocks of ours have; blocks are borrowed. cluster_widen()
 * after success only. */
int cluster_narrow(struct conf *ret, const struct conf *conf, const struct blocks *blocks,
		   struct cni_error *err);
void cluster_widen(struct conf *narrow);

/* What an ADD failed for. */
struct shortage {
	bool leased;	  /* perhaps by attachments that are gone */
	bool uncounted;	  /* the engine is to count our blocks before */
	bool any;	  /* another block may help */
	size_t pool;	  /* where it is in conf->pools */
	size_t number;	  /* of it in the configuration */
	size_t blocks;	  /* that it had */
	struct ip wanted; /* family 0: any address of it */
};

/*
 * Has the engine count the blocks of this node, if it answers within two seconds. Errors: CNI_CONFIG (they
 * are not ours any more, and whose they are must be settled by people).
 */
int cluster_confirm(const struct request *req, const struct cluster *cluster, struct cni_error *err);

/*
 * Owns a block more that has what is short of. Errors: CNI_RETRY (none is free, the
 * engine does not answer), CNI_CONFIG (the engine or we refuse).
 */
int cluster_claim(const struct request *req, const struct cluster *cluster, const struct shortage *shortage,
		  struct cni_error *err);

/*
 * Has DEL or GC left blocks that should go back? Not if that failed less than a
 * minute ago. cluster_tidy() does it, when the store is closed again; what goes
 * wrong is told on stderr, for the addresses are free all the same.
 */
bool cluster_is_untidy(const struct store *store, const struct place *place);
void cluster_tidy(const struct request *req);

/* Where addrpool-claim is: beside ourselves, or in CNI_PATH. Errors: CNI_CONFIG. */
int cluster_find_program(char *ret, size_t size, struct cni_error *err);

/* Runs addrpool-claim with argv, config on its standard input: what it answered. */
json_t *cluster_ask(const char *config, size_t len, const char *const *argv, int patience_s,
		    struct cni_error *err);

#endif
