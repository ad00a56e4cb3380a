/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Releases an attachment, for DEL, for GC, for an ADD that fails, and for an ADD that finds remains
 * of an earlier one.
 *
 *	release_begin()		its page is locked: no other call adds, or releases, it meanwhile
 *	...			the pod's interface, the IPAM plugin
 *	release_host()		its objects on the host, and the page
 *	release_end()
 *
 * An attachment is a container, an interface, and the network namespace in which it was made, which
 * its page names.
 */
#ifndef PLUGIN_RELEASE_H
#define PLUGIN_RELEASE_H

#include "net/alive.h"
#include "plugin/ledger.h"

struct release {
	struct view view;
	struct ledger ledger;
	struct page page; /* if there is none, one without objects that reserves the name */
	int lock;
	bool removed; /* the page: another call may have made one of that name since */
};

/*
 * FOUND_NOT: there is no such attachment, but its name is locked. While another call releases it,
 * this waits with wait, for a minute at most (CNI_RETRY); without wait it returns FOUND_FAILED with
 * an empty err. network is that of an unknown attachment. Errors: CNI_DECODE.
 */
enum found release_begin(struct release *ret, struct rtnl *host, const struct attachment *who,
			 const char *network, bool wait, struct cni_error *err);

/* Removes the objects that no other attachment holds, and the page. An object that cannot be
 * removed stays in the page. */
int release_host(struct release *release, struct cni_error *err);

/* After FOUND and FOUND_NOT. */
void release_end(struct release *release);

/*
 * Releases the host's side of an attachment if its network namespace does not exist. FOUND_NOT: it
 * exists, or there is no such attachment, or another call releases it.
 */
enum found release_gone(struct rtnl *host, struct alive *alive, const struct attachment *who,
			struct cni_error *err);

/* The same for an attachment that holds an object in the place of ours, or if its namespace has no interface
 * of ours: a DEL was killed. Waits for another call that releases it, for a minute at most. If it was
 * released, returns 0 and clears *err; else -1. */
int release_rival(struct rtnl *host, const struct rival *rival, struct cni_error *err);

/* Would release_rival() release it? For STATUS, which changes nothing. */
bool release_would_end(const struct ledger *ledger, const struct rival *rival);

#endif
