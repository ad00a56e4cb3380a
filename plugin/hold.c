/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "plugin/kinds.h"
#include "plugin/ledger_files.h"

/*
 * objects/<object>/<container>:<interface> -> {"kind":"route",...}
 *
 * Each holder is a symbolic link with the object, so a later ADD need not read the pages of other
 * holders. Other files in these directories hold nothing.
 */
#define DIR_MODE 0700
#define LINK_MAX_LEN 4096

static struct below hold_path_of_object(const struct object *object)
{
	struct below path;

	snprintf(path.s, sizeof(path.s), "objects/%s", object_key(object).s);
	return path;
}

static struct below hold_path_of_holder(const struct object *object, const struct attachment *who)
{
	struct below path;

	snprintf(path.s, sizeof(path.s), "objects/%s/%s", object_key(object).s, page_file(who).s);
	return path;
}

/* A search for a holder other than our own page. */
struct hold_search {
	const struct below *directory;
	struct file_name own, found;
	bool orphans;		 /* holders without a page count */
	char text[LINK_MAX_LEN]; /* of the link that was found */
	ssize_t len;
};

/* Only symbolic links are holders. The page of a holder is written before it and removed after it. An orphan,
 * a holder without a page, releases nothing: an administrator has removed the page. A reader without the lock
 * may find that a holder has just gone (ENOENT). */
