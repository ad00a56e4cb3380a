/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "ipam/record.h"

#define LOCK_PATIENCE_S 60

/* host-local's modes */
#define LOCK_MODE 0750
#define DIR_MODE 0755

#define SECONDS_OF_1970 31536000

int store_remedy(int error, struct cni_error *err)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return cni_hint(err,
				"make room on that file system; a new \"dataDir\" in ipam requires that the "
				"network has no pod on this node");
	case EROFS:
		return cni_hint(
			err,
			"mount that file system for writing; a new \"dataDir\" in ipam requires that the "
			"network has no pod on this node");
	case EACCES:
	case EPERM:
		return cni_hint(err, "the plugin must run as root, and that file system must let root write");
	case EEXIST:
	case EISDIR:
	case ENOTDIR:
	case ELOOP:
		return cni_hint(
			err, "another file has that path or a part of it: remove it, or set \"dataDir\" in "
			     "ipam to another directory");
	case EIO:
		return cni_hint(err, "the disk fails: see the kernel's log");
	default:
		return -1;
	}
}

struct store_path {
	char s[PATH_MAX];
};

static struct store_path store_path(const struct store *store, int directory, const char *name)
{
	struct store_path path;

	if (snprintf(path.s, sizeof(path.s), "%s/%s%s/%s", store->data_dir,
		     directory == store->meta ? ".addrpool/" : "", store->name, name) >= (int)sizeof(path.s))
		snprintf(path.s, sizeof(path.s), "%s", name);
	return path;
}

int store_cannot_write(const struct store *store, int directory, const char *name, struct cni_error *err)
{
	const int error = errno;

	cni_fail(err, CNI_IO, "cannot write %s: %s", store_path(store, directory, name).s, errno_text(error));
	return store_remedy(error, err);
}

int store_cannot_remove(const struct store *store, int directory, const char *name, struct cni_error *err)
{
	const int error = errno;

	cni_fail(err, CNI_IO, "cannot remove %s: %s", store_path(store, directory, name).s,
		 errno_text(error));
	return store_remedy(error, err);
}

/* Opens the directory <dataDir><between><network>; with create, makes it if it does not exist. */
static enum found store_open_dir(int *ret, const struct place *place, const char *between, bool create,
				 mode_t mode, struct cni_error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY;
	char path[PATH_MAX];
	bool not_directory;

	if (snprintf(path, sizeof(path), "%s%s%s", place->data_dir, between, place->store) >=
	    (int)sizeof(path))
		return cni_fail(err, CNI_CONFIG, "ipam.dataDir is longer than a path may be");
	*ret = file_open(path, flags);
	if (*ret < 0 && errno == ENOENT && create) {
		if (file_make_path(path, mode) < 0) {
			const int error = errno;

			cni_fail(err, CNI_IO, "mkdir %s: %s", path, errno_text(error));
			return store_remedy(error, err);
		}
		*ret = file_open(path, flags);
	}
	if (*ret >= 0)
		return FOUND;
	if (errno == ENOENT && !create)
		return FOUND_NOT;
	not_directory = errno == ENOTDIR;
	cni_fail(err, CNI_IO, "open %s: %s", path, errno_text(errno));
	return not_directory ? store_remedy(ENOTDIR, err) : -1;
}

/* A process that can open the lock file can hold the lock for ever: only owner and group may open it. */
static int store_keep_others_out(int lock)
{
	struct stat st;

	if (fstat(lock, &st) < 0)
		return -1;
	return st.st_mode & S_IRWXO ? fchmod(lock, st.st_mode & (S_IRWXU | S_IRWXG)) : 0;
}

static int store_open_lock(struct store *store, const struct place *place, struct cni_error *err)
{
	/* a FIFO in its place must not stop us */
	const int flags = O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

	store->lock = openat(store->leases, "lock", flags, LOCK_MODE);
	if (store->lock < 0 || store_keep_others_out(store->lock) < 0)
		return cni_fail(err, CNI_IO, "open %s/%s/lock: %s", place->data_dir, place->store,
				errno_text(errno));
	if (file_lock(store->lock, LOCK_PATIENCE_S) == 0)
		return 0;
	if (errno != EINTR)
		return cni_fail(err, CNI_IO, "flock %s/%s/lock: %s", place->data_dir, place->store,
				errno_text(errno));
	cni_fail(err, CNI_RETRY, "%s/%s/lock is held by another process for %d s", place->data_dir,
		 place->store, LOCK_PATIENCE_S);
	return cni_hint(err, "fuser -v %s/%s/lock names that process", place->data_dir, place->store);
}

