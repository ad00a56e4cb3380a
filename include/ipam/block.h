/*
 * One pool for many machines: each owns blocks of it, and gives addresses of these
 * alone. A block is a prefix of blockSize addresses. Which node owns it is written
 * in the engine that the cluster runs, see claim/engine.h; and here, so that giving
 * an address of a block of our own asks nobody:
 *
 *	<dataDir>/.addrpool/<network>/blocks/10.9.0.16-28 -> "owned 1f2e3d4c <incarnation> <id>"
 *	<dataDir>/<network>/incarnation                   -> "<incarnation>"
 *
 * The incarnation is a random number that is lost with the leases. Whoever has
 * another one than the engine says knows nothing of addresses that pods may have.
 *
 * Blocks count when the engine confirmed them in this boot: while the machine was
 * down, somebody may have given them to others. Until then no address is given.
 */
#ifndef IPAM_BLOCK_H
#define IPAM_BLOCK_H

#include <stdbool.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "ipam/pool.h"
#include "ipam/store.h"

#define INCARNATION_LEN 32
#define BLOCK_ID_MAX 64

enum block_state {
	BLOCK_CLAIMING, /* the engine is being asked: ours, or not */
	BLOCK_OWNED,
	BLOCK_RETURNING, /* ours, or not any more; nothing of it is given */
};

struct block {
	struct prefix prefix;
	enum block_state state;
	struct boot boot;	/* that it was last confirmed in */
	char id[BLOCK_ID_MAX];	/* what the engine knows this claim by */
	bool used, superfluous; /* see blocks_superfluous() */
};

struct blocks {
	struct block *list; /* by address */
	size_t n;
};

/* The block that ip lies in, of 1 << bits addresses. */
struct prefix block_of(const struct ip *ip, unsigned int bits);

/* Those of the present incarnation. blocks_free() in any case. Errors: CNI_IO. */
int blocks_read(struct blocks *ret, const struct store *store, struct cni_error *err);
void blocks_free(struct blocks *blocks);

bool block_counts(const struct block *block, const struct store *store); /* owned, and confirmed */
/* How many count, of those that the pool has addresses in. */
size_t blocks_of_pool(const struct blocks *blocks, const struct store *store, const struct pool *pool);

/* The one that ip lies in, or NULL. */
const struct block *blocks_find(const struct blocks *blocks, const struct ip *ip);

/*
 * Neither is synced to disk: after a power failure all blocks have to be confirmed.
 * block_put() changes one that is there in one step. Errors: CNI_IO.
 */
int block_put(const struct store *store, const struct block *block, struct cni_error *err);
int block_drop(const struct store *store, const struct prefix *prefix, struct cni_error *err);

/* Marks the blocks to give back: those without an address in use or waiting, but for
 * one of each family, and those that are being given back already. How many, or -1. */
int blocks_superfluous(struct blocks *blocks, const struct store *store, long long reuse_delay,
		       struct cni_error *err);

/*
 * The engine's last failure, so that those who waited their turn meanwhile need not
 * wait for the same once more: blocks/failed -> "1f2e3d4c <ms> <code> <message>".
 */
struct block_failure {
	long long at_ms; /* CLOCK_BOOTTIME */
	struct cni_error error;
};
long long block_now_ms(void);
enum found blocks_failure(struct block_failure *ret, const struct store *store);
void blocks_note_failure(const struct store *store, const struct cni_error *error); /* NULL: none any more */
bool blocks_failed(const struct store *store); /* less than a minute ago */

struct incarnation {
	char s[INCARNATION_LEN + 1];
};
/* "" in *ret unless it is FOUND; that it cannot be read does not mean that there is none.
 * Errors: CNI_IO. */
enum found incarnation_read(struct incarnation *ret, const struct store *store, struct cni_error *err);
/* Makes one if there is none. Errors: CNI_IO. */
int incarnation_make(struct incarnation *ret, struct store *store, struct cni_error *err);

#endif
