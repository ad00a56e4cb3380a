/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/home.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/plugin.h"
#include "ipam/record.h"

/* Stores in which the network may have leases, besides its present one. */
struct former {
	char pool[NAME_MAX + 1]; /* its last pool; "": none */
	bool network;		 /* the store with the network's name */
};

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

static struct path home_mark_path(const struct place *place)
{
	return home_path_of(place, ".addrpool/", place->network, "/pool");
}

/* Reads the name of the last pool. Ignores a text that is not a name, since it could lead out of dataDir. */
static int home_read_mark(struct former *ret, const struct place *place, struct cni_error *err)
{
	const struct path path = home_mark_path(place);
	ssize_t len = readlink(path.s, ret->pool, sizeof(ret->pool));

	if (len < 0 && (errno == EIO || errno == ENOMEM))
		return cni_fail(err, CNI_IO, "read %s: %s", path.s, errno_text(errno));
	if (len < 0 || len == (ssize_t)sizeof(ret->pool))
		len = 0;
	ret->pool[len] = '\0';
	if (!is_identifier(ret->pool) || !strcmp(ret->pool, place->network))
		ret->pool[0] = '\0';
	return 0;
}

/* Without this note a later call does not find the leases after "pool" was removed; so a failure is reported.
 */
static void home_write_mark(const struct place *place)
{
	const struct path path = home_mark_path(place),
			  dir = home_path_of(place, ".addrpool/", place->network, "");

	if ((mkdir(dir.s, S_IRWXU) < 0 && errno != EEXIST) || (unlink(path.s) < 0 && errno != ENOENT) ||
	    symlink(place->store, path.s) < 0)
		cni_log("cannot write %s: %s", path.s, errno_text(errno));
}

static bool home_is_lease(int dir, const char *name, void *arg)
{
	bool *found = arg;
	struct ip ip;

	(void)dir;
	*found = ip_parse(name, &ip);
	return !*found;
}

/* True also if the directory cannot be read: then opening it reports the error. */
static bool home_has_leases(const struct place *place, const char *store)
{
	bool found = false;

	return (file_each(AT_FDCWD, home_path_of(place, "", store, "").s, home_is_lease, &found) < 0 &&
		errno != ENOENT && errno != ENOTDIR) ||
	       found;
}

bool home_left_behind(struct place *ret, const struct place *place)
{
	*ret = *place;
	ret->store = place->network;
	return place_is_pool(place) && home_has_leases(place, place->network);
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

static int home_move(struct store *to, struct store *from, const struct lease *lease,
		     const struct origin *origin, const struct place *place, struct cni_error *err)
{
	enum found there = lease_exists(to, &lease->ip, err), same = FOUND;

	if (there == FOUND)
		same = lease_is_of(to, &lease->ip, &lease->owner, err);
	if (there == FOUND_FAILED || same == FOUND_FAILED)
		return -1;
	if (same == FOUND_NOT) {
		cni_log("network %s: %s of %s %s stays in %s until its DEL: another attachment has it in "
			"pool %s",
			place->network, ip_text(&lease->ip).s, lease->owner.container, lease->owner.ifname,
			place->network, place->store);
		return 0;
	}
	if (there == FOUND_NOT && home_copy(to, lease, origin, place, err) < 0)
		return -1;
	if (lease_drop(from, &lease->ip, err) < 0)
		return -1;
	return record_settle(from, &lease->owner, err);
}

/* Is it a lease of this network? An empty file is not a lease. */
static bool home_is_of_network(const struct lease *lease, const struct origin *origin,
			       const struct place *from)
{
	return *lease->owner.container && origin_owner(origin, from) == NETWORK_OURS;
}

static int home_move_all(struct store *to, struct store *from, const struct place *there,
			 const struct place *place, struct cni_error *err)
{
	struct leases leases;
	int rc = leases_read(&leases, from, err);

	for (size_t i = 0; rc == 0 && i < leases.n; i++) {
		struct origin origin;

		rc = origin_of(&origin, from, &leases.list[i], err);
		if (rc == 0 && home_is_of_network(&leases.list[i], &origin, there))
			rc = home_move(to, from, &leases.list[i], &origin, place, err);
	}
	leases_free(&leases);
	return rc;
}

static int home_move_from(const char *name, struct store *to, const struct place *place,
			  struct cni_error *err)
{
	struct place there = *place;
	struct store from;
	enum found found;
	int rc;

	there.store = name;
	found = store_open(&from, &there, false, err);
	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	rc = home_move_all(to, &from, &there, place, err);
	store_close(&from);
	return rc;
}

static int home_move_in(struct store *store, const struct place *place, const struct former *former,
			struct cni_error *err)
{
	if (former->network && home_move_from(place->network, store, place, err) < 0)
		return -1;
	if (!*former->pool || !strcmp(former->pool, place->store))
		return 0;
	if (home_move_from(former->pool, store, place, err) < 0)
		return -1;
	if (!place_is_pool(place))
		unlink(home_mark_path(place).s);
	return 0;
}

static enum found home_open_after(struct store *ret, const struct place *place, struct former *former,
				  bool create, struct cni_error *err)
{
	enum found found;

	former->network = place_is_pool(place) && home_has_leases(place, place->network);
	if (!*former->pool && !place_is_pool(place))
		return store_open(ret, place, create, err);
	create |= former->network || (*former->pool && strcmp(former->pool, place->store) != 0 &&
				      home_has_leases(place, former->pool));
	found = store_open(ret, place, create, err);
	if (found != FOUND)
		return found;
	if (home_move_in(ret, place, former, err) < 0) {
		store_close(ret);
		return FOUND_FAILED;
	}
	if (place_is_pool(place) && strcmp(former->pool, place->store) != 0)
		home_write_mark(place);
	return FOUND;
}

enum found home_open(struct store *ret, const struct place *place, bool create, struct cni_error *err)
{
	struct former former = { .network = false };

	if (place->shared)
		return store_open(ret, place, create, err);
	if (home_read_mark(&former, place, err) < 0)
		return FOUND_FAILED;
	return home_open_after(ret, place, &former, create, err);
}

/* FOUND_NOT: another call has moved the leases meanwhile. */
static enum found home_is_last(const struct place *place, const struct last_pool *last, struct cni_error *err)
{
	struct former now;

	if (place->store != last->s)
		return FOUND;
	if (home_read_mark(&now, place, err) < 0)
		return FOUND_FAILED;
	return strcmp(now.pool, last->s) != 0 ? FOUND_NOT : FOUND;
}

static enum found home_open_once(struct store *ret, struct place *place, struct last_pool *last,
				 struct cni_error *err)
{
	struct former former = { .network = false };

	if (home_read_mark(&former, place, err) < 0)
		return FOUND_FAILED;
	if (*former.pool && home_has_leases(place, former.pool)) {
		memcpy(last->s, former.pool, sizeof(last->s));
		place->store = last->s;
	}
	return home_open_after(ret, place, &former, false, err);
}

#define MOVES 3 /* how often other calls may move the leases while this one waits for their lock */

enum found home_open_last(struct store *ret, struct place *place, struct last_pool *last,
			  struct cni_error *err)
{
	const struct place configured = *place;

	if (place->shared)
		return store_open(ret, place, false, err);
	for (int tries = 0;; tries++) {
		const enum found found = home_open_once(ret, place, last, err);
		const enum found same = found == FOUND ? home_is_last(place, last, err) : FOUND;

		if (same == FOUND || (same == FOUND_NOT && tries == MOVES))
			return found;
		store_close(ret);
		if (same == FOUND_FAILED)
			return same;
		*place = configured;
	}
}
