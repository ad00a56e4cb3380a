/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/plugin.h"
#include "ipam/record.h"
#include "ipam/release.h"

#define TRIES 4 /* how often other calls may change the mark while this one waits for locks */

struct path {
	char s[PATH_MAX]; /* "" if it is too long */
};

static struct path home_path_of(const struct place *place, const char *before, const char *name,
				const char *after)
{
	struct path path;

	if (snprintf(path.s, sizeof(path.s), "%s/%s%s%s", place->data_dir, before, name, after) >=
	    (int)sizeof(path.s))
		path.s[0] = '\0';
	return path;
}

static struct path home_mark_path(const struct place *place, const char *after)
{
	return home_path_of(place, ".addrpool/", place->network, after);
}

/* Can the path not exist, or is it no link? */
static bool home_is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG || error == EINVAL;
}

static int home_mark_read(struct home_mark *ret, const struct place *place, struct cni_error *err)
{
	const struct path path = home_mark_path(place, "/pool");
	ssize_t len = readlink(path.s, ret->s, sizeof(ret->s));

	if (len < 0 && !home_is_absent(errno)) {
		const int error = errno;

		cni_fail(err, CNI_IO, "read %s: %s", path.s, errno_text(error));
		return store_remedy(error, err);
	}
	if (len < 0 || len == (ssize_t)sizeof(ret->s))
		len = 0;
	ret->s[len] = '\0';
	return 0;
}

static int home_mark_sync(const struct place *place)
{
	autoclose int fd = place->fsync ? file_open(home_mark_path(place, "").s, O_RDONLY | O_DIRECTORY) : -1;

	return place->fsync ? fsync(fd) : 0;
}

/* Without the mark a later call would not find leases. */
static int home_mark_write(const struct place *place, const char *text, struct cni_error *err)
{
	const struct path path = home_mark_path(place, "/pool"), new = home_mark_path(place, "/pool.new");
	int rc;

	if (*text) {
		unlink(new.s);
		rc = (mkdir(home_mark_path(place, "").s, S_IRWXU) < 0 && errno != EEXIST) ||
				     symlink(text, new.s) < 0 || rename(new.s, path.s) < 0
			     ? -1
			     : 0;
	} else {
		rc = unlink(path.s) < 0 && errno != ENOENT ? -1 : 0;
	}
	if (rc == 0 && home_mark_sync(place) == 0)
		return 0;
	rc = errno;
	cni_fail(err, CNI_IO, "cannot write %s: %s", path.s, errno_text(rc));
	return store_remedy(rc, err);
}

static void home_mark_add(struct home_mark *mark, const char *name)
{
	const size_t len = strlen(mark->s);

	snprintf(mark->s + len, sizeof(mark->s) - len, "%s%s", len ? "/" : "", name);
}

static bool homes_have(const struct homes *homes, const char *name)
{
	for (size_t i = 0; i < homes->n; i++)
		if (!strcmp(homes->list[i].place.store, name))
			return true;
	return false;
}

static int homes_are_too_many(const struct homes *homes, const struct place *place, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "network %s has leases in too many pools: %s", place->network,
		 homes->mark.s);
	return cni_hint(err, "%s names them", home_mark_path(place, "/pool").s);
}

static int homes_add(struct homes *homes, const struct place *place, const char *name, struct cni_error *err)
{
	if (homes_have(homes, name))
		return 0;
	if (homes->n == HOMES_MAX)
		return homes_are_too_many(homes, place, err);
	homes->list[homes->n] = (struct home){ .place = *place };
	homes->list[homes->n++].place.store = name;
	return 0;
}

/* Ignores what is not a name in the mark, since it could lead out of dataDir. */
static int homes_add_marked(struct homes *homes, const struct place *place, struct cni_error *err)
{
	char *next = homes->names.s;
	const char *name;

	homes->names = homes->mark;
	while ((name = strsep(&next, "/")))
		if (is_identifier(name) && strlen(name) <= NAME_MAX && homes_add(homes, place, name, err) < 0)
			return -1;
	return 0;
}

static int home_compare(const void *a, const void *b)
{
	return strcmp(((const struct home *)a)->place.store, ((const struct home *)b)->place.store);
}

