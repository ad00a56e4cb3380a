/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/attachment.h"
#include "cni/file.h"
#include "ipam/taken.h"

/* In place of all, if there are more than RECORD_MAX addresses, or more than the file system stores in a
 * link. */
#define MANY "*"

/* A record being written. No owner has this name, since it has no colon. */
#define NEW "owner/new"

struct record_name {
	char s[sizeof("owner/") + NAME_MAX];
};

/* False: the owner's name cannot be a file name. Then the caller must read all leases. */
static bool record_name(const struct owner *owner, struct record_name *ret)
{
	int len = snprintf(ret->s, sizeof(ret->s), "owner/%s:%s", owner->container, owner->ifname);

	return len < (int)sizeof(ret->s) && !strpbrk(owner->container, "/:") && !strchr(owner->ifname, '/');
}

static bool record_parse(struct record *ret, char *text)
{
	struct record record = { .many = !strcmp(text, MANY) };
	char *rest = NULL;
	const char *boot = strtok_r(text, " ", &rest), *netns = strtok_r(NULL, " ", &rest), *word;

	*ret = record;
	if (record.many)
		return true;
	if (!boot || !netns || strlen(boot) >= sizeof(record.origin.boot.id))
		return false;
	if (strcmp(boot, "-") != 0)
		memcpy(record.origin.boot.id, boot, strlen(boot));
	record.origin.netns = netns_id_parse(netns);
	while ((word = strtok_r(NULL, " ", &rest)))
		if (*word == '@')
			snprintf(record.origin.network.s, sizeof(record.origin.network.s), "%s", word + 1);
		else if (record.n == RECORD_MAX || !ip_parse(word, &record.ips[record.n++]))
			return false;
	*ret = record;
	return true;
}

enum found record_get(struct record *ret, const struct store *store, const struct owner *owner)
{
	char text[PATH_MAX];
	struct record_name name = { "" };
	ssize_t len;

	*ret = (struct record){ .n = 0 };
	if (store->meta < 0 || !record_name(owner, &name)) /* only host-local has used the store */
		return FOUND_NOT;
	len = readlinkat(store->meta, name.s, text, sizeof(text) - 1);
	if (len < 0) {
		errno = errno == EINVAL ? EBADMSG : errno; /* EINVAL: it is not a symbolic link */
		return errno == ENOENT ? FOUND_NOT : FOUND_FAILED;
	}
	text[len] = '\0';
	if (record_parse(ret, text))
		return FOUND;
	errno = EBADMSG;
	return FOUND_FAILED;
}

/* Makes or replaces the link in one step. */
static int record_put_link(const struct store *store, const char *text, const char *name)
{
	if (symlinkat(text, store->meta, name) == 0)
		return 0;
	if (errno == ENOENT && mkdirat(store->meta, "owner", S_IRWXU) == 0)
		return symlinkat(text, store->meta, name);
	if (errno != EEXIST || (unlinkat(store->meta, NEW, 0) < 0 && errno != ENOENT) ||
	    symlinkat(text, store->meta, NEW) < 0)
		return -1;
	return renameat(store->meta, NEW, store->meta, name);
}

static int record_fail_put(const struct store *store, const struct record_name *name, struct cni_error *err)
{
	const bool unknown = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS;
	struct cni_error why = { 0 };

	store_cannot_write(store, store->meta, name->s, &why);
	cni_fail(err, CNI_IO, "%s", why.msg);
	return cni_hint(err, "%s",
			unknown ? "ipam.dataDir must be on a file system with symbolic links" : why.details);
}

int record_put(struct store *store, const struct owner *owner, const struct record *record,
	       struct cni_error *err)
{
	const char *boot = record->origin.boot.id[0] ? record->origin.boot.id : "-";
	char text[PATH_MAX];
	struct record_name name = { "" };
	size_t used;

