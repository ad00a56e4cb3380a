#include "ipam/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/cleanup.h"

/* Instead of addresses: there are too many of them. */
#define MANY "*"

struct name {
	char s[sizeof("owner/") + NAME_MAX];
};

/* False when the owner cannot be a file's name. Then all leases are asked. */
static bool name_of(const struct owner *owner, struct name *ret)
{
	int len = snprintf(ret->s, sizeof(ret->s), "owner/%s:%s", owner->container, owner->ifname);

	return len < (int)sizeof(ret->s) && !strpbrk(owner->container, "/:") && !strchr(owner->ifname, '/');
}

static bool parse(struct record *ret, char *text)
{
	struct record record = { .many = !strcmp(text, MANY) };
	char *rest = NULL;
	const char *boot = strtok_r(text, " ", &rest), *netns = strtok_r(NULL, " ", &rest), *word;

	*ret = record;
	if (record.many)
		return true;
	if (!boot || !netns || strlen(boot) >= sizeof(record.boot.id))
		return false;
	if (strcmp(boot, "-") != 0)
		memcpy(record.boot.id, boot, strlen(boot));
	record.netns = netns_id_parse(netns);
	while ((word = strtok_r(NULL, " ", &rest)))
		if (record.n == RECORD_MAX || !ip_parse(word, &record.ips[record.n++]))
			return false;
	*ret = record;
	return true;
}

enum found record_get(struct record *ret, const struct store *store, const struct owner *owner)
{
	char text[PATH_MAX];
	struct name name = { "" };
	ssize_t len;

	if (!name_of(owner, &name))
		return FOUND_NOT;
	len = readlinkat(store->own, name.s, text, sizeof(text) - 1);
	if (len < 0)
		return errno == ENOENT ? FOUND_NOT : FOUND_FAILED;
	text[len] = '\0';
	return parse(ret, text) ? FOUND : FOUND_FAILED;
}

/* In one step also where there is one already. */
static int put_link(const struct store *store, const char *text, const char *name)
{
	if (symlinkat(text, store->own, name) == 0)
		return 0;
	if (errno == ENOENT && mkdirat(store->own, "owner", S_IRWXU) == 0)
		return symlinkat(text, store->own, name);
	if (errno != EEXIST || (unlinkat(store->own, "new", 0) < 0 && errno != ENOENT) ||
	    symlinkat(text, store->own, "new") < 0)
		return -1;
	return renameat(store->own, "new", store->own, name);
}

int record_put(struct store *store, const struct owner *owner, const struct record *record,
	       struct cni_error *err)
{
	const char *boot = record->boot.id[0] ? record->boot.id : "-";
	char text[PATH_MAX];
	struct name name = { "" };
	size_t used;

	if (!name_of(owner, &name))
		return 0;
	used = (size_t)snprintf(text, sizeof(text), "%s %s", boot, netns_id_text(&record->netns).s);
	for (size_t i = 0; i < record->n; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", ip_text(&record->ips[i]).s);
	if (put_link(store, text, name.s) == 0)
		return 0;
	store->spoiled = true;
	return cni_fail(err, CNI_IO, "record %s: %s", name.s, errno_text(errno));
}

void record_drop(struct store *store, const struct owner *owner)
{
	struct name name = { "" };

	if (name_of(owner, &name) && unlinkat(store->own, name.s, 0) < 0 && errno != ENOENT)
		store->spoiled = true;
}

/* Asks all leases. */
static enum found find_in_all(struct record *ret, const struct store *store, const struct owner *owner,
			      struct cni_error *err)
{
	struct leases leases;
	int rc = leases_read(&leases, store, err);

	ret->n = 0;
	for (size_t i = 0; rc == 0 && i < leases.n && ret->n < RECORD_MAX; i++)
		if (owner_equal(&leases.list[i].owner, owner))
			ret->ips[ret->n++] = leases.list[i].ip;
	leases_free(&leases);
	return rc < 0 ? FOUND_FAILED : ret->n ? FOUND : FOUND_NOT;
}

static enum found find_exactly(struct record *ret, const struct store *store, const struct owner *owner,
			       struct cni_error *err)
{
	struct name name = { "" };
	enum found known = FOUND_FAILED;
	size_t kept = 0;

