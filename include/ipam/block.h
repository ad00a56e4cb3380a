/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pool for many machines: each owns blocks of it, and gives addresses of these
 * alone. A block is a prefix of blockSize addresses. Which node owns it is written
 * in the engine that the cluster runs, see claim/engine.h; and here, so that giving
 * an address of a block of our own asks nobody:
 *
 *	<dataDir>/.addrpool/<network>/blocks/10.9.0.16-28 -> "owned 1f2e3d4c.12 <incarnation> <id> <version>"
 *	<dataDir>/<network>/incarnation                   -> "<incarnation>"
 *
 * The incarnation is a random number that is lost with the leases. Whoever has
 * another one than the engine says knows nothing of addresses that pods may have.
 *
 * Blocks count when the engine confirmed them in this boot: while the machine was
 * down, somebody may have given them to others. Until then no address is given.
 * A container that is a node may be restarted while its machine runs: so a boot is told
 * by the start of process 1 as well.
 *
 * The fence: the engine compares our blocks within the minute before an address is given (claim_confirm()),
 * unless it does not answer. So a node may give addresses of a block that was taken from it: for a minute,
 * and as long as the engine does not answer.
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

/* "1f2e3d4c.12": this boot, and the start of process 1, in hundredths of a second; "" if nothing says. */
struct block_boot {
	char s[32];
};
struct block_boot block_boot(void);

enum block_state {
	BLOCK_CLAIMING, /* the engine is being asked: ours, or not */
	BLOCK_OWNED,
	BLOCK_RETURNING, /* ours, or not any more; nothing of it is given */
};

struct block {
	struct prefix prefix;
	enum block_state state;
	struct block_boot boot;	    /* that it was last confirmed in */
	char version[BLOCK_ID_MAX]; /* and this state of it; "": an older program has noted it */
	char id[BLOCK_ID_MAX];	    /* what the engine knows this claim by */
	bool used, superfluous;	    /* see blocks_superfluous() */
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

bool block_counts(const struct block *block); /* owned, and confirmed in this boot */
/* How many count, of those that the pool has addresses in. */
size_t blocks_of_pool(const struct blocks *blocks, const struct pool *pool);

/* The one that ip lies in, or NULL. */
const struct block *blocks_find(const struct blocks *blocks, const struct ip *ip);

/*
 * Neither is synced to disk: after a power failure all blocks have to be confirmed.
 * block_put() changes one that is there in one step. Errors: CNI_IO.
 */
int block_put(const struct store *store, const struct block *block, struct cni_error *err);
int block_drop(const struct store *store, const struct prefix *prefix, struct cni_error *err);

/*
 * Marks the blocks to return: those without an address in use or waiting, but for one of each range set, and
 * those that are being returned already. Without any address in use a node keeps none. How many, or -1.
 */
struct spares {
	const struct pool *pools; /* NULL: which range sets there are is not known, but that there are n */
	size_t n;
	long long reuse_delay; /* seconds */
};
int blocks_superfluous(struct blocks *blocks, const struct store *store, const struct spares *spares,
		       struct cni_error *err);

/*
 * What has happened between this node and the engine, and when: blocks/failed ->
 * "1f2e3d4c <ms> <code> <message>". Notes of an earlier boot do not count.
 */
enum block_event {
	BLOCKS_FAILED,	  /* the engine did not answer, or refused */
	BLOCKS_EXHAUSTED, /* it had no block for us */
	BLOCKS_REFUSED,	  /* it says that somebody else has our name */
	BLOCKS_COUNTED,	  /* it counted our blocks, and they are ours */
	BLOCKS_SIGNED,	  /* it has a sign of life of ours */
};
struct block_note {
	long long at_ms; /* CLOCK_BOOTTIME */
	struct cni_error error;
};
long long block_now_ms(void);
enum found blocks_noted(struct block_note *ret, const struct store *store, enum block_event event);
/* Less than so many ms ago? */
bool blocks_noted_within(const struct store *store, enum block_event event, long long ms);
void blocks_note(const struct store *store, enum block_event event,
		 const struct cni_error *error); /* or NULL */
void blocks_unnote(const struct store *store, enum block_event event);
bool blocks_failed(const struct store *store); /* less than a minute ago */
bool blocks_must_be_counted(const struct store *store);

/*
 * The boots in which this node has asked the engine, and those of claims that it took over from a lost store;
 * the latest 64. An engine that was restored from a backup may show again what was confirmed in one of them.
 * A boot that is empty or has a blank is not kept.
 */
bool blocks_know_boot(const struct store *store, const char *boot);
void blocks_keep_boot(const struct store *store, const char *boot);

/* The endpoint of the engine that answered last; "": none did. */
struct endpoint {
	char s[1024];
};
struct endpoint blocks_endpoint(const struct store *store);
void blocks_set_endpoint(const struct store *store, const char *url);

struct incarnation {
	char s[INCARNATION_LEN + 1];
};
/* "" in *ret unless it is FOUND; that it cannot be read does not mean that there is none.
 * Errors: CNI_IO. */
enum found incarnation_read(struct incarnation *ret, const struct store *store, struct cni_error *err);
/* Makes one if there is none. Errors: CNI_IO. */
int incarnation_make(struct incarnation *ret, struct store *store, struct cni_error *err);

#endif
