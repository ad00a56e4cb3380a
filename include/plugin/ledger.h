/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: which attachment requires which object on the host.
 *
 *	/run/cni/ipvlan/ledger.lock
 *	/run/cni/ipvlan/<boot>-<namespace>/pages/<container>:<interface>
 *	/run/cni/ipvlan/<boot>-<namespace>/objects/<object>/<container>:<interface>
 *	/run/cni/ipvlan/<boot>-<namespace>/claims/<inode>:<interface>
 *
 * Each attachment has a page: its name, the id of the ADD that made it, its network namespace, and
 * the objects that it holds on the host. An object's directory lists its holders; the call that
 * removes the last one removes the object. A claim names the
 * attachment to which an interface of a namespace belongs. An object is recorded before it is
 * made, and its record is deleted after it is removed. So a killed call leaves a list for DEL or GC of
 * the work that remains.
 *
 * The host is the network namespace in which we run. Directories of other namespaces, and of an
 * earlier boot, are ignored.
 *
 * There are three locks:
 *
 *	the ledger's, by flock(2) of ledger.lock, while pages and objects change: for moments;
 *	a page's, by flock(2) of the page, while its attachment is released, which includes
 *	the IPAM plugin's DEL. An ADD of the same name waits for it. Also for moments, by a call that
 *	looks whether the pod lives, and by its own ADD: it is locked before the ledger's;
 *	that of surveys (plugin/guard.h), by flock(2) of the ledger's directory, from before a
 *	survey until the ADD has made the anchor. It only saves work.
 *
 * Readers take none, since a page is replaced as a whole. A key of a page that this version does
 * not know belongs to people, or to a later version, and is kept. An unknown entry of "objects" is
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
	int lock, dir; /* -1: not locked; there is no ledger */
	char path[PATH_MAX];
};

/* The id of an ADD, unique to that call. */
struct call_id {
	char s[17]; /* "": a page from before there were ids */
};

/* The content of a page. Strings are borrowed from doc, or from the request of page_begin(). */
struct page {
	struct call_id id;
	const char *container, *ifname, *network;
	const char *path; /* of its namespace at the time of ADD, "": not known */
	struct netns_id netns;
	struct workload workload; /* for people */
	long long made_at;	  /* seconds since boot, 0: not known */
	struct object *objects;	  /* in the order in which they are made */
	size_t n_objects;
	size_t n_unknown; /* entries that this version does not know */
	bool written;	  /* by this ADD, or possibly */
	json_t *learned;  /* from routers: plugin/learn.h; owned, NULL: the pod ignores routers */
	json_t *doc;
};

/*
 * ledger_open() is for readers. FOUND_NOT: there is no ledger. ledger_lock() makes a ledger if
 * there is none, and waits for the lock for a minute at most (CNI_RETRY). host is a connection in
 * our own namespace. ledger_close() undoes both. Errors: CNI_IO.
 */
enum found ledger_open(struct ledger *ret, struct rtnl *host, struct cni_error *err);
int ledger_lock(struct ledger *ret, struct rtnl *host, struct cni_error *err);
/* Locks a ledger that is open. */
int ledger_lock_open(struct ledger *ledger, struct cni_error *err);
/* Locks the surveys, of a ledger that was locked before: a descriptor, which the caller closes, or -1.
 * Waits for a minute at most. */
int ledger_lock_surveys(const struct ledger *ledger);
/* For STATUS: can a page be written? Takes no lock, writes nothing. CNI_IO. */
int ledger_check(struct rtnl *host, struct cni_error *err);
void ledger_unlock(struct ledger *ledger);
void ledger_close(struct ledger *ledger);

/* Makes the page of this ADD in memory. page_free() in any case. */
int page_begin(struct page *ret, const struct request *req, const struct netns_id *netns,
	       struct cni_error *err);
void page_free(struct page *page);
struct attachment page_who(const struct page *page);

/* CNI_DECODE names a file that cannot be read. page_free() after FOUND. */
enum found page_read(struct page *ret, const struct ledger *ledger, const struct attachment *who,
		     struct cni_error *err);

/* The same, with the descriptor of page_lock(). */
enum found page_read_locked(struct page *ret, const struct ledger *ledger, const struct attachment *who,
			    int lock, struct cni_error *err);

/* Is there a file of that name, which page_file() has made? */
bool page_exists(const struct ledger *ledger, const char *name);

/* CNI_DECODE names the file if the page has entries that this version does not know. */
int page_check_known(const struct ledger *ledger, const struct page *page, struct cni_error *err);

/*
 * Calls each() for all pages, until it fails. Logs the name of each file that is not a page, or has
 * entries that this version does not know; it passes the latter to each() too.
 */