	*ret = (struct record){ .n = 0 };
	if (name_of(owner, &name))
		known = record_get(ret, store, owner);
	if (known == FOUND_NOT)
		return FOUND_NOT;
	if (known == FOUND_FAILED || ret->many)
		return find_in_all(ret, store, owner, err);
	for (size_t i = 0; i < ret->n; i++) {
		enum found found = lease_is_of(store, &ret->ips[i], owner, err);

		if (found == FOUND_FAILED)
			return found;
		if (found == FOUND)
			ret->ips[kept++] = ret->ips[i];
	}
	ret->n = kept;
	return kept ? FOUND : FOUND_NOT;
}

enum found record_find(struct record *ret, const struct store *store, const struct owner *owner, bool *legacy,
		       struct cni_error *err)
{
	const struct owner any = { .container = owner->container, .ifname = "" };
	enum found found = find_exactly(ret, store, owner, err);

	*legacy = found == FOUND_NOT;
	return found == FOUND_NOT ? find_exactly(ret, store, &any, err) : found;
}

static int by_owner(const void *a, const void *b)
{
	const struct lease *x = a, *y = b;
	int order = strcmp(x->owner.container, y->owner.container);

	return order ? order : strcmp(x->owner.ifname, y->owner.ifname);
}

static int by_owner_and_address(const void *a, const void *b)
{
	int order = by_owner(a, b);

	return order ? order : lease_by_address(a, b);
}

static bool has(const struct record *record, const struct ip *ip)
{
	for (size_t i = 0; i < record->n; i++)
		if (ip_equal(&record->ips[i], ip))
			return true;
	return false;
}

/*
 * Makes the record of the n leases at lease, all of one owner. One that is right
 * stays, for the order of its addresses; one that is not keeps its namespace. An
 * owner that we did not know came in this boot at the latest: so he is known to be
 * gone after the next.
 */
static int rebuild_one(struct store *store, const struct lease *lease, size_t n, struct cni_error *err)
{
	struct record record = { .boot = store->boot }, known = { .many = true };
	struct name name = { "" };
	size_t listed = 0;

	if (record_get(&known, store, &lease->owner) == FOUND && !known.many) {
		for (size_t i = 0; i < n; i++)
			listed += has(&known, &lease[i].ip);
		if (listed == n && n == known.n)
			return 0;
		record = known;
	}
	if (n > RECORD_MAX && name_of(&lease->owner, &name)) {
		if (unlinkat(store->own, name.s, 0) == 0 || errno == ENOENT)
			if (put_link(store, MANY, name.s) == 0)
				return 0;
		return cni_fail(err, CNI_IO, "record %s: %s", name.s, errno_text(errno));
	}
	record.n = 0;
	for (size_t i = 0; i < n && i < RECORD_MAX; i++)
		record.ips[record.n++] = lease[i].ip;
	return record_put(store, &lease->owner, &record, err);
}

/* Is there a lease for whom the record is called so? leases are sorted. */
static bool is_alive(const struct leases *leases, const char *name)
{
	char copy[NAME_MAX + 1], *colon;
	struct lease key = { .since = 0 };

	snprintf(copy, sizeof(copy), "%s", name);
	colon = strchr(copy, ':');
	if (!colon)
		return false;
	*colon = '\0';
	key.owner = (struct owner){ .container = copy, .ifname = colon + 1 };
	return leases->n && bsearch(&key, leases->list, leases->n, sizeof(key), by_owner);
}

/* Removes the records that have no lease. */
static int sweep(const struct store *store, const struct leases *leases, struct cni_error *err)
{
	int fd = openat(store->own, "owner", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int rc = 0;

	if (!dir) {
		cleanup_close(&fd);
		return errno == ENOENT ? 0 : cni_fail(err, CNI_IO, "read records: %s", errno_text(errno));
	}
	for (errno = 0; rc == 0 && (entry = readdir(dir)); errno = 0)
		if (entry->d_type == DT_LNK && !is_alive(leases, entry->d_name) &&
		    unlinkat(fd, entry->d_name, 0) < 0)
			rc = cni_fail(err, CNI_IO, "remove record %s: %s", entry->d_name, errno_text(errno));
	closedir(dir);
	return rc;
}

int records_rebuild(struct store *store, struct cni_error *err)
{
	struct leases leases;
	int rc = leases_read(&leases, store, err);

	store->changed = true;
	if (rc == 0 && leases.n)
		qsort(leases.list, leases.n, sizeof(*leases.list), by_owner_and_address);
	for (size_t i = 0, n; rc == 0 && i < leases.n; i += n) {
		for (n = 1; i + n < leases.n && !by_owner(&leases.list[i], &leases.list[i + n]); n++)
			;
		if (*leases.list[i].owner.container)
			rc = rebuild_one(store, &leases.list[i], n, err);
	}
	if (rc == 0)
		rc = sweep(store, &leases, err);
	leases_free(&leases);
	return rc;
}
