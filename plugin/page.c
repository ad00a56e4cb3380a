/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "cni/json.h"
#include "plugin/ledger_files.h"

#define PAGE_MAX (1 << 20) /* bytes */
#define FORMAT 2
#define FILE_MODE 0600

static struct below page_path(const struct attachment *who)
{
	struct below path;

	snprintf(path.s, sizeof(path.s), "pages/%s", page_file(who).s);
	return path;
}

static struct below page_path_of_claim(const struct netns_id *netns, const char *ifname)
{
	struct below path;

	snprintf(path.s, sizeof(path.s), "claims/%llu:%s", (unsigned long long)netns->inode, ifname);
	return path;
}

struct attachment page_who(const struct page *page)
{
	return (struct attachment){ page->container, page->ifname };
}

int page_begin(struct page *ret, const struct request *req, const struct netns_id *netns,
	       struct cni_error *err)
{
	struct timespec now = { .tv_sec = 0 };
	uint64_t random;

	clock_gettime(CLOCK_BOOTTIME, &now);
	*ret = (struct page){
		.container = req->container,
		.ifname = req->ifname,
		.network = req->name,
		.path = req->netns,
		.netns = *netns,
		.workload = workload_read(req->args),
		.made_at = now.tv_sec,
	};
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return cni_fail(err, CNI_IO, "getrandom: %s", errno_text(errno));
	snprintf(ret->id.s, sizeof(ret->id.s), "%016llx", (unsigned long long)random);
	return 0;
}

void page_free(struct page *page)
{
	free(page->objects);
	json_decref(page->learned);
	json_decref(page->doc);
	*page = (struct page){ .n_objects = 0 };
}

int page_append(struct page *page, const struct object *object, struct cni_error *err)
{
	struct object *bigger = realloc(page->objects, (page->n_objects + 1) * sizeof(*bigger));

	if (!bigger)
		return cni_fail(err, CNI_RETRY, "out of memory");
	bigger[page->n_objects++] = *object;
	page->objects = bigger;
	return 0;
}

static const char *page_text_of(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));

	return text ? text : "";
}

static uint64_t page_number_of(const json_t *doc, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(doc, key));
}

static int page_read_entries(struct page *page, const json_t *entries, struct cni_error *err)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry) {
		struct object object;

		if (!object_read(&object, entry))
			page->n_unknown++;
		else if (page_append(page, &object, err) < 0)
			return -1;
	}
	return 0;
}

static int page_read_fields(struct page *page, struct cni_error *err)
{
	json_t *doc = page->doc, *netns = json_object_get(doc, "netns"), *pod = json_object_get(doc, "pod");
	char ifname[IFNAMSIZ];

	page->container = page_text_of(doc, "container");
	if (json_bytes_read(json_object_get(doc, "ifname"), ifname, sizeof(ifname)))
		json_object_set_new(doc, "ifname", json_string_nocheck(ifname));
	page->ifname = page_text_of(doc, "ifname");
	page->network = page_text_of(doc, "network");
	page->path = page_text_of(netns, "path");
	page->netns.inode = page_number_of(netns, "inode");
	page->netns.cookie = page_number_of(netns, "cookie");
	page->learned = json_incref(json_object_get(doc, "learned"));
	snprintf(page->workload.namespace, sizeof(page->workload.namespace), "%s",
		 page_text_of(pod, "namespace"));
	snprintf(page->workload.name, sizeof(page->workload.name), "%s", page_text_of(pod, "name"));
	page->made_at = json_integer_value(json_object_get(doc, "madeAt"));
	snprintf(page->id.s, sizeof(page->id.s), "%s", page_text_of(doc, "id"));
	return page_read_entries(page, json_object_get(doc, "objects"), err);
}

static enum found page_text_of_file(char **ret, int fd, const char *path, struct cni_error *err)
{
	struct stat st = { .st_size = 0 };
	ssize_t len = -1;

	*ret = NULL;
	if (fd < 0 && errno == ENOENT)
		return FOUND_NOT;
	if ((fd < 0 && (errno == ELOOP || errno == ENXIO)) ||
	    (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)))
		return cni_fail(err, CNI_DECODE, "%s is not a regular file", path);
	if (fd >= 0) {
		size_t size = st.st_size < PAGE_MAX ? (size_t)st.st_size : PAGE_MAX;

		*ret = malloc(size + 1);
		len = *ret ? pread(fd, *ret, size, 0) : -1;
	}
	if (len < 0)
		return ledger_broken("read", path, err);
	(*ret)[len] = '\0';
	return FOUND;
}