/* The network's own store is always one of them: programs that do not know "pool" have their leases there. */
static int homes_find(struct homes *ret, const struct place *place, struct cni_error *err)
{
	ret->n = 0;
	ret->present = NULL;
	if (home_mark_read(&ret->mark, place, err) < 0 || homes_add(ret, place, place->store, err) < 0 ||
	    homes_add(ret, place, place->network, err) < 0 || homes_add_marked(ret, place, err) < 0) {
		ret->n = 0;
		return -1;
	}
	/* all calls take the locks in one order */
	qsort(ret->list, ret->n, sizeof(*ret->list), home_compare);
	return 0;
}

/* Are all stores locked in which the network may have leases? The mark may have changed meanwhile. */
static enum found homes_are_all(struct homes *homes, const struct place *place, struct cni_error *err)
{
	struct home_mark mark;
	struct homes now;

	if (home_mark_read(&mark, place, err) < 0)
		return FOUND_FAILED;
	if (!strcmp(mark.s, homes->mark.s))
		return FOUND;
	if (homes_find(&now, place, err) < 0)
		return FOUND_FAILED;
	for (size_t i = 0; i < now.n; i++)
		if (!homes_have(homes, now.list[i].place.store))
			return FOUND_NOT;
	homes->mark = now.mark;
	return FOUND;
}

void homes_close(struct homes *homes)
{
	for (size_t i = 0; i < homes->n; i++)
		store_close(&homes->list[i].store);
	homes->n = 0;
	homes->present = NULL;
}

/* Opens those that exist; with create, makes the others. Without it, goes on after an error. */
static int homes_open_found(struct homes *homes, const struct place *place, bool create,
			    struct cni_error *err)
{
	const size_t n = homes->n;
	int rc = 0;

	homes->n = 0;
	for (size_t i = 0; i < n && !(create && rc < 0); i++) {
		struct home home = homes->list[i];
		const enum found found = store_open(&home.store, &home.place, create, rc < 0 ? NULL : err);

		if (found == FOUND_FAILED)
			rc = -1;
		if (found != FOUND)
			continue;
		if (!strcmp(home.place.store, place->store))
			homes->present = &homes->list[homes->n];
		homes->list[homes->n++] = home;
	}
	return rc;
}

static enum found homes_open_as(struct homes *ret, const struct place *place, bool create,
				struct cni_error *err)
{
	for (int tries = 0; tries < TRIES; tries++) {
		const enum found same =
			homes_find(ret, place, err) < 0 || homes_open_found(ret, place, create, err) < 0
				? FOUND_FAILED
				: homes_are_all(ret, place, err);

		if (same == FOUND)
			return ret->n ? FOUND : FOUND_NOT;
		if (same == FOUND_FAILED)
			return same;
		homes_close(ret);
	}
	return (enum found)cni_fail(err, CNI_RETRY,
				    "other calls change the pool of network %s at the same time",
				    place->network);
}

enum found homes_open(struct homes *ret, const struct place *place, struct cni_error *err)
{
	return homes_open_as(ret, place, false, err);
}

/* Writes the lease and its record in the new store. A record that cannot be read, or lacks addresses, stays
 * so: whoever uses it reads all leases. */
static int home_copy(struct store *to, const struct lease *lease, const struct origin *origin,
		     const struct place *place, struct cni_error *err)
{
	struct record record;
	const enum found known = record_get(&record, to, &lease->owner);

	record.origin = *origin;
	record.origin.network = network_mark(place);
	if (record.n < RECORD_MAX)
		record.ips[record.n++] = lease->ip;
	if (lease_write(to, &lease->owner, err) < 0)
		return -1;
	if (known == FOUND_FAILED || record.many || record_put(to, &lease->owner, &record, err) == 0)
		return lease_take(to, &lease->ip, 1, err);
	lease_unwrite(to);
	return -1;
}

/* Is the address free in the new store? A lease of an earlier boot is released. */
static enum found home_has_room(struct store *to, const struct ip *ip, const struct place *place,
				struct cni_error *err)
{
	struct lease other;
	enum found there = lease_exists(to, ip, err), gone;

	if (there != FOUND)
		return there == FOUND_NOT ? FOUND : FOUND_FAILED;
	gone = lease_read(&other, to, ip, err);
	if (gone == FOUND)
		gone = release_earlier(to, place, &other, err);
	free(other.text);
	return gone;
}

/* If another attachment has the address in the new store, the lease stays, unless one of both is of an
 * earlier boot: for that one no DEL may come. FOUND_NOT: it stays. */
