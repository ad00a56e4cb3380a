/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pool for many nodes: each node owns blocks of it, and assigns only addresses of its own blocks.
 * A block is a prefix of blockSize addresses. The engine of the cluster records which node owns a block,
 * see claim/engine.h. The node records its own blocks here too, so that it can assign an address without
 * the engine:
 *
 *	<dataDir>/.addrpool/<network>/blocks/10.9.0.16-28 -> "owned 1f2e3d4c.12 <incarnation> <id> <version>"
 *	<dataDir>/<network>/incarnation                   -> "<incarnation>"
 *
 * The incarnation is a random number that is lost with the leases. If it differs from the incarnation in
 * the engine, this store does not know which addresses pods have.
 *
 * A block counts only after the engine has confirmed it in this boot, since other nodes may have got it
 * while the machine was down. Until then the node assigns no address of it. A container that is a node may
 * restart while its machine runs: therefore the start of process 1 is part of the boot.
 *
 * The engine must have counted the node's blocks within the minute before the node assigns an address
 * (claim_confirm()), unless it does not answer or cannot be asked. So a node may assign addresses of a block
 * that it has lost: for a minute, or as long as the engine does not answer.
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

/* "1f2e3d4c.12": this boot, and the start of process 1 in hundredths of a second; "" if unknown. */
struct block_boot {
	char s[32];
};
struct block_boot block_boot(void);

enum block_state {
	BLOCK_CLAIMING, /* the claim may or may not be in the engine; or another node has the block, of which
			 * pods of this node have addresses */
	BLOCK_OWNED,
	BLOCK_RETURNING, /* the claim may still be in the engine; the node assigns no address of it */
};

struct block {
	struct prefix prefix;
	enum block_state state;
	struct block_boot boot;	    /* in which the engine last confirmed it */
	char version[BLOCK_ID_MAX]; /* the claim's version in the engine then; "": an older program wrote this
				     */
	char id[BLOCK_ID_MAX];	    /* the claim's id in the engine */
	bool used, superfluous;	    /* set by blocks_superfluous() */
};

struct blocks {
	struct block *list; /* by address */
	size_t n;
};

/* The block of 1 << bits addresses that contains ip. */
struct prefix block_of(const struct ip *ip, unsigned int bits);

/* Reads the blocks of the present incarnation. blocks_free() in any case. Errors: CNI_IO, CNI_RETRY. */
int blocks_read(struct blocks *ret, const struct store *store, struct cni_error *err);
void blocks_free(struct blocks *blocks);

bool block_counts(const struct block *block); /* owned, and confirmed in this boot */
/* How many blocks that count have addresses of the pool. */
size_t blocks_of_pool(const struct blocks *blocks, const struct pool *pool);

/* The block that contains ip, or NULL. */
const struct block *blocks_find(const struct blocks *blocks, const struct ip *ip);

/*
 * Write and remove the record of a block. Neither syncs the disk, since the engine must confirm all blocks
 * after a power failure anyway. block_put() replaces an existing record in one step. Errors: CNI_IO.
 */
int block_put(const struct store *store, const struct block *block, struct cni_error *err);
int block_drop(const struct store *store, const struct prefix *prefix, struct cni_error *err);

/*
 * Marks the blocks to return: those whose return has begun, and those without a leased or waiting address,
 * except one of each range set. A node without leased or waiting addresses returns all its blocks, and
 * releases the claims that an ADD has begun. Returns their number, or -1. Errors: CNI_IO, CNI_RETRY.
 */
struct spares {
	const struct pool *pools; /* NULL: only the number of range sets is known */
	size_t n;
	long long reuse_delay; /* seconds */
};
int blocks_superfluous(struct blocks *blocks, const struct store *store, const struct spares *spares,
		       struct cni_error *err);

/*
 * Notes of the last event of each kind between this node and the engine: blocks/failed ->
 * "1f2e3d4c <ms> <code> <message>". Notes of an earlier boot do not count.
 */
