/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities: names of workloads, each of which keeps its addresses on whichever node it starts.
 *
 * The engine has a record of each identity: its addresses, and its holder, which is one attachment of one
 * node. It has a lock of each address, which names the record and the identity. Calls change both by compare
 * and swap, one at a time, since Kubernetes has no transactions:
 *
 *	~identity/net db/web-0	{"identity": "net db/web-0", "id": "4f1a...", "locked": true,
 *				 "addresses": ["10.9.0.7"], "since": "...",
 *				 "holder": {"node": "a", "container": "c1", ...}}
 *	~address/10.9.0.7	{"identity": "net db/web-0", "id": "4f1a..."}
 *
 * Of a new identity the record comes first, then the locks, and "locked" last: an address of a record that is
 * not locked yet may be another's. A lock is an orphan if its record does not exist, has another id, or does
 * not list the address. The first call that meets an orphan removes it.
 *
 * The holder's node removes the holder. Another call replaces it only if it knows that the holder's
 * attachment has ended. test/model has this as a model.
 *
 * Addresses of identities belong to no node's block. The node "~identities" claims each block in which an
 * identity has an address, so a node with an older configuration cannot claim it.
 */
#ifndef CLAIM_IDENTITY_H
#define CLAIM_IDENTITY_H

#include "claim/claim.h"
#include "ipam/lease.h"

/* The node that claims the blocks of identities. */
#define IDENTITIES "~identities"

/*
 * Has the engine note owner as the holder of the identity called name, in this network, and returns its
 * addresses: {"addresses": [...]}. wants: "0,2=10.9.0.7", the numbers of range sets, with the address that is
 * requested. NULL: CNI_RETRY (held by another attachment, no address, no answer), CNI_CONFIG.
 */
json_t *identity_hold(struct node *node, const struct owner *owner, const char *name, const char *wants,
		      struct cni_error *err);

/*
 * Releases the identities of attachments that are over. all: reads all records of the engine. It then also
 * releases those that only the engine has as this node's, or that this machine held before it lost its files,
 * and holds those again that the engine does not know, because it was restored from a backup. If one cannot
 * be released, goes on with the next one unless the engine does not answer, and fails with the first error.
 */
int identity_return(struct node *node, bool all, struct cni_error *err);

/*
 * For people. identity_list() returns all records. identity_release() removes the holder of a record, whose
 * pod does not run, as the person knows; with forgotten also the record. identity_reserve() adds these
 * addresses, comma-separated, to the record, or makes it, before its workload starts; if it fails, the record
 * is as before.
 */
json_t *identity_list(struct node *node, struct cni_error *err);
json_t *identity_release(struct node *node, const char *name, bool forgotten, struct cni_error *err);
json_t *identity_reserve(struct node *node, const char *name, const char *addresses, struct cni_error *err);

/* May an identity have an address? Removes the locks that belong to no record. */
enum found identity_any(struct node *node, struct cni_error *err);

#endif