static int hold_match(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err)
{
	struct hold_search *search = arg;
	char path[sizeof(*search->directory) + sizeof(search->found) + 1];

	if (!strcmp(name, search->own.s))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", search->directory->s, name);
	search->len = readlinkat(ledger->dir, path, search->text, sizeof(search->text));
	if (search->len < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : ledger_broken("read", path, err);
	if (!search->orphans && !page_exists(ledger, name))
		return 0;
	snprintf(search->found.s, sizeof(search->found.s), "%s", name);
	return 1;
}

/* Finds a holder other than our own page in the directory of an object. */
static enum found hold_search(struct hold_search *ret, const struct ledger *ledger, const struct page *page,
			      const struct below *directory, bool orphans, struct cni_error *err)
{
	const struct attachment who = page_who(page);
	int rc;

	ret->orphans = orphans;
	ret->directory = directory;
	ret->own = page_file(&who);
	rc = each_file(ledger, directory->s, hold_match, ret, err);
	return rc < 0 ? FOUND_FAILED : rc ? FOUND : FOUND_NOT;
}

/* Finds the object that another attachment holds in the directory of an object, and that
 * attachment's file. An object that this version does not know has no kind. */
static enum found hold_find_in(const struct ledger *ledger, const struct page *page,
			       const struct below *directory, struct object *ret, struct file_name *holder,
			       struct cni_error *err)
{
	struct hold_search search;
	json_auto_t *doc = NULL;
	enum found found = hold_search(&search, ledger, page, directory, false, err);

	*ret = (struct object){ .kind = OBJECT_KINDS };
	if (found != FOUND)
		return found;
	doc = json_read(search.text, (size_t)search.len, NULL);
	*holder = search.found;
	if (!object_read(ret, doc))
		*ret = (struct object){ .kind = OBJECT_KINDS, .name = "unknown" };
	return FOUND;
}

/* Finds the object that another attachment holds in the place of object, and that attachment's
 * file. */
static enum found hold_find_other(const struct ledger *ledger, const struct page *page,
				  const struct object *object, struct object *ret, struct file_name *holder,
				  struct cni_error *err)
{
	const struct below directory = hold_path_of_object(object);
	enum found found = hold_find_in(ledger, page, &directory, ret, holder, err);

	if (found == FOUND && ret->kind == OBJECT_KINDS)
		ret->kind = object->kind;
	return found;
}

struct hold_pages {
	int (*each)(const struct page *page, void *arg);
	void *arg;
};

static int hold_page(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err)
{
	const struct hold_pages *pages = arg;
	struct page page;
	int rc;

	(void)err;
	if (page_read_file(&page, ledger, name, NULL) != FOUND)
		return 0;
	rc = pages->each(&page, pages->arg);
	page_free(&page);
	return rc;
}

void hold_each_page(const struct ledger *ledger, const struct object *object,
		    int (*each)(const struct page *page, void *arg), void *arg)
{
	struct hold_pages pages = { each, arg };

	each_file(ledger, hold_path_of_object(object).s, hold_page, &pages, NULL);
}

bool hold_is_held(const struct ledger *ledger, const struct object *object)
{
	const struct page nobody = { .container = "", .ifname = "" };
	const struct below directory = hold_path_of_object(object);
	struct hold_search search;

	return hold_search(&search, ledger, &nobody, &directory, true, NULL) != FOUND_NOT;
}

struct hold_tour {
	bool (*wanted)(const char *key, void *arg);
	int (*each)(const struct object *object, void *arg);
	void *arg;
};

/* Reads the object from one of its holders. Objects that are not wanted may change meanwhile: their holders
 * are not read. */
static int hold_visit(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err)
{
	const struct page nobody = { .container = "", .ifname = "" };
	const struct hold_tour *tour = arg;
	struct file_name holder;
	struct object object;
	struct below directory;
	enum found found;

	if (!tour->wanted(name, tour->arg))
		return 0;
	snprintf(directory.s, sizeof(directory.s), "objects/%s", name);
	found = hold_find_in(ledger, &nobody, &directory, &object, &holder, err);
	if (found == FOUND && object.kind != OBJECT_KINDS)
		return tour->each(&object, tour->arg);
	return found == FOUND_FAILED ? -1 : 0;
}

int hold_each_wanted(const struct ledger *ledger, bool (*wanted)(const char *key, void *arg),
		     int (*each)(const struct object *object, void *arg), void *arg, struct cni_error *err)
{
	struct hold_tour tour = { wanted, each, arg };

	return each_file(ledger, "objects", hold_visit, &tour, err);
}

struct hold_kind {
	enum object_kind kind;
	void (*each)(const struct object *object, void *arg);
	void *arg;
};

static bool hold_is_of_kind(const char *key, void *arg)
{
	const struct hold_kind *of = arg;

	return object_is_key_of(of->kind, key);
}

static int hold_pass_on(const struct object *object, void *arg)
{
	const struct hold_kind *of = arg;

	if (object->kind == of->kind)
		of->each(object, of->arg);
	return 0;
}

int hold_each(const struct ledger *ledger, enum object_kind kind,
	      void (*each)(const struct object *object, void *arg), void *arg, struct cni_error *err)
{
	struct hold_kind of = { kind, each, arg };

	return hold_each_wanted(ledger, hold_is_of_kind, hold_pass_on, &of, err);
}

static int hold_count(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err)
{
	uint64_t *sum = arg;
	struct page page;

	(void)err;
	/* a page that cannot be read does not change */
	if (page_read_file(&page, ledger, name, NULL) == FOUND)
		*sum += strtoull(page.id.s, NULL, 16);
	page_free(&page);
	return 0;
}

uint64_t hold_holders(const struct ledger *ledger, const struct object *object)
{
	uint64_t sum = 0;

	each_file(ledger, hold_path_of_object(object).s, hold_count, &sum, NULL);
	return sum;
}

/* Reads the holder's page for its name: the name of the file may be a hash. */
static int hold_report_rival(const struct ledger *ledger, const struct object *object,
			     const struct object *other, const struct file_name *holder, struct rival *rival,
			     struct cni_error *err)
{
	const struct object_text wanted = object_text(object), held = object_text(other);
	const char *container = holder->s, *ifname = "?", *network = "?";
	struct page page = { .n_objects = 0 };

	if (page_read_file(&page, ledger, holder->s, NULL) == FOUND) {
		container = page.container, ifname = page.ifname, network = page.network;
		snprintf(rival->container, sizeof(rival->container), "%s", container);
		snprintf(rival->ifname, sizeof(rival->ifname), "%s", ifname);
	}
	cni_fail(err, CNI_CONFIG, "the host has \"%s\" already, for container %s, interface %s, network %s",
		 held.s, container, ifname, network);
	cni_hint(err,
		 "the configuration requires \"%s\", and there can be only one of both; use other addresses, "
		 "routes or names, or remove that container first",
		 wanted.s);
	page_free(&page);
	return -1;
}

/* The page's object in this place; NULL: there is none. */
static const struct object *hold_in_page(const struct page *page, const struct object *object)
{
	for (size_t i = 0; i < page->n_objects; i++)
		if (object_same_place(&page->objects[i], object))
			return &page->objects[i];
	return NULL;
}

static int hold_report_conflict(const struct object *own, const struct object *object, struct cni_error *err)
{
	return cni_fail(err, CNI_CONFIG, "the configuration requires both \"%s\" and \"%s\"",
			object_text(own).s, object_text(object).s);
}

/* Does the rival hold something of a link that was deleted? Then the kernel has deleted the rival's object
 * with it. */
static bool hold_is_void(struct view *view, const struct object *rival)
{
	struct link link;

	return rival->dev && link_find_index(view->host, rival->dev, &link, NULL) == FOUND_NOT;
}

/* As hold_find_other(). Removes rivals that are void. */
static enum found hold_find_rival(const struct ledger *ledger, const struct page *page, struct view *view,
				  const struct object *object, struct object *ret, struct file_name *holder,
				  struct cni_error *err)
{
	for (;;) {
		enum found found = hold_find_other(ledger, page, object, ret, holder, err);
		struct below path;

		if (found != FOUND || object_agrees(object, ret) || !hold_is_void(view, ret))
			return found;
		snprintf(path.s, sizeof(path.s), "objects/%s/%s", object_key(object).s, holder->s);
		if (unlinkat(ledger->dir, path.s, 0) < 0)
			return ledger_broken("unlink", path.s, err);
	}
}

/* Adds the object to the page, unless the page has it. */
static int hold_add(const struct ledger *ledger, struct page *page, struct view *view,
		    const struct object *object, struct rival *rival, struct cni_error *err)
{
	const struct object *own = hold_in_page(page, object);
	struct object held = *object, other = *object;
	struct file_name holder;
	enum found found;

	if (own)
		return object_agrees(own, object) ? 0 : hold_report_conflict(own, object, err);
	found = object_plain(object) ? FOUND_NOT
				     : hold_find_rival(ledger, page, view, object, &other, &holder, err);
	if (found == FOUND && !object_agrees(object, &other))
		return hold_report_rival(ledger, object, &other, &holder, rival, err);
	if (found == FOUND_NOT && object_anonymous(object)) {
		found = object_find(view, object, err);
		held.before = found == FOUND;
		held.all = sysctl_read_all(object);
	} else if (found == FOUND) {
		held.before = other.before;
		held.all = other.all;
	}
	return found == FOUND_FAILED ? -1 : page_append(page, &held, err);
}

int object_check_rivals(const struct ledger *ledger, struct view *view, const struct object *object,
			struct rival *rival, struct cni_error *err)
{
	const struct page own = { .container = "", .ifname = "" };
	struct file_name holder;
	struct object other;

	*rival = (struct rival){ .ifname = "" };
	if (hold_find_other(ledger, &own, object, &other, &holder, NULL) != FOUND ||
	    object_agrees(object, &other) || hold_is_void(view, &other))
		return 0;
	return hold_report_rival(ledger, object, &other, &holder, rival, err);
}

int hold_write(const struct ledger *ledger, const struct page *page, const struct object *object,
	       struct cni_error *err)
{
	const struct attachment who = page_who(page);
	const struct below directory = hold_path_of_object(object),
			   holder = hold_path_of_holder(object, &who);
	struct object brief = *object;
	json_auto_t *doc = NULL;
	autofree char *text = NULL;

	brief.dns = brief.rules = NULL; /* their size has no limit */
	doc = object_json(&brief);
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	if (!text)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if ((mkdirat(ledger->dir, directory.s, DIR_MODE) < 0 && errno != EEXIST) ||
	    (symlinkat(text, ledger->dir, holder.s) < 0 && errno != EEXIST))
		return ledger_broken("write", holder.s, err);
	return 0;
}

int page_hold(const struct ledger *ledger, struct page *page, struct view *view, const struct object *objects,
	      size_t n, int *lock, struct rival *rival, struct cni_error *err)
{
	const size_t before = page->n_objects;

	*rival = (struct rival){ .ifname = "" };
	for (size_t i = 0; i < n; i++)
		if (hold_add(ledger, page, view, &objects[i], rival, err) < 0) {
			page->n_objects = before; /* a repetition writes the holders of all */
			return -1;
		}
	page->written = true;
	if (page_write(ledger, page, lock, err) < 0 || page_claim(ledger, page, err) < 0)
		return -1;
	for (size_t i = before; i < page->n_objects; i++)
		if (hold_write(ledger, page, &page->objects[i], err) < 0)
			return -1;
	return 0;
}

int page_make(const struct page *page, struct view *view, size_t first, struct cni_error *err)
{
	for (size_t i = first; i < page->n_objects; i++)
		if (!object_by_program(&page->objects[i]) && object_make(view, &page->objects[i], err) < 0)
			return -1;
	return 0;
}

/* FOUND: no other attachment holds the object. */
static enum found hold_is_last(const struct ledger *ledger, const struct page *page,
			       const struct object *object, struct cni_error *err)
{
	const struct below directory = hold_path_of_object(object);
	struct hold_search search;
	enum found found = hold_search(&search, ledger, page, &directory, false, err);

	return found == FOUND ? FOUND_NOT : found == FOUND_NOT ? FOUND : FOUND_FAILED;
}

/*
 * FOUND: we must remove the object, since we were the last holder. If the directory does not exist,
 * a call was killed after it had removed the directory, and before it had removed the object.
 */
static enum found hold_drop(const struct ledger *ledger, const struct page *page, const struct object *object,
			    struct cni_error *err)
{
	const struct attachment who = page_who(page);
	const struct below directory = hold_path_of_object(object),
			   holder = hold_path_of_holder(object, &who);

	if (unlinkat(ledger->dir, holder.s, 0) < 0 && errno != ENOENT)
		return ledger_broken("unlink", holder.s, err);
	if (unlinkat(ledger->dir, directory.s, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return FOUND;
	return errno == ENOTEMPTY ? hold_is_last(ledger, page, object, err)
				  : ledger_broken("rmdir", directory.s, err);
}

/* If ADD finds a setting of the host as it requires it, and no holder, it takes it for the administrator's.
 * So such an object's record is deleted after the object was restored; if we were killed between, another ADD
 * still sees the record. The removal of other objects can be repeated. */
static int hold_remove(const struct ledger *ledger, const struct page *page, struct view *view,
		       const struct object *object, struct cni_error *err)
{
	const bool before = object_anonymous(object);
	enum found last =
		before ? hold_is_last(ledger, page, object, err) : hold_drop(ledger, page, object, err);

	if (last == FOUND_FAILED || (last == FOUND && object_remove(view, object, err) < 0))
		return -1;
	return before && hold_drop(ledger, page, object, err) == FOUND_FAILED ? -1 : 0;
}

static bool hold_must_look(const struct ledger *ledger, const struct page *page)
{
	for (size_t i = 0; i < page->n_objects; i++)
		if (object_must_look(&page->objects[i]) &&
		    hold_is_last(ledger, page, &page->objects[i], NULL) != FOUND_NOT)
			return true;
	return false;
}

/* Writes the objects that could not be removed to the page, without a namespace. */
static int hold_keep_rest(const struct ledger *ledger, const struct page *page, struct object *objects,
			  size_t n, struct cni_error *err)
{
	struct page rest = *page;

	rest.objects = objects;
	rest.n_objects = n;
	rest.netns = (struct netns_id){ 0 };
	return page_disclaim(ledger, page, err) < 0 ? -1 : page_write(ledger, &rest, NULL, err);
}

int page_remove(const struct ledger *ledger, const struct page *page, struct view *view, bool by_program,
		struct cni_error *err)
{
	autofree struct object *rest = calloc(page->n_objects + 1, sizeof(*rest));
	size_t n = page->n_objects;

	if (!rest)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (!view->looked && hold_must_look(ledger, page))
		/* cppcheck-suppress memleak */
		return 1;
	for (size_t i = page->n_objects; i-- > 0;) {
		const struct object *object = &page->objects[i];

		if (object_by_program(object) ? !by_program
					      : hold_remove(ledger, page, view, object, err) < 0)
			rest[--n] = *object;
	}
	if (n == page->n_objects && !page->n_unknown)
		return page_unlink(ledger, page, err);
	hold_keep_rest(ledger, page, rest + n, page->n_objects - n, err);
	page_check_known(ledger, page, err);
	return -1;
}

/* Ensures that one program runs at a time. The descriptor stays open in the program: if we are
 * killed, other calls still wait until the program ends. */
static int hold_lock_programs(const struct ledger *ledger, struct cni_error *err)
{
	int fd = openat(ledger->dir, "objects", O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return ledger_broken("open", "objects", err);
	if (ledger_wait(fd, "objects", err) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool hold_has_programs(const struct page *page, size_t first)
{
	for (size_t i = first; i < page->n_objects; i++)
		if (object_by_program(&page->objects[i]))
			return true;
	return false;
}

int page_gone(const struct page *page, struct cni_error *err)
{
	cni_fail(err, CNI_RETRY, "container %s was deleted while its interface \"%s\" was added",
		 page->container, page->ifname);
	return cni_hint(err, "DEL, or GC, ran before ADD had ended");
}

int page_is_ours(const struct ledger *ledger, const struct page *page, struct cni_error *err)
{
	const struct attachment who = page_who(page);
	struct page now;
	enum found found = page_read(&now, ledger, &who, err);
	bool ours = found == FOUND && !strcmp(now.id.s, page->id.s);

	if (found == FOUND)
		page_free(&now);
	return ours ? 0 : page_gone(page, err);
}

/* Opens the ledger, which must exist. */
static int hold_open(struct ledger *ledger, struct rtnl *host, struct cni_error *err)
{
	enum found found = ledger_open(ledger, host, err);

	if (found == FOUND_NOT)
		cni_fail(err, CNI_RETRY, "the ledger was deleted");
	return found == FOUND ? 0 : -1;
}

/* Is the page still a holder of the object? A call that releases the page removes its holders. */
int page_holds(const struct ledger *ledger, const struct page *page, const struct object *object,
	       struct cni_error *err)
{
	const struct attachment who = page_who(page);
	const struct below holder = hold_path_of_holder(object, &who);
	struct stat st;

	if (fstatat(ledger->dir, holder.s, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return errno == ENOENT ? page_gone(page, err) : ledger_broken("stat", holder.s, err);
}

/* Reads the tables again: since they were read another call may have made the objects. */
static bool hold_are_there(const struct page *page, struct view *view, size_t first)
{
	view_forget_tables(view->tables);
	for (size_t i = first; i < page->n_objects; i++)
		if (object_by_program(&page->objects[i]) &&
		    object_find(view, &page->objects[i], NULL) != FOUND)
			return false;
	return true;
}

int page_make_by_program(const struct page *page, struct view *view, size_t first, bool whole,
			 struct cni_error *err)
{
	struct ledger ledger;
	autoclose int programs = -1;
	int rc = 0;

	if (!hold_has_programs(page, first))
		return 0;
	if (hold_open(&ledger, view->host, err) < 0)
		return -1;
	programs = hold_lock_programs(&ledger, err);
	rc = programs < 0 ? -1 : page_is_ours(&ledger, page, err);
	view->ledger = &ledger;
	for (size_t i = first; rc == 0 && i < page->n_objects; i++)
		if (object_by_program(&page->objects[i]))
			rc = page_holds(&ledger, page, &page->objects[i], err);
	if (rc == 0 && whole && hold_are_there(page, view, first))
		rc = 1;
	if (rc == 0)
		rc = nft_make(view, page->objects + first, page->n_objects - first, whole, err);
	view->ledger = NULL;
	ledger_close(&ledger);
	return rc;
}

/* last[i]: no other attachment holds this object of a program. An ADD that holds one from now on waits until
 * we unlock the programs, and then makes it. */
static int hold_find_last(const struct page *page, struct view *view, bool last[], struct cni_error *err)
{
	struct ledger ledger;
	int rc = 0;

	if (ledger_lock(&ledger, view->host, err) < 0)
		return -1;
	for (size_t i = 0; i < page->n_objects; i++) {
		enum found found = FOUND_NOT;

		if (object_by_program(&page->objects[i]))
			found = hold_is_last(&ledger, page, &page->objects[i], err);
		last[i] = found == FOUND;
		if (found == FOUND_FAILED)
			rc = -1;
	}
	ledger_close(&ledger);
	return rc;
}

/* Removes the page as a holder of its objects of programs, the last first: who holds a subject holds its
 * policy. */
static int hold_drop_programs(const struct page *page, struct view *view, struct cni_error *err)
{
	struct ledger ledger;
	int rc = 0;

	if (ledger_lock(&ledger, view->host, err) < 0)
		return -1;
	for (size_t i = page->n_objects; i-- > 0;)
		if (object_by_program(&page->objects[i]) &&
		    hold_drop(&ledger, page, &page->objects[i], err) == FOUND_FAILED)
			rc = -1;
	ledger_close(&ledger);
	return rc;
}

int page_remove_by_program(const struct page *page, struct view *view, struct cni_error *err)
{
	autofree bool *last = NULL;
	struct ledger ledger;
	autoclose int programs = -1;
	int rc = 0;

	if (!hold_has_programs(page, 0))
		return 0;
	last = calloc(page->n_objects, sizeof(*last));
	if (!last)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (hold_open(&ledger, view->host, err) < 0)
		/* cppcheck-suppress memleak */
		return -1;
	programs = hold_lock_programs(&ledger, err);
	rc = programs < 0 ? -1 : hold_find_last(page, view, last, err);
	if (nft_remove(view, page->objects, last, page->n_objects, err) < 0)
		rc = -1;
	/* The records are deleted last: if we are killed before, the next call still finds whose the elements
	 * are. Without nft they are deleted in any case, since other pods must not find a guard. */
	if ((rc == 0 || !nft_program()) && hold_drop_programs(page, view, err) < 0)
		rc = -1;
	ledger_close(&ledger);
	return rc;
}
