/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Releasing an attachment: what DEL, GC, an ADD that fails, and an ADD that finds a
 * leftover have in common.
 *
 *	release_begin()		its page is locked: no other call adds, or releases, it meanwhile
 *	...			the pod's interface, the IPAM plugin
 *	release_host()		its objects on the host, and the page
 *	release_end()
 *
 * An attachment is a container, an interface, and the network namespace in which it was
 * made: the page says which.
 */
#ifndef PLUGIN_RELEASE_H
#define PLUGIN_RELEASE_H

#include "net/alive.h"
#include "plugin/ledger.h"

struct release {
	struct view view;
	struct ledger ledger;
	struct page page; /* where it is not known, a page without objects that keeps the name */
	int lock;
	bool removed; /* the page: another call may have one of that name by now */
};

/*
 * FOUND_NOT: there is no such attachment; its name is locked nonetheless. With wait it waits
 * for another call that releases it, for a minute (CNI_RETRY); without, that is FOUND_FAILED
 * with an empty err. network is the one that an unknown attachment is of. CNI_DECODE.
 */
enum found release_begin(struct release *ret, struct rtnl *host, const struct attachment *who,
			 const char *network, bool wait, struct cni_error *err);

/* Removes what no other attachment holds, and the page. What fails stays in the page. */
int release_host(struct release *release, struct cni_error *err);

/* After FOUND and FOUND_NOT. */
void release_end(struct release *release);

/*
 * Releases the host's side of an attachment whose network namespace does not exist any
 * more. FOUND_NOT: it does exist, or the attachment has gone, or is being released.
 */
enum found release_gone(struct rtnl *host, struct alive *alive, const struct attachment *who,
			struct cni_error *err);

/* The same for one that holds an object in the place of ours: then 0, and *err is empty again. */
int release_rival(struct rtnl *host, const struct rival *rival, struct cni_error *err);

#endif
