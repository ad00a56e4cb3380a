/*
 * Who needs what on the host.
 *
 *	/run/cni/ipvlan/lock
 *	/run/cni/ipvlan/<boot>-<namespace>/attachments/<container>:<interface>
 *	/run/cni/ipvlan/<boot>-<namespace>/held/<object>/<container>:<interface>
 *
 * An attachment's file lists its objects, one a line. An object's directory lists
 * its holders; with the last of them it goes, which rmdir(2) tells. Everything is
 * written down before it is made, and struck out after it is removed, so that
 * whoever is killed leaves a list of what is still to be done, for DEL or for GC.
 *
 * The host is the network namespace that we run in. What is written about others,
 * and about those of an earlier boot, is not looked at.
 */
#ifndef PLUGIN_LEDGER_H
#define PLUGIN_LEDGER_H

#include <limits.h>

#include "cni/attachment.h"
#include "cni/error.h"
#include "cni/plugin.h"
#include "net/netns.h"
#include "net/rtnl.h"
#include "plugin/object.h"

struct ledger {
	struct rtnl *host; /* borrowed */
	int lock, dir;
	bool held; /* since it was opened, something; so it is not empty */
	char path[PATH_MAX];
};

/*
 * Between ledger_open() and ledger_close() nobody else changes the host's side.
 * host is a conversation in our own namespace. FOUND_NOT: there is none, and it
 * is not to be created. CNI_IO; CNI_RETRY after waiting for a minute.
 */
enum found ledger_open(struct ledger *ret, struct rtnl *host, bool create, struct cni_error *err);
void ledger_close(struct ledger *ledger);

/* Writes down that the attachment holds the object, and makes it. */
int ledger_hold(struct ledger *ledger, const struct request *req, const struct object *object,
		struct cni_error *err);

/* Removes what nobody but the attachment holds. One that is not known is released. */
int ledger_release(struct ledger *ledger, const struct request *req, struct cni_error *err);

/* The same for all attachments of req's network that are not valid. */
int ledger_collect(struct ledger *ledger, const struct request *req, const struct valid *valid,
		   struct cni_error *err);

/* An attachment as it is written down; borrowed for the call. */
struct page {
	const char *container, *ifname, *network;
	char path[PATH_MAX]; /* of its namespace when it was made, "": unknown */
	struct netns_id netns;
	struct object *objects;
	size_t n_objects;
};

/* Calls each() for all attachments; goes on after one that fails, and fails then.
 * CNI_DECODE for those that nobody can read. */
int ledger_each(struct ledger *ledger, int (*each)(const struct page *page, void *arg, struct cni_error *err),
		void *arg, struct cni_error *err);

/* CNI_DAMAGED when an object that the attachment holds is not there. */
int ledger_verify(struct ledger *ledger, const struct request *req, struct cni_error *err);

#endif