enum found file_text(char **ret, int dir, const char *path, struct cni_error *err)
{
	autoclose int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return page_text_of_file(ret, fd, path, err);
}

static int page_report_unreadable(const struct ledger *ledger, const char *path, const char *why,
				  struct cni_error *err)
{
	cni_fail(err, CNI_DECODE, "%s/%s was not written by this version of the plugin: %s", ledger->path,
		 path, why);
	return cni_hint(
		err,
		"the file, and its objects on the host, were not changed; if it is of no use, remove it");
}

static enum found page_read_text(struct page *ret, const struct ledger *ledger, const char *path,
				 const char *text, struct cni_error *err)
{
	struct cni_error why = { 0 };

	ret->doc = text ? json_read(text, strlen(text), &why) : NULL;
	if (!ret->doc)
		return page_report_unreadable(ledger, path, why.msg, err);
	if (page_number_of(ret->doc, "format") != FORMAT)
		return page_report_unreadable(ledger, path, "it has another format", err);
	return page_read_fields(ret, err) < 0 ? FOUND_FAILED : FOUND;
}

/* Reads the page of that name, by a descriptor, or by its path if fd is -1. */
static enum found page_read_by_name(struct page *ret, const struct ledger *ledger, const char *name, int fd,
				    struct cni_error *err)
{
	autofree char *text = NULL;
	struct below path;
	struct attachment who;
	enum found found;

	*ret = (struct page){ .n_objects = 0 };
	snprintf(path.s, sizeof(path.s), "pages/%s", name);
	found = fd < 0 ? file_text(&text, ledger->dir, path.s, err)
		       : page_text_of_file(&text, fd, path.s, err);
	if (found == FOUND)
		found = page_read_text(ret, ledger, path.s, text, err);
	if (found == FOUND) {
		who = page_who(ret);
		if (strcmp(page_file(&who).s, name) != 0)
			found = page_report_unreadable(ledger, path.s, "it is of another attachment", err);
	}
	if (found != FOUND)
		page_free(ret);
	return found;
}

