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

static int home_mark_read(struct home_mark *ret, const struct place *place, struct cni_error *err)
{
	const struct path path = home_mark_path(place, "/pool");
	ssize_t len = readlink(path.s, ret->s, sizeof(ret->s));

	if (len < 0 && (errno == EIO || errno == ENOMEM))
		return cni_fail(err, CNI_IO, "read %s: %s", path.s, errno_text(errno));
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

static bool home_is_lease(int dir, const char *name, void *arg)
{
	bool *found = arg;
	struct ip ip;

	(void)dir;
	*found = ip_parse(name, &ip);
	return !*found;
}

/* Has the store with the network's name leases? True also if the directory cannot be read: then opening it
 * reports the error. */
static bool home_has_own(const struct place *place)
{
	bool found = false;

	return (file_each(AT_FDCWD, home_path_of(place, "", place->network, "").s, home_is_lease, &found) <
			0 &&
		errno != ENOENT && errno != ENOTDIR) ||
	       found;
}

static bool homes_have(const struct homes *homes, const char *name)
{
	for (size_t i = 0; i < homes->n; i++)
		if (!strcmp(homes->list[i].place.store, name))
			return true;
	return false;
}

static int homes_add(struct homes *homes, const struct place *place, const char *name, struct cni_error *err)
{
	if (homes_have(homes, name))
		return 0;
	if (homes->n == HOMES_MAX) {
		cni_fail(err, CNI_CONFIG, "network %s has leases in too many pools: %s", place->network,
			 homes->mark.s);
		return cni_hint(err, "%s names them", home_mark_path(place, "/pool").s);
	}
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

/* Whoever may change the mark also locks the network's own store, which ADD without "pool" locks until it has
 * written its lease. */
static int homes_find(struct homes *ret, const struct place *place, struct cni_error *err)
{
	ret->n = 0;
	if (home_mark_read(&ret->mark, place, err) < 0 || homes_add(ret, place, place->store, err) < 0 ||
	    ((strcmp(ret->mark.s, place->store) != 0 || home_has_own(place)) &&
	     homes_add(ret, place, place->network, err) < 0) ||
	    homes_add_marked(ret, place, err) < 0)
		return -1;
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
		return homes_have(homes, place->network) || !home_has_own(place) ? FOUND : FOUND_NOT;
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
}

/* Opens those that exist. With create, makes the present one and the network's own one. */
static int homes_open_found(struct homes *homes, const struct place *place, bool create,
			    struct cni_error *err)
{
	const size_t n = homes->n;

	homes->n = 0;
	homes->present = NULL;
	for (size_t i = 0; i < n; i++) {
		struct home home = homes->list[i];
		const bool present = !strcmp(home.place.store, place->store);
		const bool make = create && (present || !strcmp(home.place.store, place->network));
		enum found found = store_open(&home.store, &home.place, make, err);

		if (found == FOUND_FAILED)
			return -1;
		if (found == FOUND_NOT)
			continue;
		if (present)
			homes->present = &homes->list[homes->n];
		homes->list[homes->n++] = home;
	}
	return 0;
}

static enum found homes_open_as(struct homes *ret, const struct place *place, bool create,
				struct cni_error *err)
{
	for (int tries = 0; tries < TRIES; tries++) {
		enum found same;

		if (homes_find(ret, place, err) < 0) {
			ret->n = 0;
			return FOUND_FAILED;
		}
		same = homes_open_found(ret, place, create, err) < 0 ? FOUND_FAILED
								     : homes_are_all(ret, place, err);
		if (same == FOUND)
			return ret->n ? FOUND : FOUND_NOT;
		homes_close(ret);
		if (same == FOUND_FAILED)
			return same;
	}
	return (enum found)cni_fail(err, CNI_RETRY,
				    "other calls change the pool of network %s at the same time",
				    place->network);
}

enum found homes_open(struct homes *ret, const struct place *place, struct cni_error *err)
{
	return homes_open_as(ret, place, false, err);
}

/* Writes the lease and its record in the new store. */
static int home_copy(struct store *to, const struct lease *lease, const struct origin *origin,
		     const struct place *place, struct cni_error *err)
{
	struct record record;

	if (record_get(&record, to, &lease->owner) != FOUND || record.many)
		record = (struct record){ .n = 0 };
	record.origin = *origin;
	record.origin.network = network_mark(place);
	if (record.n < RECORD_MAX)
		record.ips[record.n++] = lease->ip;
	if (lease_write(to, &lease->owner, err) < 0)
		return -1;
	if (record_put(to, &lease->owner, &record, err) == 0)
		return lease_take(to, &lease->ip, 1, err);
	lease_unwrite(to);
	return -1;
}

/* FOUND_NOT: it stays. */
static enum found home_move(struct store *to, struct store *from, const struct lease *lease,
			    const struct origin *origin, const struct place *place, struct cni_error *err)
{
	enum found there = lease_exists(to, &lease->ip, err), same = FOUND;

	if (there == FOUND)
		same = lease_is_of(to, &lease->ip, &lease->owner, err);
	if (there == FOUND_FAILED || same == FOUND_FAILED)
		return FOUND_FAILED;
	if (same == FOUND_NOT) {
		cni_log("network %s: %s of %s %s stays in %s until its DEL: another attachment has it in %s",
			place->network, ip_text(&lease->ip).s, lease->owner.container, lease->owner.ifname,
			from->name, to->name);
		return FOUND_NOT;
	}
	if (there == FOUND_NOT && home_copy(to, lease, origin, place, err) < 0)
		return FOUND_FAILED;
	if (lease_drop(from, &lease->ip, err) < 0 || record_settle(from, &lease->owner, err) < 0)
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

static int homes_move(struct homes *homes, const struct place *place, struct cni_error *err)
{
	struct home_mark after = { "" };

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
	return strcmp(after.s, homes_mark_while(homes, place).s) != 0 ? home_mark_write(place, after.s, err)
								      : 0;
}

int home_open(struct store *ret, const struct place *place, struct cni_error *err)
{
	struct homes homes;
	struct home_mark during;
	int rc = 0;

	if (place->shared)
		return store_open(ret, place, true, err) == FOUND ? 0 : -1;
	if (homes_open_as(&homes, place, true, err) != FOUND)
		return -1;
	during = homes_mark_while(&homes, place);
	if (strcmp(during.s, homes.mark.s) != 0)
		rc = home_mark_write(place, during.s, err);
	if (rc == 0 && homes.n > 1)
		rc = homes_move(&homes, place, err);
	if (rc == 0) {
		*ret = homes.present->store;
		homes.present->store = (struct store){ .leases = -1, .meta = -1, .lock = -1 };
	}
	homes_close(&homes);
	return rc;
}