/* The seal's time: an even second of 1970 that depends on the boot. */
static struct timespec store_seal_of(const struct store *store)
{
	const unsigned long boot = strtoul(store->boot.id, NULL, 16);

	return (struct timespec){ .tv_sec = (time_t)(2 + boot % (SECONDS_OF_1970 / 2 - 1) * 2) };
}

static bool store_has_time(int directory, const char *name, const struct timespec *time)
{
	struct stat st;

	return fstatat(directory, name, &st, 0) == 0 && st.st_mtim.tv_sec == time->tv_sec &&
	       st.st_mtim.tv_nsec == time->tv_nsec;
}

/* Both directories must have the seal, since another program may have added leases or removed records. */
static bool store_is_sealed(const struct store *store)
{
	const struct timespec seal = store_seal_of(store);

	return store->boot.id[0] && store_has_time(store->leases, ".", &seal) &&
	       store_has_time(store->meta, "owner", &seal);
}

enum found store_open(struct store *ret, const struct place *place, bool create, struct cni_error *err)
{
	struct store store = { .leases = -1,
			       .meta = -1,
			       .lock = -1,
			       .data_dir = place->data_dir,
			       .name = place->store,
			       .fsync = place->fsync };
	enum found found = store_open_dir(&store.leases, place, "/", create, DIR_MODE, err);

	if (found == FOUND)
		found = store_open_lock(&store, place, err) < 0 ? FOUND_FAILED : FOUND;
	/* a store that only host-local has used has no such directory yet */
	if (found == FOUND)
		found = store_open_dir(&store.meta, place, "/.addrpool/", true, S_IRWXU, err);
	if (found != FOUND) {
		store_close(&store);
		return found;
	}
	unlinkat(store.meta, "new", 0); /* a killed call has left it, since this one has the lock */
	store.boot = file_boot();
	if (!store_is_sealed(&store) && records_rebuild(&store, err) < 0) {
		store.spoiled = true;
		store_close(&store);
		return FOUND_FAILED;
	}
	*ret = store;
	return FOUND;
}

enum found store_look(struct store *ret, const struct place *place, struct cni_error *err)
{
	struct store store = { .leases = -1,
			       .meta = -1,
			       .lock = -1,
			       .data_dir = place->data_dir,
			       .name = place->store,
			       .boot = file_boot() };
	enum found found = store_open_dir(&store.leases, place, "/", false, DIR_MODE, err);

	/* FOUND_NOT: only host-local has used the store */
	if (found == FOUND &&
	    store_open_dir(&store.meta, place, "/.addrpool/", false, S_IRWXU, err) == FOUND_FAILED)
		found = FOUND_FAILED;
	if (found == FOUND)
		*ret = store;
	else
		store_close(&store);
	return found;
}

void store_close(struct store *store)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, store_seal_of(store) };

	/* without the seal the next call makes the records again */
	if (store->changed && !store->spoiled && store->boot.id[0] &&
	    utimensat(store->meta, "owner", times, 0) == 0)
		futimens(store->leases, times);
	cleanup_close(&store->meta);
	cleanup_close(&store->leases);
	cleanup_close(&store->lock);
	*store = (struct store){ .leases = -1, .meta = -1, .lock = -1 };
}

struct last_name {
	char s[40];
};

static struct last_name store_last_name(size_t n)
{
	struct last_name name;

	snprintf(name.s, sizeof(name.s), "last_reserved_ip.%zu", n);
	return name;
}

struct ip store_last(const struct store *store, size_t n)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	autoclose int fd = openat(store->leases, store_last_name(n).s, flags);
	struct ip last = { .family = 0 };
	char text[64];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (len > 0) {
		text[len] = '\0';
		if (strlen(text) == (size_t)len)
			ip_parse(text, &last);
	}
	return last;
}

/* Writes in place, as host-local does. A torn file is not an address: the search then starts at the
 * beginning. */
int store_set_last(struct store *store, size_t n, const struct ip *ip, struct cni_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	const struct ip_str text = ip_text(ip);
	autoclose int fd = openat(store->leases, store_last_name(n).s, flags, STORE_FILE_MODE);
	size_t len = strlen(text.s);

	store->changed = true;
	if (fd >= 0 && write(fd, text.s, len) == (ssize_t)len)
		return 0;
	store->spoiled = true;
	return store_cannot_write(store, store->leases, store_last_name(n).s, err);
}