bool page_exists(const struct ledger *ledger, const char *name)
{
	struct below path;

	snprintf(path.s, sizeof(path.s), "pages/%s", name);
	return faccessat(ledger->dir, path.s, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

enum found page_read_file(struct page *ret, const struct ledger *ledger, const char *name,
			  struct cni_error *err)
{
	return page_read_by_name(ret, ledger, name, -1, err);
}

enum found page_read_locked(struct page *ret, const struct ledger *ledger, const struct attachment *who,
			    int lock, struct cni_error *err)
{
	return page_read_by_name(ret, ledger, page_file(who).s, lock, err);
}

enum found page_read(struct page *ret, const struct ledger *ledger, const struct attachment *who,
		     struct cni_error *err)
{
	*ret = (struct page){ .n_objects = 0 };
	return ledger->dir < 0 ? FOUND_NOT : page_read_file(ret, ledger, page_file(who).s, err);
}

/* The text of the first entry that this version does not know. */
static char *page_unknown_entry(const struct page *page)
{
	const json_t *entry;
	struct object object;
	size_t i;

	json_array_foreach(json_object_get(page->doc, "objects"), i, entry)
		if (!object_read(&object, entry))
			return json_dumps(entry, JSON_COMPACT | JSON_ENCODE_ANY);
	return NULL;
}

int page_check_known(const struct ledger *ledger, const struct page *page, struct cni_error *err)
{
	const struct attachment who = page_who(page);
	autofree char *entry = page->n_unknown ? page_unknown_entry(page) : NULL;

	if (!page->n_unknown)
		return 0;
	cni_fail(err, CNI_DECODE, "%s/%s has entries that this version of the plugin does not know: %.200s",
		 ledger->path, page_path(&who).s, entry ? entry : "?");
	return cni_hint(err, "only the version that has written them can remove their objects");
}

static int page_visit(const struct ledger *ledger, const char *name,
		      int (*each)(const struct page *page, void *arg, struct cni_error *err), void *arg,
		      struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct page page;
	enum found found = page_read_file(&page, ledger, name, &why);
	int rc;

	if (found == FOUND_FAILED && why.code != CNI_DECODE)
		return cni_fail_as(err, &why);
	if (found == FOUND)
		page_check_known(ledger, &page, &why);
	if (*why.msg)
		cni_log("%s", why.msg);
	if (found != FOUND)
		return 0;
	rc = each(&page, arg, err);
	page_free(&page);
	return rc;
}

struct walk {
	const struct ledger *ledger;
	int (*each)(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err);
	void *arg;
	struct cni_error *err;
	int rc;
};

static bool page_walk_step(int dir, const char *name, void *arg)
{
	struct walk *walk = arg;

	(void)dir;
	walk->rc = walk->each(walk->ledger, name, walk->arg, walk->err);
	return walk->rc == 0;
}

int each_file(const struct ledger *ledger, const char *directory,
	      int (*each)(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err),
	      void *arg, struct cni_error *err)
{
	struct walk walk = { ledger, each, arg, err, 0 };

	if (file_each(ledger->dir, directory, page_walk_step, &walk) < 0 && errno != ENOENT &&
	    errno != ENOTDIR)
		return ledger_broken("read", directory, err);
	return walk.rc;
}

struct visitor {
	int (*each)(const struct page *page, void *arg, struct cni_error *err);
	void *arg;
};

static int page_visit_name(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err)
{
	const struct visitor *visitor = arg;

	return page_visit(ledger, name, visitor->each, visitor->arg, err);
}

int pages_each(const struct ledger *ledger,
	       int (*each)(const struct page *page, void *arg, struct cni_error *err), void *arg,
	       struct cni_error *err)
{
	struct visitor visitor = { each, arg };

	return each_file(ledger, "pages", page_visit_name, &visitor, err);
}

/* Returns false if the call that had locked the page has removed or replaced it. */
static bool page_has_name(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

enum found page_lock(int *ret, const struct ledger *ledger, const struct attachment *who, bool wait,
		     struct cni_error *err)
{
	const struct below path = page_path(who);

	for (;;) {
		autoclose int fd = -1;

		if (ledger->dir < 0)
			return FOUND_NOT;
		fd = openat(ledger->dir, path.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return errno == ENOENT ? FOUND_NOT : ledger_broken("open", path.s, err);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK)
				return ledger_broken("flock", path.s, err);
			if (!wait || ledger_wait(fd, path.s, err) < 0)
				return FOUND_FAILED;
		}
		if (!page_has_name(fd))
			continue;
		*ret = take_fd(&fd);
		return FOUND;
	}
}

enum found page_of_interface(struct page *ret, const struct ledger *ledger, const struct attachment *but,
			     const struct netns_id *netns, const char *ifname, struct cni_error *err)
{
	char name[NAME_MAX + 1];
	ssize_t len = ledger->dir < 0
			      ? -1
			      : readlinkat(ledger->dir, page_path_of_claim(netns, ifname).s, name, NAME_MAX);
	enum found found;

	if (ledger->dir < 0 || (len < 0 && errno == ENOENT))
		return FOUND_NOT;
	if (len < 0)
		return ledger_broken("read", page_path_of_claim(netns, ifname).s, err);
	name[len] = '\0';
	if (!strcmp(name, page_file(but).s))
		return FOUND_NOT;
	found = page_read_file(ret, ledger, name, err);
	if (found != FOUND || netns_is(&ret->netns, netns))
		return found;
	page_free(ret); /* the claim is of an earlier namespace with this inode */
	return FOUND_NOT;
}

static json_t *page_json(const struct page *page)
{
	json_t *netns = json_pack("{s:o, s:I, s:I}", "path", json_text(page->path), "inode",
				  (json_int_t)page->netns.inode, "cookie", (json_int_t)page->netns.cookie);
	json_t *objects = json_array(), *doc;
	const json_t *entry;
	struct object unknown;
	size_t k;

	for (size_t i = 0; i < page->n_objects; i++)
		json_array_append_new(objects, object_json(&page->objects[i]));
	json_array_foreach(json_object_get(page->doc, "objects"), k, entry)
		if (!object_read(&unknown, entry))
			json_array_append_new(objects, json_deep_copy(entry));
	doc = json_pack("{s:i, s:s, s:s, s:o, s:s, s:o, s:o}", "format", FORMAT, "id", page->id.s,
			"container", page->container, "ifname", json_bytes(page->ifname), "network",
			page->network, "netns", netns, "objects", objects);
	if (page->made_at)
		json_object_set_new(doc, "madeAt", json_integer(page->made_at));
	if (page->learned)
		json_object_set(doc, "learned", page->learned);
	if (*page->workload.name)
		json_object_set_new(doc, "pod",
				    json_pack("{s:o, s:o}", "namespace", json_text(page->workload.namespace),
					      "name", json_text(page->workload.name)));
	if (page->doc)
		json_object_update_missing(doc, page->doc);
	return doc;
}

/* Does the claim name this page? Keeps errno. */
static bool page_is_claimed(const struct ledger *ledger, const struct below *path,
			    const struct file_name *name)
{
	const int error = errno;
	char other[sizeof(name->s) + 1];
	const ssize_t len = readlinkat(ledger->dir, path->s, other, sizeof(other));

	errno = error;
	return len == (ssize_t)strlen(name->s) && !memcmp(other, name->s, (size_t)len);
}

/* EEXIST: our own claim, which a reader without the lock must find at any time, or that of another attachment
 * whose interface is deleted. */
int page_claim(const struct ledger *ledger, const struct page *page, struct cni_error *err)
{
	const struct attachment who = page_who(page);
	const struct below path = page_path_of_claim(&page->netns, page->ifname);
	const struct file_name name = page_file(&who);

	if (!page->netns.inode || symlinkat(name.s, ledger->dir, path.s) == 0)
		return 0;
	if (errno == EEXIST && page_is_claimed(ledger, &path, &name))
		return 0;
	if (errno == EEXIST && (unlinkat(ledger->dir, path.s, 0) == 0 || errno == ENOENT) &&
	    symlinkat(name.s, ledger->dir, path.s) == 0)
		return 0;
	return ledger_broken("write", path.s, err);
}

/* Replaces the whole file, or does not change it. */
static int page_replace(const struct ledger *ledger, const char *path, const char *text, int *lock,
			struct cni_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	autoclose int fd = openat(ledger->dir, "new", flags, FILE_MODE);
	ssize_t len = (ssize_t)strlen(text);

	if (fd >= 0 && (!lock || flock(fd, LOCK_EX | LOCK_NB) == 0) && write(fd, text, (size_t)len) == len &&
	    renameat(ledger->dir, "new", ledger->dir, path) == 0) {
		if (lock)
			*lock = take_fd(&fd);
		return 0;
	}
	ledger_broken("write", path, err);
	unlinkat(ledger->dir, "new", 0);
	return -1;
}

int page_remove_unfinished(struct ledger *ledger, struct cni_error *err)
{
	int rc = 0;

	if (faccessat(ledger->dir, "new", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (ledger_lock_open(ledger, err) < 0)
		return -1;
	if (unlinkat(ledger->dir, "new", 0) < 0 && errno != ENOENT)
		rc = ledger_broken("unlink", "new", err);
	ledger_unlock(ledger);
	return rc;
}

int page_write(const struct ledger *ledger, const struct page *page, int *lock, struct cni_error *err)
{
	const struct attachment who = page_who(page);
	json_auto_t *doc = page_json(page);
	autofree char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	if (!text)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (strlen(text) >= PAGE_MAX)
		return cni_fail(err, CNI_CONFIG, "an attachment with too many objects on the host");
	return page_replace(ledger, page_path(&who).s, text, lock, err);
}

/* Removes the claim, unless it names another attachment. */
int page_disclaim(const struct ledger *ledger, const struct page *page, struct cni_error *err)
{
	const struct attachment who = page_who(page);
	const struct below path = page_path_of_claim(&page->netns, page->ifname);
	char name[NAME_MAX + 1];
	ssize_t len = page->netns.inode ? readlinkat(ledger->dir, path.s, name, NAME_MAX) : 0;

	if (len < 0 && errno != ENOENT)
		return ledger_broken("read", path.s, err);
	if (len <= 0)
		return 0;
	name[len] = '\0';
	if (!strcmp(name, page_file(&who).s) && unlinkat(ledger->dir, path.s, 0) < 0 && errno != ENOENT)
		return ledger_broken("unlink", path.s, err);
	return 0;
}

int page_unlink(const struct ledger *ledger, const struct page *page, struct cni_error *err)
{
	const struct attachment who = page_who(page);
	const struct below path = page_path(&who);

	if (page_disclaim(ledger, page, err) < 0)
		return -1;
	if (unlinkat(ledger->dir, path.s, 0) < 0 && errno != ENOENT)
		return ledger_broken("unlink", path.s, err);
	return 0;
}