enum block_event {
	BLOCKS_FAILED,	  /* the engine did not answer a claim, or refused it */
	BLOCKS_KEPT,	  /* the engine did not answer a return of blocks or identities */
	BLOCKS_UNCOUNTED, /* the engine did not answer a count in time, or refused it */
	BLOCKS_REFUSED,	  /* another machine has this node's name */
	BLOCKS_COUNTED,	  /* the engine was asked for this node's blocks, and has them all */
	BLOCKS_SIGNED,	  /* the engine recorded a sign of life of this node */
	BLOCKS_BUSY, /* the engine was too busy for so many claims of this node in turn: the code; the message
		      * is the time in ms until the next one */
};
struct block_note {
	long long at_ms; /* CLOCK_BOOTTIME */
	struct cni_error error;
};
long long block_now_ms(void);
enum found blocks_noted(struct block_note *ret, const struct store *store, enum block_event event);
/* Did the event happen less than ms milliseconds ago? */
bool blocks_noted_within(const struct store *store, enum block_event event, long long ms);
void blocks_note(const struct store *store, enum block_event event, long long at_ms,
		 const struct cni_error *error); /* or NULL */
void blocks_unnote(const struct store *store, enum block_event event);
/* The newest failure if it was less than a minute ago. */
enum found blocks_last_failure(struct block_note *ret, const struct store *store);
/* BLOCKS_FAILED or BLOCKS_KEPT less than a minute ago? A count that failed says less: it has little time. */
bool blocks_failed(const struct store *store);
/* Was the engine asked for this node's blocks less than ms milliseconds ago, whatever it answered? */
bool blocks_asked_within(const struct store *store, long long ms);
bool blocks_must_be_counted(const struct store *store); /* before the node assigns an address */
/* For so long a count is valid. */
#define BLOCKS_COUNTED_MS 60000

/* The same for these ranges, of which no block was found free: blocks/exhausted.<n>, by the number of the
 * range set. */
enum found blocks_noted_exhausted(struct block_note *ret, const struct store *store, const struct pool *pool);
void blocks_note_exhausted(const struct store *store, const struct pool *pool, const struct cni_error *error);

/* blocks/listed.<n>: all blocks were listed, and none was free. Then they are not listed for a minute, after
 * the next time for two, and so on up to eight, until a block is claimed. */
void blocks_note_listed(const struct store *store, const struct pool *pool);
bool blocks_may_be_listed(const struct store *store, const struct pool *pool);
void blocks_unnote_listed(const struct store *store, const struct pool *pool);

/*
 * The boots in which this node called the engine, and those of claims that it took over after it lost its
 * store; the latest that fit into one link: 64, or 50 where process 1 starts years after the machine. Of each
 * it has eight digits of the id and the start of process 1. An engine restored from a backup may show claims
 * of these boots again. A boot that was taken over may be another machine's, if that has our name and
 * hardware number. blocks_keep_boot() ignores a boot that is empty or has a blank.
 */
enum whose_boot { BOOT_UNKNOWN, BOOT_OWN, BOOT_TAKEN_OVER };
enum whose_boot blocks_whose_boot(const struct store *store, const char *boot);
bool blocks_have_boots(const struct store *store); /* false: no call has asked the engine yet */
void blocks_keep_boot(const struct store *store, const char *boot, enum whose_boot whose);

/* The endpoint of the engine that answered last; "": none has answered. */
struct endpoint {
	char s[1024];
};
struct endpoint blocks_endpoint(const struct store *store);
void blocks_set_endpoint(const struct store *store, const char *url);

struct incarnation {
	char s[INCARNATION_LEN + 1];
};
/* *ret is "" unless the incarnation is FOUND. FOUND_FAILED: it may exist, but cannot be read. Errors: CNI_IO.
 */
enum found incarnation_read(struct incarnation *ret, const struct store *store, struct cni_error *err);
/* Reads the incarnation, or makes it if it does not exist. Errors: CNI_IO. */
int incarnation_make(struct incarnation *ret, struct store *store, struct cni_error *err);

#endif