int pages_each(const struct ledger *ledger,
	       int (*each)(const struct page *page, void *arg, struct cni_error *err), void *arg,
	       struct cni_error *err);

/*
 * Locks the page of an attachment for its release: *ret is a descriptor, which the caller closes.
 * With wait it waits for a minute at most (CNI_RETRY). Without wait, FOUND_FAILED with an empty err
 * means that another call releases the attachment, or only looks at it. FOUND_NOT: there is no page.
 */
enum found page_lock(int *ret, const struct ledger *ledger, const struct attachment *who, bool wait,
		     struct cni_error *err);

/* The page of the attachment, other than but, to which the interface of the namespace belongs.
 * page_free() after FOUND. */
enum found page_of_interface(struct page *ret, const struct ledger *ledger, const struct attachment *but,
			     const struct netns_id *netns, const char *ifname, struct cni_error *err);

/* An attachment that holds another object in a place that our attachment requires. */
struct rival {
	char container[NAME_MAX + 1], ifname[IFNAMSIZ]; /* "": there is none */
};

/* CNI_CONFIG: an attachment, *rival, holds another object in the place of this one. */
int object_check_rivals(const struct ledger *ledger, struct view *view, const struct object *object,
			struct rival *rival, struct cni_error *err);

/*
 * The functions below require that the ledger is locked.
 */

/* With lock, the page is locked before other calls can find it: *lock is a descriptor, which the
 * caller closes. */
int page_write(const struct ledger *ledger, const struct page *page, int *lock, struct cni_error *err);

/* A number that changes if an attachment begins, or ceases, to hold the object or another one in
 * its place. 0: none holds it. */
uint64_t hold_holders(const struct ledger *ledger, const struct object *object);

/* Calls each() with the pages of the attachments that hold the object, or another one in its place,
 * until it returns other than 0. Omits a page that cannot be read. */
void hold_each_page(const struct ledger *ledger, const struct object *object,
		    int (*each)(const struct page *page, void *arg), void *arg);

/* Does any attachment hold the object, or another one in its place? */
bool hold_is_held(const struct ledger *ledger, const struct object *object);

/* Calls each() for the objects of the kind that attachments hold. */
int hold_each(const struct ledger *ledger, enum object_kind kind,
	      void (*each)(const struct object *object, void *arg), void *arg, struct cni_error *err);

/* Calls each() for held objects whose object_key() is wanted(), until it returns other than 0. */
int hold_each_wanted(const struct ledger *ledger, bool (*wanted)(const char *key, void *arg),
		     int (*each)(const struct object *object, void *arg), void *arg, struct cni_error *err);

/*
 * Adds n objects to the page, writes it as page_write() does, and makes it their holder;
 * page_make() then makes them. If an anonymous object exists and has no holder, others have
 * made it: the record says so (object->before). Removes holders of what a deleted link had. CNI_CONFIG: an
 * attachment, *rival, holds another object in the same place.
 */
int page_hold(const struct ledger *ledger, struct page *page, struct view *view, const struct object *objects,
	      size_t n, int *lock, struct rival *rival, struct cni_error *err);

/* Makes the page's objects from number first on, except those that a program makes. */
int page_make(const struct page *page, struct view *view, size_t first, struct cni_error *err);

/*
 * Removes the objects that only this page holds, in reverse order, and then the page. An object
 * that cannot be removed stays in the page; so do objects of programs, unless by_program: they are
 * removed already. Returns 1 if it requires object_look() first; view->looked is true after that.
 */
int page_remove(const struct ledger *ledger, const struct page *page, struct view *view, bool by_program,
		struct cni_error *err);

/* Removes a page that a killed call has not finished writing. Locks the ledger itself. */
int page_remove_unfinished(struct ledger *ledger, struct cni_error *err);

/* page_is_ours() fails with CNI_RETRY, as page_gone() reports it, if another call has released or
 * replaced the page of this ADD. page_gone() returns -1. */
int page_gone(const struct page *page, struct cni_error *err);
int page_is_ours(const struct ledger *ledger, const struct page *page, struct cni_error *err);
/* The same for one object: the page is no longer its holder. */
int page_holds(const struct ledger *ledger, const struct page *page, const struct object *object,
	       struct cni_error *err);

/*
 * The functions below lock the ledger themselves, but not while a program runs. Another lock
 * ensures that only one program runs at a time.
 */

/* Makes the page's objects that programs make, from number first on; with whole, makes the tables
 * of these objects again from nothing, or returns 1 if no object is missing. CNI_RETRY: another call has
 * released the page meanwhile. */
int page_make_by_program(const struct page *page, struct view *view, size_t first, bool whole,
			 struct cni_error *err);
int page_remove_by_program(const struct page *page, struct view *view, struct cni_error *err);

#endif
