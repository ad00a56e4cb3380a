#include "plugin/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "net/netns.h"

#define ROOT "/run/cni/ipvlan"
#define PATIENCE_S 60
#define PAGE_MAX 65536 /* bytes of an attachment's file */
#define HEAD_CONTAINER "container "
#define HEAD_IFNAME "ifname "
#define HEAD_NETWORK "network "
#define HEAD_NETNS "netns "
#define DIR_MODE 0755
#define FILE_MODE 0644

struct name {
	char s[NAME_MAX + 1];
};

/* below ledger->dir */
struct path {
	char s[sizeof("attachments//") + sizeof(struct object_text) + sizeof(struct name)];
};

/* <container>:<interface>, or, where that is no name for a file, a hash of it. */
static struct name name_of(const struct attachment *who)
{
	struct name name;
	int len = snprintf(name.s, sizeof(name.s), "%s:%s", who->container, who->ifname);

	if (len >= (int)sizeof(name.s) || strchr(name.s, '/'))
		snprintf(name.s, sizeof(name.s), "%016llx",
			 (unsigned long long)attachment_hash(who->container, who->ifname));
	return name;
}

static struct path page_path(const struct attachment *who)
{
	struct path path;

	snprintf(path.s, sizeof(path.s), "attachments/%s", name_of(who).s);
	return path;
}

static struct path object_path(const struct object *object)
{
	struct object_text text = object_text(object);
	struct path path;

	for (char *c = text.s; (c = strchr(c, '/'));)
		*c = '_';
	snprintf(path.s, sizeof(path.s), "held/%s", text.s);
	return path;
}

static struct path holder_path(const struct object *object, const struct attachment *who)
{
	struct path path = object_path(object);
	size_t len = strlen(path.s);

	snprintf(path.s + len, sizeof(path.s) - len, "/%s", name_of(who).s);
	return path;
}

static struct attachment own(const struct request *req)
{
	return (struct attachment){ req->container, req->ifname };
}

static int broken(const char *what, const char *path, struct cni_error *err)
{
	cni_fail(err, CNI_IO, "%s %s: %s", what, path, errno_text(errno));
	return cni_hint(err,
			"in " ROOT " the plugin keeps what it has made on the host, which needs root, and "
			"a /run that is writable and not full");
}

/* Not closed on exec: should we be killed, nft, which does part of the work, is waited
 * for as we would have been. */
static enum found lock(struct ledger *ledger, bool create, struct cni_error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

	ledger->lock = open(ROOT "/lock", create ? flags | O_CREAT : flags, FILE_MODE);
	if (ledger->lock < 0 && errno == ENOENT && !create)
		return FOUND_NOT;
	if (ledger->lock < 0 && errno == ENOENT && file_make_path(ROOT, DIR_MODE) == 0)
		ledger->lock = open(ROOT "/lock", flags | O_CREAT, FILE_MODE);
	if (ledger->lock < 0)
		return broken("open", ROOT "/lock", err);
	if (file_lock(ledger->lock, PATIENCE_S) == 0)
		return FOUND;
	if (errno != EINTR)
		return broken("flock", ROOT "/lock", err);
	cni_fail(err, CNI_RETRY, ROOT "/lock is held by another process for %d s", PATIENCE_S);
	return cni_hint(err, "fuser -v " ROOT "/lock tells by which");
}

static enum found open_dir(struct ledger *ledger, bool create, struct cni_error *err)
{
	const uint64_t number = netns_number(mnl_socket_get_fd(ledger->host->sock));
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	const struct boot boot = file_boot();

