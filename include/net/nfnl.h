/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nf_tables by netlink, in our own namespace: elements of sets and maps, limits and counters. The kernel
 * makes all changes of a batch, or none. Tables, chains and rules are nft's: plugin/nft.h.
 *
 * Messages and attributes: include/uapi/linux/netfilter/nf_tables.h of the kernel; what it does with them:
 * net/netfilter/nf_tables_api.c, nf_tables_newsetelem(), nf_tables_newobj().
 */
#ifndef NET_NFNL_H
#define NET_NFNL_H

#include <stdbool.h>
#include <stddef.h>

#define NFNL_BATCH_MAX 16384

struct nfnl {
	size_t len, last; /* last: where the last change begins; 0: there is none */
	bool full;	  /* a change had no room */
	char buf[NFNL_BATCH_MAX] __attribute__((aligned(8)));
};

void nfnl_begin(struct nfnl *batch);

/* Adds or deletes an element of a set or map of the netdev table. chain: of a verdict map, to jump to;
 * object: of a map of objects, its name; NULL: neither. Adding an element that exists succeeds. */
void nfnl_element(struct nfnl *batch, bool add, const char *table, const char *set, const void *key,
		  size_t len, const char *chain, const char *object);

/* Adds or deletes a limit: it matches what exceeds rate bytes a second, and burst bytes at once. */
void nfnl_limit(struct nfnl *batch, bool add, const char *table, const char *name, unsigned long long rate,
		unsigned long long burst);
void nfnl_counter(struct nfnl *batch, bool add, const char *table, const char *name);

/* Returns 0, or errno, and then nothing is changed: ENOENT if a table, a set, or an element to delete does
 * not exist; EMSGSIZE if the batch is full. */
int nfnl_send(struct nfnl *batch);

#endif
