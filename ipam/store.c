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

/* <dataDir><between><network>: an open directory, made if that is wished. */
static enum found open_dir(int *ret, const struct place *place, const char *between, bool create, mode_t mode,
			   struct cni_error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s%s", place->data_dir, between, place->network) >=
	    (int)sizeof(path))
		return cni_fail(err, CNI_CONFIG, "ipam.dataDir is longer than a path may be");
	*ret = file_open(path, flags);
	if (*ret < 0 && errno == ENOENT && create) {
		if (file_make_path(path, mode) < 0)
			return cni_fail(err, CNI_IO, "mkdir %s: %s", path, errno_text(errno));
		*ret = file_open(path, flags);
	}
	if (*ret >= 0)
		return FOUND;
	if (errno == ENOENT && !create)
		return FOUND_NOT;
	return cni_fail(err, CNI_IO, "open %s: %s", path, errno_text(errno));
}

static int open_lock(struct store *store, const struct place *place, struct cni_error *err)
{
	/* a FIFO in its place must not stop us */
	const int flags = O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

	store->lock = openat(store->leases, "lock", flags, LOCK_MODE);
	if (store->lock < 0)
		return cni_fail(err, CNI_IO, "open %s/%s/lock: %s", place->data_dir, place->network,
				errno_text(errno));
	if (file_lock(store->lock, LOCK_PATIENCE_S) == 0)
		return 0;
	if (errno != EINTR)
		return cni_fail(err, CNI_IO, "flock %s/%s/lock: %s", place->data_dir, place->network,
				errno_text(errno));
	cni_fail(err, CNI_RETRY, "%s/%s/lock is held by another process for %d s", place->data_dir,
		 place->network, LOCK_PATIENCE_S);
	return cni_hint(err, "fuser -v %s/%s/lock tells by which", place->data_dir, place->network);
}

/* In the first second of 1970, at a moment of it that depends on the boot. */
static struct timespec seal_of(const struct store *store)
{
	struct timespec seal = { .tv_sec = 0 };

	seal.tv_nsec = (long)(strtoul(store->boot.id, NULL, 16) % 999999999) + 1;
	return seal;
}

static bool has_time(int directory, const char *name, const struct timespec *time)
{
	struct stat st;

	return fstatat(directory, name, &st, 0) == 0 && st.st_mtim.tv_sec == time->tv_sec &&
	       st.st_mtim.tv_nsec == time->tv_nsec;
}

/* Records that somebody has taken away are as incomplete as those of leases that
 * somebody has added. */
static bool is_sealed(const struct store *store)
{
	const struct timespec seal = seal_of(store);

	return store->boot.id[0] && has_time(store->leases, ".", &seal) &&
	       has_time(store->own, "owner", &seal);
}

enum found store_open(struct store *ret, const struct place *place, bool create, struct cni_error *err)
{
	struct store store = { .leases = -1, .own = -1, .lock = -1, .fsync = place->fsync };
	enum found found = open_dir(&store.leases, place, "/", create, DIR_MODE, err);

	if (found == FOUND)
		found = open_lock(&store, place, err) < 0 ? FOUND_FAILED : FOUND;
	/* host-local's store has none, which is where records begin */
	if (found == FOUND)
		found = open_dir(&store.own, place, "/.addrpool/", true, S_IRWXU, err);
	if (found != FOUND) {
		store_close(&store);
		return found;
	}
	unlinkat(store.own, "new", 0); /* of one that was killed: we have the lock */
	store.boot = file_boot();
	if (!is_sealed(&store) && records_rebuild(&store, err) < 0) {
		store.spoiled = true;
		store_close(&store);
		return FOUND_FAILED;
	}
	*ret = store;
	return FOUND;
}

void store_close(struct store *store)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, seal_of(store) };

	/* without the seal, the next one makes the records again */
	if (store->changed && !store->spoiled && store->boot.id[0] &&
	    utimensat(store->own, "owner", times, 0) == 0)
		futimens(store->leases, times);
	cleanup_close(&store->own);
	cleanup_close(&store->leases);
	cleanup_close(&store->lock);
	*store = (struct store){ .leases = -1, .own = -1, .lock = -1 };
}

struct last_name {
	char s[40];
};

static struct last_name last_name(size_t n)
{
	struct last_name name;

	snprintf(name.s, sizeof(name.s), "last_reserved_ip.%zu", n);
	return name;
}

struct ip store_last(const struct store *store, size_t n)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	autoclose int fd = openat(store->leases, last_name(n).s, flags);
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

/* Written in place, as host-local does. It decides about the order alone: torn,
 * it is no address, and the search starts at the beginning. */
int store_set_last(struct store *store, size_t n, const struct ip *ip, struct cni_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	const struct ip_str text = ip_text(ip);
	autoclose int fd = openat(store->leases, last_name(n).s, flags, STORE_FILE_MODE);
	size_t len = strlen(text.s);

	store->changed = true;
	if (fd >= 0 && write(fd, text.s, len) == (ssize_t)len)
		return 0;
	store->spoiled = true;
	return cni_fail(err, CNI_IO, "write %s: %s", last_name(n).s, errno_text(errno));
}
