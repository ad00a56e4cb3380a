/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the objects of pods in nftables. A script is one transaction: all of it takes effect, or nothing.
 *
 * nft executes a script, except one that only adds or deletes elements and named objects of tables that
 * exist: that goes to the kernel in one message (net/nfnl.h). So a pod that is not the first of its master
 * costs no process, and no list of what is there.
 *
 * The kinds of objects print the scripts: plugin/kinds.h.
 */
#ifndef PLUGIN_NFT_H
#define PLUGIN_NFT_H

#include <jansson.h>
#include <stdio.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "net/nfnl.h"
#include "plugin/ledger.h"
#include "plugin/view.h"

/* The script that print() of a kind prints. */
enum nft_step {
	NFT_ADD,    /* add the object to tables that exist */
	NFT_WHOLE,  /* for a table: make all of it, with all objects that attachments hold in it */
	NFT_DELETE, /* delete the object */
};

struct nft_script {
	FILE *out; /* for nft */
	char *text;
	size_t len;
	struct nfnl batch; /* the same for the kernel */
	bool by_kernel;	   /* batch has all of it */
};

/* An element of a set, as text and as the kernel has it. */
struct nft_key {
	struct ip_str text;
	unsigned char bytes[16];
	size_t len;
};
struct nft_key nft_key_ip(const struct ip *ip);
struct nft_key nft_key_bytes(const unsigned char *bytes, size_t n); /* of raw payload; 16 at most */
struct nft_key nft_key_link(int index);

/* Where to print what only nft can execute: the script is its from now on. */
FILE *nft_text(struct nft_script *script);

/* Adds or deletes an element of a set or map of the table, "netdev ...". chain: of a verdict map, to jump to;
 * object: of a map of objects, "limit" or "counter" with that name; NULL: neither. */
void nft_put_element(struct nft_script *script, bool add, const char *table, const char *set,
		     const struct nft_key *key, const char *chain, const char *object);

/* Adds or deletes a limit of rate bytes a second, and a counter. */
void nft_put_limit(struct nft_script *script, bool add, const char *table, const char *name,
		   const struct rate *rate);
void nft_put_counter(struct nft_script *script, bool add, const char *table, const char *name);

/* The path of nft; NULL: it is not installed. */
const char *nft_program(void);

/* CNI_CONFIG names the key that requires nft if it is not installed. */
int nft_require(const char **ret, const char *key, struct cni_error *err);

/* Fails if nft or the kernel would not accept the script. Changes nothing. CNI_CONFIG names the
 * key. */
int nft_check(const char *script, const char *key, struct cni_error *err);

/* Makes those of the n objects that nft makes. If somebody has deleted a table, or with whole, it
 * makes the tables again with all objects that attachments hold in them, by view->ledger. */
int nft_make(struct view *view, const struct object *objects, size_t n, bool whole, struct cni_error *err);

/* Removes the chosen objects, in reverse order. */
int nft_remove(struct view *view, const struct object *objects, const bool *chosen, size_t n,
	       struct cni_error *err);

/* The table as `nft -j` lists it; an empty object: there is none. The view owns the list, and reads
 * it once. */
int nft_list(struct view *view, const char *table, const json_t **ret, struct cni_error *err);

/* The entry of the list with this type and name; NULL: there is none. */
const json_t *nft_entry(const json_t *list, const char *type, const char *name);

/* How many rules are in the chains that has() chooses. */
size_t nft_rules(const json_t *list, bool (*has)(const char *chain, const void *arg), const void *arg);

/* How often a script has the text that begins a rule. */
size_t nft_rules_of_script(const char *script, const char *begin);

/* The element of the set with this text, as nft lists it: a string, or an object with counters. Of a set of
 * concatenations, the element that begins with this text. NULL: there is none. */
const json_t *nft_element(const json_t *list, const char *set, const char *text);

/* The counter "packets" or "bytes" of the element, which may be NULL. */
long long nft_counted(const json_t *element, const char *what);

/* Does the set have an element with this text? */
bool nft_has_element(const json_t *list, const char *set, const char *text);

#endif