	if (!*boot.id || !number)
		return broken("read", *boot.id ? "/proc/self/ns/net" : "/proc/sys/kernel/random/boot_id",
			      err);
	snprintf(ledger->path, sizeof(ledger->path), ROOT "/%s-%llx", boot.id, (unsigned long long)number);
	ledger->dir = file_open(ledger->path, flags);
	if (ledger->dir < 0 && errno == ENOENT && create) {
		if (mkdir(ledger->path, DIR_MODE) < 0 && errno != EEXIST)
			return broken("mkdir", ledger->path, err);
		ledger->dir = file_open(ledger->path, flags);
	}
	if (ledger->dir < 0 && errno == ENOENT && !create)
		return FOUND_NOT;
	if (ledger->dir < 0) {
		broken("open", ledger->path, err);
		rmdir(ledger->path);
		return FOUND_FAILED;
	}
	/* the other order than in ledger_close(), so that the first is not there without the second */
	if (create && faccessat(ledger->dir, "attachments", F_OK, 0) < 0 &&
	    ((mkdirat(ledger->dir, "held", DIR_MODE) < 0 && errno != EEXIST) ||
	     (mkdirat(ledger->dir, "attachments", DIR_MODE) < 0 && errno != EEXIST)))
		return broken("mkdir below", ledger->path, err);
	return FOUND;
}

enum found ledger_open(struct ledger *ret, struct rtnl *host, bool create, struct cni_error *err)
{
	enum found found;

	*ret = (struct ledger){ .host = host, .lock = -1, .dir = -1 };
	found = lock(ret, create, err);
	if (found == FOUND)
		found = open_dir(ret, create, err);
	if (found != FOUND)
		ledger_close(ret);
	return found;
}

static bool remove_below(const struct ledger *ledger, const char *name, int flags)
{
	return unlinkat(ledger->dir, name, flags) == 0 || errno == ENOENT;
}

void ledger_close(struct ledger *ledger)
{
	/* after the last attachment nothing is left but the lock; "new" is of one that was killed */
	if (ledger->dir >= 0 && !ledger->held && remove_below(ledger, "new", 0) &&
	    remove_below(ledger, "attachments", AT_REMOVEDIR) && remove_below(ledger, "held", AT_REMOVEDIR))
		rmdir(ledger->path);
	cleanup_close(&ledger->dir);
	cleanup_close(&ledger->lock);
}

/* The lines of an attachment, which the caller frees, also after a failure. */
static enum found read_page(const struct ledger *ledger, const char *path, char **ret, struct cni_error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	autoclose int fd = openat(ledger->dir, path, flags);
	struct stat st = { .st_size = 0 };
	ssize_t len = -1;

	if (fd < 0 && errno == ENOENT)
		return FOUND_NOT;
	if (fd >= 0 && fstat(fd, &st) == 0) {
		size_t size = st.st_size < PAGE_MAX ? (size_t)st.st_size : PAGE_MAX;

		*ret = malloc(size + 1);
		len = *ret ? read(fd, *ret, size) : -1;
	}
	if (len < 0) {
		broken("read", path, err);
		return FOUND_FAILED;
	}
	(*ret)[len] = '\0';
	return FOUND;
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at += len)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

/* Complete, or as it was. */
static int write_page(const struct ledger *ledger, const char *path, const char *text, struct cni_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	autoclose int fd = openat(ledger->dir, "new", flags, FILE_MODE);
	ssize_t len = (ssize_t)strlen(text);

	if (fd >= 0 && write(fd, text, (size_t)len) == len &&
	    renameat(ledger->dir, "new", ledger->dir, path) == 0)
		return 0;
	broken("write", path, err);
	unlinkat(ledger->dir, "new", 0);
	return -1;
}

static int add_line(const struct ledger *ledger, const struct request *req, const char *line,
		    struct cni_error *err)
{
	const struct attachment who = own(req);
	const struct path path = page_path(&who);
	autofree char *before = NULL, *text = NULL;
	enum found found = read_page(ledger, path.s, &before, err);
	struct netns_id netns;
	int len;

	if (found == FOUND_FAILED)
		return -1;
	if (found == FOUND && has_line(before, line))
		return 0;
	if (found == FOUND) {
		len = asprintf(&text, "%s%s\n", before, line);
	} else {
		netns = netns_id_asked(req);
		len = asprintf(&text,
			       HEAD_CONTAINER "%s\n" HEAD_IFNAME "%s\n" HEAD_NETWORK "%s\n" HEAD_NETNS
					      "%s\n%s\n",
			       req->container, req->ifname, req->name, netns_id_text(&netns).s, line);
	}
	if (len < 0)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (len > PAGE_MAX) /* a network's name may be long */
		return cni_fail(err, CNI_CONFIG, "an attachment with too many objects on the host");
	return write_page(ledger, path.s, text, err);
}

