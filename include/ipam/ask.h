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
		   const struct store *store, struct cni_error *err);
void cluster_widen(struct conf *narrow);

/* What an ADD failed for, and another block may help. */
struct shortage {
	bool any;
	size_t pool;	  /* its number */
	size_t blocks;	  /* that it had */
	struct ip wanted; /* family 0: any address of it */
};

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
bool cluster_is_untidy(const struct store *store, long long reuse_delay);
void cluster_tidy(const struct request *req);

/* Runs addrpool-claim with argv, config on its standard input: what it answered. */
json_t *cluster_ask(const char *config, size_t len, const char *const *argv, int patience_s,
		    struct cni_error *err);

#endif
