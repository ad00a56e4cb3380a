/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who needs what on the host.
 *
 *	/run/cni/ipvlan/ledger.lock
 *	/run/cni/ipvlan/<boot>-<namespace>/pages/<container>:<interface>
 *	/run/cni/ipvlan/<boot>-<namespace>/objects/<object>/<container>:<interface>
 *	/run/cni/ipvlan/<boot>-<namespace>/claims/<inode>:<interface>
 *
 * Each attachment has a page: who it is, the id of the ADD that made it, its network
 * namespace, and the objects that it holds on the host. An object's directory lists
 * its holders; with the last of them the object goes, which rmdir(2) shows. A claim names
 * the attachment to which an interface of a namespace belongs. Everything is
 * written down before it is made, and struck out after it is removed, so that
 * a call that is killed leaves a list of what is still to be done, for DEL or for GC.
 *
 * The host is the network namespace that we run in. What is written about others,
 * and about those of an earlier boot, is not looked at.
 *
 * Two locks, held for different times:
 *
 *	the ledger's, by flock(2) of ledger.lock, while pages and objects change: for moments;
 *	a page's, by flock(2) of the page, while its attachment is released, which includes
 *	the IPAM plugin's DEL. An ADD of the same name waits for it.
 *
 * Readers take neither: a page is replaced as a whole. A key of a page that a version does not know is for
 * people, or for a later version: it is kept as it is; an unknown entry of "objects" stands for
 * something on the host, and is reported.
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
#include "plugin/workload.h"

struct ledger {
	int lock, dir; /* -1: it is not locked; there is none */
	char path[PATH_MAX];
};

/* The id of an ADD: no other call has it. */
struct call_id {
	char s[17]; /* "": of a page from before there were ids */
};

/* What a page says. Strings are borrowed from doc, or from those who began the page. */
struct page {
	struct call_id id;
	const char *container, *ifname, *network;
	const char *path; /* of its namespace when it was made, "": not known */
	struct netns_id netns;
	struct workload workload; /* for people */
	long long made_at;	  /* seconds since boot, 0: not known */
	struct object *objects;	  /* in the order in which they are made */
	size_t n_objects;
	size_t n_unknown; /* entries that this version does not know */
	bool written;	  /* by this ADD, or perhaps */
	json_t *learned;  /* what came from routers: plugin/learn.h; owned, NULL: nothing */
	json_t *doc;
};

/*
 * ledger_open() is for readers. FOUND_NOT: there is no ledger. ledger_lock() makes one, and
 * waits for a minute at most (CNI_RETRY). host is a conversation in our own namespace.
 * ledger_close() undoes both. CNI_IO.
 */
enum found ledger_open(struct ledger *ret, struct rtnl *host, struct cni_error *err);
int ledger_lock(struct ledger *ret, struct rtnl *host, struct cni_error *err);
/* The same for one that is open. */
int ledger_lock_open(struct ledger *ledger, struct cni_error *err);
/* STATUS: could a page be written? Takes no lock, writes nothing. CNI_IO. */
int ledger_check(struct rtnl *host, struct cni_error *err);
void ledger_unlock(struct ledger *ledger);
void ledger_close(struct ledger *ledger);

/* The page of this ADD, not yet written. page_free() in any case. */
int page_begin(struct page *ret, const struct request *req, const struct netns_id *netns,
	       struct cni_error *err);
void page_free(struct page *page);
struct attachment page_who(const struct page *page);

/* CNI_DECODE names a file that cannot be read. page_free() after FOUND. */
enum found page_read(struct page *ret, const struct ledger *ledger, const struct attachment *who,
		     struct cni_error *err);

/* The same, by the descriptor of page_lock(). */
enum found page_read_locked(struct page *ret, const struct ledger *ledger, const struct attachment *who,
			    int lock, struct cni_error *err);

/* CNI_DECODE names the file when the page has entries that this version does not know. */
int page_check_known(const struct ledger *ledger, const struct page *page, struct cni_error *err);

/*
 * Calls each() for all pages, until it fails. A file that is none, or has entries that
 * this version does not know, is named in the log; the latter is passed to each() as well.
 */
