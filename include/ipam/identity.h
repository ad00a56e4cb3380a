/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this node has noted of the identities whose addresses its attachments have. claim/identity.h says what
 * an identity is.
 *
 *	<dataDir>/.addrpool/<network>/identities/<hash>
 *		-> "held <container> <interface> 10.9.0.7,fd00::7 <identity>"
 *
 * ADD makes the note before it asks the engine. If the attachment has a note already, ADD leaves it: the
 * engine may have the attachment as the holder, and the note has the addresses. The note goes after the
 * engine has released the identity. So a call that is killed, or a DEL that does not reach the engine,
 * leaves a note, and a later call completes it. ADD writes leases only while the note says that the
 * identity is held, in the same lock of the store.
 */
#ifndef IPAM_IDENTITY_H
#define IPAM_IDENTITY_H

#include "ipam/lease.h"

#define IDENTITY_MAX 500 /* with the network's name; a note has room for less */

enum identity_state {
	IDENTITY_CLAIMING,  /* the engine is being asked */
	IDENTITY_HELD,	    /* the engine has this attachment as the holder */
	IDENTITY_RETURNING, /* the attachment has ended, or gets no address */
};

struct identity {
	enum identity_state state;
	char container[256], ifname[64];
	char addresses[512]; /* with commas; "-": not known yet */
	char name[IDENTITY_MAX];
};

/* Notes the state, in one step. Errors: CNI_ENVIRONMENT (a name is too long), CNI_IO. */
int identity_put(const struct store *store, const struct owner *owner, enum identity_state state,
		 const char *addresses, const char *name, struct cni_error *err);
enum found identity_of(struct identity *ret, const struct store *store, const struct owner *owner);
void identity_drop(const struct store *store, const struct owner *owner);

/* Is it an identity of the network? Its name is "<network> <identity>"; networks may share a store. */
bool identity_is_of_network(const char *name, const char *network);

/* Marks the note of owner, if there is one: a later call returns the identity. CNI_IO. */
int identity_end(const struct store *store, const struct owner *owner, struct cni_error *err);

/* Calls each() for all notes, until it returns false. */
void identities_each(const struct store *store, bool (*each)(void *arg, const struct identity *identity),
		     void *arg);
bool identities_wait(const struct store *store); /* has a note that mark? */

#endif