static enum found home_move(struct store *to, struct store *from, const struct lease *lease,
			    const struct origin *origin, const struct place *place, struct cni_error *err)
{
	enum found moved = lease_is_of(to, &lease->ip, &lease->owner, err), room = FOUND;

	if (moved == FOUND_NOT)
		room = home_has_room(to, &lease->ip, place, err);
	if (room == FOUND_NOT) {
		room = release_earlier(from, place, lease, err);
		if (room == FOUND_NOT)
			cni_log("network %s: %s of %s %s stays in %s until its DEL: another attachment has "
				"it in %s; restart one of both",
				place->network, ip_text(&lease->ip).s, lease->owner.container,
				lease->owner.ifname, from->name, to->name);
		return room;
	}
	if (moved == FOUND_FAILED || room == FOUND_FAILED ||
	    (moved == FOUND_NOT && home_copy(to, lease, origin, place, err) < 0) ||
	    lease_drop(from, &lease->ip, err) < 0 || record_settle(from, &lease->owner, err) < 0)
		return FOUND_FAILED;
	return FOUND;
}

/* Is it a lease of this network? An empty file is not a lease. */
static bool home_is_of_network(const struct lease *lease, const struct origin *origin,
			       const struct place *from)
{
	return *lease->owner.container && origin_owner(origin, from) == NETWORK_OURS;
}

/* FOUND_NOT: some stay. */
static enum found home_move_all(struct store *to, struct home *from, const struct place *place,
				struct cni_error *err)
{
	enum found all = FOUND;
	struct leases leases;
	int rc = leases_read(&leases, &from->store, err);

	for (size_t i = 0; rc == 0 && all != FOUND_FAILED && i < leases.n; i++) {
		enum found moved = FOUND;
		struct origin origin;

		rc = origin_of(&origin, &from->store, &leases.list[i], err);
		if (rc == 0 && home_is_of_network(&leases.list[i], &origin, &from->place))
			moved = home_move(to, &from->store, &leases.list[i], &origin, place, err);
		if (moved != FOUND)
			all = moved;
	}
	leases_free(&leases);
	return rc < 0 ? FOUND_FAILED : all;
}

/* While leases move, the mark names all pools that may have some. The network's own store is not named. */
static struct home_mark homes_mark_while(const struct homes *homes, const struct place *place)
{
	struct home_mark mark = { "" };

	if (place_is_pool(place))
		home_mark_add(&mark, place->store);
	for (size_t i = 0; i < homes->n; i++)
		if (strcmp(homes->list[i].place.store, place->store) != 0 &&
		    strcmp(homes->list[i].place.store, place->network) != 0)
			home_mark_add(&mark, homes->list[i].place.store);
	return mark;
}

/* A later DEL may require one more store than ADD: the one of its configuration. */
static int homes_move(struct homes *homes, const struct place *place, struct cni_error *err)
{
	const struct home_mark during = homes_mark_while(homes, place);
	struct home_mark after = { "" };

	if (homes->n == HOMES_MAX)
		return homes_are_too_many(homes, place, err);
	if (strcmp(during.s, homes->mark.s) != 0 && home_mark_write(place, during.s, err) < 0)
		return -1;
	if (place_is_pool(place))
		home_mark_add(&after, place->store);
	for (size_t i = 0; i < homes->n; i++) {
		struct home *from = &homes->list[i];
		enum found all = from == homes->present
					 ? FOUND
					 : home_move_all(&homes->present->store, from, place, err);

		if (all == FOUND_FAILED)
			return -1;
		if (all == FOUND_NOT && strcmp(from->place.store, place->network) != 0)
			home_mark_add(&after, from->place.store);
	}
	return strcmp(after.s, during.s) != 0 ? home_mark_write(place, after.s, err) : 0;
}

int home_open(struct store *ret, const struct place *place, struct cni_error *err)
{
	struct homes homes;
	int rc = -1;

	if (place->shared)
		return store_open(ret, place, true, err) == FOUND ? 0 : -1;
	if (homes_open_as(&homes, place, true, err) == FOUND)
		rc = homes_move(&homes, place, err);
	if (rc == 0) {
		*ret = homes.present->store;
		homes.present->store = (struct store){ .leases = -1, .meta = -1, .lock = -1 };
	}
	homes_close(&homes);
	return rc;
}