/* Was it there before any of us wanted it? */
static enum found is_theirs(const struct ledger *ledger, const struct object *object, const char *directory,
			    struct cni_error *err)
{
	if (!object_anonymous(object) || faccessat(ledger->dir, directory, F_OK, 0) == 0)
		return FOUND_NOT;
	return errno == ENOENT ? object_find(ledger->host, object, err) : broken("stat", directory, err);
}

int ledger_hold(struct ledger *ledger, const struct request *req, const struct object *object,
		struct cni_error *err)
{
	const struct attachment who = own(req);
	const struct path directory = object_path(object), holder = holder_path(object, &who);
	enum found theirs = is_theirs(ledger, object, directory.s, err);

	if (theirs != FOUND_NOT)
		return theirs == FOUND ? 0 : -1;
	if (add_line(ledger, req, object_text(object).s, err) < 0)
		return -1;
	if ((mkdirat(ledger->dir, directory.s, DIR_MODE) < 0 && errno != EEXIST) ||
	    (symlinkat(req->netns, ledger->dir, holder.s) < 0 && errno != EEXIST))
		return broken("write", holder.s, err);
	if (object_make(ledger->host, object, err) < 0)
		return -1;
	ledger->held = true;
	return 0;
}

/* Takes the last line off. */
static char *take_line(char *text)
{
	char *newline = strrchr(text, '\n'), *line;

	if (!newline)
		return NULL;
	*newline = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

/* The last one out removes it. A directory that is gone already was left by one who
 * was killed before he had done that. */
static int let_go(const struct ledger *ledger, const struct attachment *who, const struct object *object,
		  struct cni_error *err)
{
	const struct path directory = object_path(object), holder = holder_path(object, who);

	if (unlinkat(ledger->dir, holder.s, 0) < 0 && errno != ENOENT)
		return broken("unlink", holder.s, err);
	if (unlinkat(ledger->dir, directory.s, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return object_remove(ledger->host, object, err);
	return errno == ENOTEMPTY ? 0 : broken("rmdir", directory.s, err);
}

/* In the reverse of the order in which it was made. */
static int release(const struct ledger *ledger, const struct attachment *who, struct cni_error *err)
{
	const struct path path = page_path(who);
	autofree char *text = NULL;
	enum found found = read_page(ledger, path.s, &text, err);
	const char *line;
	int rc = 0;

	if (found != FOUND)
		return (int)found;
	while ((line = take_line(text))) {
		struct object object;

		if (object_parse(line, &object))
			rc |= let_go(ledger, who, &object, err);
	}
	if (rc == 0 && unlinkat(ledger->dir, path.s, 0) < 0)
		return broken("unlink", path.s, err);
	return rc;
}

int ledger_release(struct ledger *ledger, const struct request *req, struct cni_error *err)
{
	const struct attachment who = own(req);

	ledger->held = false;
	return release(ledger, &who, err);
}

static int verify(const struct ledger *ledger, char *text, struct cni_error *err)
{
	const char *line;

	while ((line = take_line(text))) {
		struct object object;
		enum found found;

		if (!object_parse(line, &object))
			continue;
		found = object_find(ledger->host, &object, err);
		if (found == FOUND_NOT) {
			cni_fail(err, CNI_DAMAGED, "on the host \"%s\" is missing", line);
			return cni_hint(err, "somebody has removed or changed it since ADD, which made it");
		}
		if (found == FOUND_FAILED)
			return -1;
	}
	return 0;
}

int ledger_verify(struct ledger *ledger, const struct request *req, struct cni_error *err)
{
	const struct attachment who = own(req);
	autofree char *text = NULL;
	enum found found = read_page(ledger, page_path(&who).s, &text, err);

	return found == FOUND ? verify(ledger, text, err) : (int)found;
}

/* What comes after key on the next line, which must begin with it. */
static const char *take_head(char **rest, const char *key)
{
	const char *line = strsep(rest, "\n");
	size_t len = strlen(key);

	return line && !strncmp(line, key, len) ? line + len : NULL;
}

/* Borrowed from the text, which is cut into pieces; rest is what comes after them. */
static int read_heads(struct page *ret, char **rest)
{
	char *before;
	const char *inode;

	ret->container = take_head(rest, HEAD_CONTAINER);
	ret->ifname = take_head(rest, HEAD_IFNAME);
	ret->network = take_head(rest, HEAD_NETWORK);
	if (!ret->container || !ret->ifname || !ret->network)
		return -1;
	before = *rest;
	if (!before || strncmp(before, HEAD_NETNS, strlen(HEAD_NETNS)) != 0)
		return 0; /* from before it was written down */
	inode = take_head(rest, HEAD_NETNS);
	if (!inode)
		return -1;
	ret->netns = netns_id_parse(inode);
	return 0;
}

/* Where the attachment's namespace was, as each of its holders tells. */
static void read_where(const struct ledger *ledger, struct page *page)
{
	const struct attachment who = { page->container, page->ifname };
	ssize_t len = -1;

	for (size_t i = 0; len < 0 && i < page->n_objects; i++)
		len = readlinkat(ledger->dir, holder_path(&page->objects[i], &who).s, page->path,
				 sizeof(page->path) - 1);
	page->path[len < 0 ? 0 : len] = '\0';
}

static int read_objects(struct page *page, char *rest, struct cni_error *err)
{
	const char *line;
	size_t n = 1;

	for (const char *c = rest; c && *c; c++)
		n += *c == '\n';
	page->objects = calloc(n, sizeof(*page->objects));
	if (!page->objects)
		return cni_fail(err, CNI_RETRY, "out of memory");
	while ((line = strsep(&rest, "\n")))
		page->n_objects += object_parse(line, &page->objects[page->n_objects]);
	return 0;
}

/* One page of the ledger, and what to do with it. */
struct reader {
	int (*each)(const struct page *page, void *arg, struct cni_error *err);
	void *arg;
};

static int visit(const struct ledger *ledger, const char *name, const struct reader *reader,
		 struct cni_error *err)
{
	struct page page = { .container = NULL };
	struct path path;
	autofree char *text = NULL;
	enum found found;
	char *rest;
	int rc;

	snprintf(path.s, sizeof(path.s), "attachments/%s", name);
	found = read_page(ledger, path.s, &text, err);
	if (found != FOUND)
		return (int)found;
	rest = text;
	if (read_heads(&page, &rest) < 0)
		return cni_fail(err, CNI_DECODE, "%s/%s is not what the plugin wrote", ledger->path, path.s);
	if (read_objects(&page, rest, err) < 0)
		return -1;
	read_where(ledger, &page);
	rc = reader->each(&page, reader->arg, err);
	free(page.objects);
	return rc;
}

int ledger_each(struct ledger *ledger, int (*each)(const struct page *page, void *arg, struct cni_error *err),
		void *arg, struct cni_error *err)
{
	autoclose int fd = openat(ledger->dir, "attachments", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *pages = fd < 0 ? NULL : fdopendir(fd);
	const struct reader reader = { each, arg };
	const struct dirent *entry;
	int rc = 0;

	if (!pages)
		return broken("open", ledger->path, err);
	take_fd(&fd);
	for (errno = 0; (entry = readdir(pages)); errno = 0)
		if (entry->d_name[0] != '.')
			rc |= visit(ledger, entry->d_name, &reader, err);
	if (errno)
		rc = broken("read", ledger->path, err);
	closedir(pages);
	return rc;
}

struct collection {
	const struct ledger *ledger;
	const struct request *req;
	const struct valid *valid;
};

/* Is it of the network, and unknown to the runtime? */
static int collect_page(const struct page *page, void *arg, struct cni_error *err)
{
	const struct collection *all = arg;

	if (strcmp(page->network, all->req->name) != 0 ||
	    valid_contains(all->valid, page->container, page->ifname))
		return 0;
	cni_log("network %s: releasing what container %s, interface %s, held on the host", page->network,
		page->container, page->ifname);
	return release(all->ledger, &(struct attachment){ page->container, page->ifname }, err);
}

int ledger_collect(struct ledger *ledger, const struct request *req, const struct valid *valid,
		   struct cni_error *err)
{
	struct collection all = { ledger, req, valid };

	return ledger_each(ledger, collect_page, &all, err);
}
