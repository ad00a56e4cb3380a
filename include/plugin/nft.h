/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nft, which makes what pods need in nftables: one script is one transaction, all of it or
 * nothing, and one process, however much is in it.
 *
 * What is in a script is printed by the kinds of objects: plugin/kinds.h.
 */
#ifndef PLUGIN_NFT_H
#define PLUGIN_NFT_H

#include <jansson.h>
#include <stdio.h>

#include "cni/error.h"
#include "plugin/ledger.h"
#include "plugin/view.h"

/* What print() of a kind prints. */
enum nft_step {
	NFT_ADD,    /* the object, in tables that exist */
	NFT_WHOLE,  /* of a table: all of it, with what attachments hold in it */
	NFT_DELETE, /* the object */
};

/* The path of nft; NULL: it is not installed. */
const char *nft_program(void);

/* The same for those who cannot do without it. CNI_CONFIG names the key that requires it. */
int nft_require(const char **ret, const char *key, struct cni_error *err);

/* Would nft and the kernel accept the script? Changes nothing. CNI_CONFIG names the key. */
int nft_check(const char *script, const char *key, struct cni_error *err);

/* Makes those of the n objects that nft makes. A table that somebody has taken away, and with whole any, is
 * made again with all that attachments hold in it: view->ledger says what. */
int nft_make(struct view *view, const struct object *objects, size_t n, bool whole, struct cni_error *err);

/* Removes those that are chosen, in the reverse of their order. */
int nft_remove(struct view *view, const struct object *objects, const bool *chosen, size_t n,
	       struct cni_error *err);

/* Our table, "inet ipvlan_cni", as `nft -j` lists it; an empty object: there is none. It is the
 * view's, and read once. */
int nft_list(struct view *view, const char *table, const json_t **ret, struct cni_error *err);

/* The entry of the list that is of this type and has this name; NULL: there is none. */
const json_t *nft_entry(const json_t *list, const char *type, const char *name);

/* The element of the set with this text, as nft lists it: a string, or an object with what is counted. NULL:
 * there is none. */
const json_t *nft_element(const json_t *list, const char *set, const char *text);

/* Has the set an element of this text? */
bool nft_has_element(const json_t *list, const char *set, const char *text);

#endif