int pages_each(const struct ledger *ledger,
	       int (*each)(const struct page *page, void *arg, struct cni_error *err), void *arg,
	       struct cni_error *err);

/*
 * Locks the page of one who is to be released: a descriptor, which the caller closes. With
 * wait it waits for a minute at most (CNI_RETRY); without, FOUND_FAILED and an empty err say
 * that the attachment is being released. FOUND_NOT: there is no page.
 */
enum found page_lock(int *ret, const struct ledger *ledger, const struct attachment *who, bool wait,
		     struct cni_error *err);

/* The attachment, other than but, to which the interface of the namespace belongs. page_free()
 * after FOUND. */
enum found page_of_interface(struct page *ret, const struct ledger *ledger, const struct attachment *but,
			     const struct netns_id *netns, const char *ifname, struct cni_error *err);

/* Does an attachment that exists hold another object in the place of this one? CNI_CONFIG. */
int object_check_rivals(const struct ledger *ledger, const struct object *object, struct cni_error *err);

/*
 * From here on the ledger must be locked.
 */

/* With lock, the page is locked before it can be found: a descriptor, which the caller closes. */
int page_write(const struct ledger *ledger, const struct page *page, int *lock, struct cni_error *err);

/* A number that stands for the attachments that hold the object, or another one in its
 * place: it changes when one comes or goes. 0: there is none. */
uint64_t hold_holders(const struct ledger *ledger, const struct object *object);

/* Calls each() with the pages of the attachments that hold the object, or another one in
 * its place, until it returns other than 0. A page that cannot be read is passed over. */
void hold_each_page(const struct ledger *ledger, const struct object *object,
		    int (*each)(const struct page *page, void *arg), void *arg);

/* Does any attachment hold the object, or another one in its place? */
bool hold_is_held(const struct ledger *ledger, const struct object *object);

/* Calls each() for the objects of the kind that attachments hold. */
int hold_each(const struct ledger *ledger, enum object_kind kind,
	      void (*each)(const struct object *object, void *arg), void *arg, struct cni_error *err);

/* An attachment that holds another object in a place that ours requires. */
struct rival {
	char container[NAME_MAX + 1], ifname[IFNAMSIZ]; /* "": there is none */
};

/*
 * Adds n objects to the page, writes it as page_write() does, and makes it their holder;
 * page_make() makes them then. An object that somebody else has made, and that nothing shows to be ours, is
 * not added. CNI_CONFIG: an attachment, *rival, holds another object in the same place.
 */
int page_hold(const struct ledger *ledger, struct page *page, struct view *view, const struct object *objects,
	      size_t n, int *lock, struct rival *rival, struct cni_error *err);

/* Makes the page's objects from number first on, but for those that a program makes. */
int page_make(const struct page *page, struct view *view, size_t first, struct cni_error *err);

/*
 * Removes the objects that nobody but the page holds, in the reverse of the order in which
 * they were made, and then the page. What cannot be removed stays in it; so do objects of
 * programs, unless by_program says that they are removed already. Returns 1 when
 * object_look() is required first, which view->looked shows.
 */
int page_remove(const struct ledger *ledger, const struct page *page, struct view *view, bool by_program,
		struct cni_error *err);

/* Removes a page that a call had not written to its end when it was killed. Locks the ledger itself. */
int page_remove_unfinished(struct ledger *ledger, struct cni_error *err);

/* Another call has released the page of this ADD, or replaced it: CNI_RETRY. Returns -1. */
int page_gone(const struct page *page, struct cni_error *err);
int page_is_ours(const struct ledger *ledger, const struct page *page, struct cni_error *err);

/*
 * These lock the ledger themselves, but not while a program runs: a lock of their own sees
 * that one of them runs at a time.
 */

/* Makes the page's objects that programs make, from number first on; with whole, the tables that they are in
 * from the start. CNI_RETRY: the page was released meanwhile. */
int page_make_by_program(const struct page *page, struct view *view, size_t first, bool whole,
			 struct cni_error *err);
int page_remove_by_program(const struct page *page, struct view *view, struct cni_error *err);

#endif