	if (!record_name(owner, &name))
		return 0;
	used = (size_t)snprintf(text, sizeof(text), "%s %s%s%s", boot, netns_id_text(&record->origin.netns).s,
				record->origin.network.s[0] ? " @" : "", record->origin.network.s);
	for (size_t i = 0; i < record->n; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", ip_text(&record->ips[i]).s);
	if (record_put_link(store, text, name.s) == 0)
		return 0;
	if (errno == ENAMETOOLONG && record_put_link(store, MANY, name.s) == 0)
		return 0;
	store->spoiled = true;
	return record_fail_put(store, &name, err);
}

void record_drop(struct store *store, const struct owner *owner)
{
	struct record_name name = { "" };

	if (record_name(owner, &name) && unlinkat(store->meta, name.s, 0) < 0 && errno != ENOENT)
		store->spoiled = true;
}

/* Reads all leases. */
static enum found record_find_in_all(struct record *ret, const struct store *store, const struct owner *owner,
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

/* *doubted: the record names a lease of another owner. */
static enum found record_find_exactly(struct record *ret, const struct store *store,
				      const struct owner *owner, bool *doubted, struct cni_error *err)
{
	struct record_name name = { "" };
	enum found known = FOUND_FAILED;

	*ret = (struct record){ .n = 0 };
	if (record_name(owner, &name))
		known = record_get(ret, store, owner);
	if (known == FOUND_NOT)
		return FOUND_NOT;
	for (size_t i = 0; known == FOUND && i < ret->n; i++) {
		enum found found = lease_is_of(store, &ret->ips[i], owner, err);

		if (found == FOUND_FAILED)
			return found;
		*doubted |= found == FOUND_NOT;
	}
	if (known == FOUND && ret->n && !ret->many && !*doubted)
		return FOUND;
	return record_find_in_all(ret, store, owner, err);
}

enum found record_find(struct record *ret, const struct store *store, const struct owner *owner, bool *legacy,
		       struct cni_error *err)
{
	const struct owner any = { .container = owner->container, .ifname = "" };
	bool doubted = false;
	enum found found = record_find_exactly(ret, store, owner, &doubted, err);

	*legacy = found == FOUND_NOT;
	if (found != FOUND_NOT)
		return found;
	return doubted ? record_find_in_all(ret, store, &any, err)
		       : record_find_exactly(ret, store, &any, &doubted, err);
}

/* Keeps addresses whose lease cannot be read. */
static void record_keep_leased(struct record *record, const struct store *store, const struct owner *owner)
{
	size_t kept = 0;

	for (size_t i = 0; i < record->n; i++)
		if (lease_is_of(store, &record->ips[i], owner, NULL) != FOUND_NOT)
			record->ips[kept++] = record->ips[i];
	record->n = kept;
}

int record_settle(struct store *store, const struct owner *owner, struct cni_error *err)
{
	struct record record;
	const enum found known = record_get(&record, store, owner);
	const size_t listed = record.n;

	if (known == FOUND_NOT)
		return 0;
	if (known == FOUND_FAILED || record.many) {
		if (record_find_in_all(&record, store, owner, NULL) != FOUND_NOT)
			return 0;
	} else
		record_keep_leased(&record, store, owner);
	if (!record.n)
		record_drop(store, owner);
	return record.n && record.n < listed ? record_put(store, owner, &record, err) : 0;
}

static int record_by_owner(const void *a, const void *b)
{
	const struct lease *x = a, *y = b;
	int order = strcmp(x->owner.container, y->owner.container);

	return order ? order : strcmp(x->owner.ifname, y->owner.ifname);
}

static int record_by_owner_and_address(const void *a, const void *b)
{
	int order = record_by_owner(a, b);

	return order ? order : lease_by_address(a, b);
}

bool record_has(const struct record *record, const struct ip *ip)
{
	for (size_t i = 0; i < record->n; i++)
		if (ip_equal(&record->ips[i], ip))
			return true;
	return false;
}

int origin_of(struct origin *ret, const struct store *store, const struct lease *lease, struct cni_error *err)
{
	struct record record;
	enum found found = record_get(&record, store, &lease->owner);

	*ret = (struct origin){ .netns = { 0 } };
	if (found == FOUND_FAILED && errno != EBADMSG)
		return cni_fail(err, CNI_IO, "cannot read the record of %s: %s", ip_text(&lease->ip).s,
				errno_text(errno));
	if (found == FOUND && record_has(&record, &lease->ip))
		*ret = record.origin;
	return 0;
}

bool origin_equal(const struct origin *a, const struct origin *b)
{
	return !strcmp(a->boot.id, b->boot.id) && a->netns.inode == b->netns.inode &&
	       a->netns.cookie == b->netns.cookie && !strcmp(a->network.s, b->network.s);
}

bool origin_is_earlier(const struct origin *origin, const struct boot *boot)
{
	return origin->boot.id[0] && boot->id[0] && strcmp(origin->boot.id, boot->id) != 0;
}

struct network_mark network_mark(const struct place *place)
{
	const char *name = place->network;
	struct network_mark mark = { "" };

	if (!place_is_pool(place))
		return mark;
	if (strlen(name) < sizeof(mark.s))
		snprintf(mark.s, sizeof(mark.s), "%s", name);
	else
		snprintf(mark.s, sizeof(mark.s), "%.40s~%016llx", name,
			 (unsigned long long)attachment_hash(name, ""));
	return mark;
}

enum network_owner origin_owner(const struct origin *origin, const struct place *place)
{
	struct place elsewhere = *place;

	elsewhere.store = ""; /* so that network_mark() returns a mark also for the network's own store */
	if (origin->network.s[0])
		return strcmp(origin->network.s, network_mark(&elsewhere).s) ? NETWORK_OTHER : NETWORK_OURS;
	return place_is_pool(place) ? NETWORK_UNKNOWN : NETWORK_OURS;
}

/* The ctime of the record, which no program can set. */
static struct timespec record_written(const struct store *store, const struct owner *owner)
{
	struct stat st = { .st_ctim = { 0 } };
	struct record_name name = { "" };

	if (record_name(owner, &name))
		fstatat(store->meta, name.s, &st, AT_SYMLINK_NOFOLLOW);
	return st.st_ctim;
}

/* Does the record vouch for all of the n leases at lease? It must name them, and be younger: addrpool writes
 * a lease before its record. A lease that is younger is host-local's, for another attachment of the same
 * name. */
static bool record_vouches(const struct store *store, const struct record *record, const struct lease *lease,
			   size_t n)
{
	const struct timespec time = record_written(store, &lease->owner);

	for (size_t i = 0; i < n; i++)
		if (!record_has(record, &lease[i].ip) || lease[i].since.tv_sec > time.tv_sec ||
		    (lease[i].since.tv_sec == time.tv_sec && lease[i].since.tv_nsec > time.tv_nsec))
			return false;
	return true;
}

/*
 * Makes the record of the n leases at lease, all of one owner. A record that vouches for them keeps its
 * origin; if it names no others, it stays as it is, with the order of its addresses. The origin of an unknown
 * owner is this boot, so that its leases are dead after the next restart.
 */
static int record_rebuild_one(struct store *store, const struct lease *lease, size_t n, struct cni_error *err)
{
	struct record record = { .origin.boot = store->boot }, known = { .many = true };
	struct record_name name = { "" };

	if (record_get(&known, store, &lease->owner) == FOUND && !known.many &&
	    record_vouches(store, &known, lease, n)) {
		if (n == known.n)
			return 0;
		record.origin = known.origin;
	}
	if (n > RECORD_MAX && record_name(&lease->owner, &name)) {
		if (unlinkat(store->meta, name.s, 0) == 0 || errno == ENOENT)
			if (record_put_link(store, MANY, name.s) == 0)
				return 0;
		return record_fail_put(store, &name, err);
	}
	record.n = 0;
	for (size_t i = 0; i < n && i < RECORD_MAX; i++)
		record.ips[record.n++] = lease[i].ip;
	return record_put(store, &lease->owner, &record, err);
}

/* Has the owner of the record called name a lease? leases are sorted. */
static bool record_has_lease(const struct leases *leases, const char *name)
{
	char copy[NAME_MAX + 1], *colon;
	struct lease key = { .text = NULL };

	snprintf(copy, sizeof(copy), "%s", name);
	colon = strchr(copy, ':');
	if (!colon)
		return false;
	*colon = '\0';
	key.owner = (struct owner){ .container = copy, .ifname = colon + 1 };
	return leases->n && bsearch(&key, leases->list, leases->n, sizeof(key), record_by_owner);
}

struct sweep {
	const struct store *store;
	const struct leases *leases;
	struct cni_error *err;
	int rc;
};

static bool record_sweep_one(int dir, const char *name, void *arg)
{
	struct sweep *sweep = arg;

	if (!record_has_lease(sweep->leases, name) && unlinkat(dir, name, 0) < 0) {
		const int error = errno;
		char path[sizeof("owner/") + NAME_MAX];

		snprintf(path, sizeof(path), "owner/%s", name);
		errno = error;
		sweep->rc = store_cannot_remove(sweep->store, sweep->store->meta, path, sweep->err);
	}
	return sweep->rc == 0;
}

/* Removes the records that have no lease. */
static int record_sweep(const struct store *store, const struct leases *leases, struct cni_error *err)
{
	struct sweep sweep = { .store = store, .leases = leases, .err = err };

	if (file_each(store->meta, "owner", record_sweep_one, &sweep) < 0 && errno != ENOENT)
		return cni_fail(err, CNI_IO, "read records: %s", errno_text(errno));
	return sweep.rc;
}

int records_rebuild(struct store *store, struct cni_error *err)
{
	struct leases leases;
	int rc = leases_read(&leases, store, err);

	store->changed = true;
	unlinkat(store->leases, STORE_COPY, 0); /* a killed call may have left it */
	mkdirat(store->meta, "owner", S_IRWXU); /* a store without records has a seal, too */
	taken_forget(store);
	if (rc == 0 && leases.n)
		qsort(leases.list, leases.n, sizeof(*leases.list), record_by_owner_and_address);
	for (size_t i = 0, n; rc == 0 && i < leases.n; i += n) {
		for (n = 1; i + n < leases.n && !record_by_owner(&leases.list[i], &leases.list[i + n]); n++)
			;
		if (*leases.list[i].owner.container)
			rc = record_rebuild_one(store, &leases.list[i], n, err);
	}
	if (rc == 0)
		rc = record_sweep(store, &leases, err);
	leases_free(&leases);
	return rc;
}
