/* SPDX-License-Identifier: Apache-2.0 */
#include "node/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "cni/json.h"

#define PATIENCE_S 30
#define FILE_MAX (256 << 20)

/* The one before is still in place if the process was killed before it renamed the last. */
#define SIGNATURES 2

static int place_fails(const char *path, struct cni_error *err)
{
	return cni_fail(err, CNI_IO, "cannot write %s: %s", path, errno_text(errno));
}

static char *place_path(const struct place *place, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", place->keep, name) < 0)
		abort();
	return path;
}

/* The copy's name is the path, whose slashes would lead elsewhere. */
static char *place_kept(const struct place *place, const char *path)
{
	char *kept;

	if (asprintf(&kept, "%s/kept/%s", place->keep, path) < 0)
		abort();
	for (char *c = kept + strlen(place->keep) + strlen("/kept/"); *c; c++)
		if (*c == '/')
			*c = '+';
	return kept;
}

/* Of the instance that began at that time; it holds the file's lock while it runs. */
static char *place_running(const struct place *place, long long since)
{
	char *path;

	if (asprintf(&path, "%s/running/%lld", place->keep, since) < 0)
		abort();
	return path;
}

static void place_leave(struct place *place)
{
	autofree char *running = place_running(place, place->since);

	if (place->running < 0)
		return;
	unlink(running);
	close(place->running);
	place->running = -1;
}

void place_close(struct place *place)
{
	place_leave(place);
	if (place->instances >= 0)
		close(place->instances);
	place->instances = -1;
}

/* Does the instance run? Removes the file of one that was killed. If that cannot be found out, it does. */
static bool place_runs(const struct place *place, long long since)
{
	autofree char *running = place_running(place, since);
	autoclose int fd = file_open(running, O_RDONLY);

	if (fd < 0)
		return errno != ENOENT;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return true;
	unlink(running);
	return false;
}

/* Makes and locks the file of this instance. Another instance may have begun in the same nanosecond, or may
 * be about to remove the file. */
static int place_enter(struct place *place)
{
	for (;; place->since++) {
		autofree char *running = place_running(place, place->since);
		autoclose int fd = open(running, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		const bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
		struct stat st;

		if (fd < 0 || (!locked && errno != EWOULDBLOCK) || fstat(fd, &st) < 0)
			return -1;
		if (!locked || !st.st_nlink)
			continue;
		place->running = take_fd(&fd);
		return 0;
	}
}

/* Returns 1 if the instance before has removed the file while we waited for it, 0, or -1 with errno. */
static int place_join(struct place *place, const char *path)
{
	struct stat st;

	place->instances = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (place->instances < 0 || flock(place->instances, LOCK_SH) < 0 || fstat(place->instances, &st) < 0)
		return -1;
	if (st.st_nlink)
		return 0;
	place_close(place);
	return 1;
}

static long long place_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int place_open(struct place *ret, const char *keep, struct cni_error *err)
{
	autofree char *kept = NULL, *instances = NULL, *running = NULL;
	int rc;

	*ret = (struct place){ .keep = keep, .instances = -1, .running = -1, .since = place_now() };
	kept = place_path(ret, "kept");
	running = place_path(ret, "running");
	instances = place_path(ret, "instances");
	do {
		if (file_make_path(kept, 0700) < 0 || file_make_path(running, 0700) < 0)
			return place_fails(ret->keep, err);
		rc = place_join(ret, instances);
		if (rc == 0 && place_enter(ret) < 0) {
			if (errno != ENOENT)
				return place_fails(running, err);
			place_close(ret);
			rc = 1; /* the instance before has removed the directory */
		}
	} while (rc > 0);
	return rc < 0 ? place_fails(instances, err) : 0;
}

bool place_is_last(const struct place *place)
{
	return flock(place->instances, LOCK_EX | LOCK_NB) == 0;
}

char *place_read(const char *path, size_t *len, struct cni_error *err)
{
	autoclose int fd = file_open(path, O_RDONLY | O_NONBLOCK);
	autofree char *bytes = NULL;
	struct stat st;
	char *whole;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		if (fd >= 0)
			errno = EINVAL;
		cni_fail(err, CNI_IO, "cannot read %s: %s", path, errno_text(errno));
		return NULL;
	}
	bytes = malloc((size_t)st.st_size + 1);
	for (*len = 0; bytes && n > 0 && *len<(size_t)st.st_size; *len += n> 0 ? (size_t)n : 0)
		n = read(fd, bytes + *len, (size_t)st.st_size - *len);
	if (!bytes || n < 0) {
		cni_fail(err, CNI_IO, "cannot read %s: %s", path, errno_text(errno));
		return NULL;
	}
	bytes[*len] = '\0';
	whole = bytes;
	bytes = NULL;
	return whole;
}

/* Of a file that is being written: beside the path, and hidden from those who list it. */
static char *place_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *beside;

	if (asprintf(&beside, "%.*s.%s.new", (int)(slash + 1 - path), path, slash + 1) < 0)
		abort();
	return beside;
}

static int place_write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, bytes, len);

		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Its name is not yet the path. */
static int place_prepare(const char *beside, const struct content *content, const struct timespec *modified)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
					   modified ? *modified : (struct timespec){ .tv_nsec = UTIME_NOW } };
	autoclose int fd = -1;

	unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || place_write_all(fd, content->bytes, content->len) < 0 ||
	    fchmod(fd, content->mode & 07777) < 0 || futimens(fd, times) < 0 || fsync(fd) < 0)
		return -1;
	return 0;
}

static int place_sync_directory(const char *path)
{
	autofree char *dir = strndup(path, (size_t)(strrchr(path, '/') + 1 - path));
	autoclose int fd = dir ? file_open(dir, O_RDONLY | O_DIRECTORY) : -1;

	return fd < 0 ? -1 : fsync(fd);
}

static int place_rename(const char *beside, const char *path)
{
	if (rename(beside, path) == 0)
		return place_sync_directory(path);
	unlink(beside);
	return -1;
}

static int place_write(const char *path, const struct content *content, const struct timespec *modified,
		       struct cni_error *err)
{
	autofree char *beside = place_beside(path);

	if (place_prepare(beside, content, modified) < 0 || place_rename(beside, path) < 0)
		return place_fails(path, err);
	return 0;
}

/* A link is copied as a link: the programs of some distributions are links to one file. */
static int place_copy_link(const char *from, const char *to, struct cni_error *err)
{
	autofree char *beside = place_beside(to);
	char target[PATH_MAX] = "";

	if (readlink(from, target, sizeof(target) - 1) < 0)
		return cni_fail(err, CNI_IO, "cannot read %s: %s", from, errno_text(errno));
	unlink(beside);
	if (symlink(target, beside) < 0 || place_rename(beside, to) < 0)
		return place_fails(to, err);
	return 0;
}

/* With mode and time, so that it is found as it was. */
static int place_copy(const char *from, const char *to, struct cni_error *err)
{
	struct content content = { 0 };
	autofree char *bytes = NULL;
	struct stat st;

	if (lstat(from, &st) < 0)
		return cni_fail(err, CNI_IO, "cannot read %s: %s", from, errno_text(errno));
	if (S_ISLNK(st.st_mode))
		return place_copy_link(from, to, err);
	bytes = place_read(from, &content.len, err);
	content.bytes = bytes;
	content.mode = st.st_mode;
	return bytes ? place_write(to, &content, &st.st_mtim, err) : -1;
}

/* The record, which the caller releases. NULL with CNI_IO, CNI_DECODE. */
static json_t *place_record(const struct place *place, struct cni_error *err)
{
	autofree char *path = place_path(place, "placed.json"), *text = NULL;
	size_t len;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return json_object();
	text = place_read(path, &len, err);
	return text ? json_read(text, len, err) : NULL;
}

static int place_record_write(const struct place *place, const json_t *record, struct cni_error *err)
{
	autofree char *path = place_path(place, "placed.json"), *text = json_dumps(record, JSON_INDENT(1));
	const struct content content = { .bytes = text, .len = text ? strlen(text) : 0, .mode = 0600 };

	return text ? place_write(path, &content, NULL, err) : cni_fail(err, CNI_RETRY, "out of memory");
}

static void place_signature(const struct stat *st, char *ret, size_t size)
{
	snprintf(ret, size, "%lld %lld.%09ld", (long long)st->st_size, (long long)st->st_mtim.tv_sec,
		 st->st_mtim.tv_nsec);
}

/* Is what is in place something that an instance has placed? */
static bool place_is_ours(const json_t *record, const char *path, const struct stat *st)
{
	const json_t *signatures = json_object_get(json_object_get(record, path), "placed"), *entry;
	char signature[64];
	size_t i;

	place_signature(st, signature, sizeof(signature));
	json_array_foreach(signatures, i, entry)
		if (json_is_string(entry) && !strcmp(json_string_value(entry), signature))
			return true;
	return false;
}

/* Has an instance placed it that began after this one, and still runs? */
static bool place_is_later(const struct place *place, const json_t *record, const char *path)
{
	const json_t *entry = json_object_get(record, path);
	const char *boot = json_string_value(json_object_get(entry, "boot"));
	const long long since = json_integer_value(json_object_get(entry, "since"));

	return boot && !strcmp(boot, file_boot().id) && since > place->since && place_runs(place, since);
}

/* beside: the file that is about to be renamed to path. */
static int place_remember(const struct place *place, json_t *record, const char *path, const char *beside,
			  struct cni_error *err)
{
	json_t *signatures = json_incref(json_object_get(json_object_get(record, path), "placed"));
	char signature[64];
	struct stat st;

	if (lstat(beside, &st) < 0) {
		json_decref(signatures);
		return place_fails(beside, err);
	}
	if (!json_is_array(signatures))
		signatures = json_array();
	place_signature(&st, signature, sizeof(signature));
	json_array_append_new(signatures, json_string(signature));
	while (json_array_size(signatures) > SIGNATURES)
		json_array_remove(signatures, 0);
	json_object_set_new(record, path,
			    json_pack("{s:o, s:s, s:I}", "placed", signatures, "boot", file_boot().id,
				      "since", (json_int_t)place->since));
	return place_record_write(place, record, err);
}

bool place_has(const char *path, const struct content *content)
{
	autofree char *bytes = NULL;
	struct stat st;
	size_t len;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size != content->len ||
	    (st.st_mode & 07777) != content->mode)
		return false;
	bytes = place_read(path, &len, NULL);
	return bytes && len == content->len && !memcmp(bytes, content->bytes, len);
}

static int place_replace(const struct place *place, json_t *record, const char *path,
			 const struct content *content, struct cni_error *err)
{
	autofree char *beside = place_beside(path);

	if (place_prepare(beside, content, NULL) < 0)
		return place_fails(path, err);
	if (place_remember(place, record, path, beside, err) < 0) {
		unlink(beside);
		return -1;
	}
	return place_rename(beside, path) == 0 ? 0 : place_fails(path, err);
}

static enum placed place_put_locked(const struct place *place, const char *path,
				    const struct content *content, struct cni_error *err)
{
	json_auto_t *record = place_record(place, err);
	autofree char *kept = place_kept(place, path);
	bool there, ours;
	struct stat st;

	if (!record)
		return PLACE_FAILED;
	there = lstat(path, &st) == 0;
	if (!there && errno != ENOENT) {
		place_fails(path, err);
		return PLACE_FAILED;
	}
	ours = there && place_is_ours(record, path, &st);
	if ((there && place_has(path, content)) || (ours && place_is_later(place, record, path)))
		return PLACE_SAME;
	if ((there && !ours && place_copy(path, kept, err) < 0) ||
	    place_replace(place, record, path, content, err) < 0)
		return PLACE_FAILED;
	return there && !ours ? PLACE_REPLACED : PLACE_WRITTEN;
}

/* Calls of several instances come one after the other. Returns the lock's descriptor. */
static int place_lock(const struct place *place, struct cni_error *err)
{
	autofree char *path = place_path(place, "lock");
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || file_lock(fd, PATIENCE_S) < 0)
		return place_fails(path, err);
	return take_fd(&fd);
}

enum placed place_put(const struct place *place, const char *path, const struct content *content,
		      struct cni_error *err)
{
	autoclose int lock = place_lock(place, err);

	return lock < 0 ? PLACE_FAILED : place_put_locked(place, path, content, err);
}

static int place_undo_one(const struct place *place, const json_t *record, const char *path,
			  struct cni_error *err)
{
	autofree char *kept = place_kept(place, path);
	struct stat st;
	const bool there = lstat(path, &st) == 0, ours = there && place_is_ours(record, path, &st);

	if (there && !ours) {
		cni_log("%s was written by others since it was placed: it stays", path);
	} else if (lstat(kept, &st) == 0) {
		if (place_copy(kept, path, err) < 0)
			return -1;
		cni_log("put back %s", path);
	} else if (ours && unlink(path) < 0) {
		return place_fails(path, err);
	} else if (ours) {
		cni_log("removed %s", path);
	}
	unlink(kept);
	return 0;
}

/* The last of the record's paths, or NULL. */
static const char *place_last(json_t *record)
{
	const char *path, *last = NULL;
	json_t *entry;

	json_object_foreach(record, path, entry)
		last = path;
	return last;
}

static int place_undo_all(const struct place *place, struct cni_error *err)
{
	json_auto_t *record = place_record(place, err);
	const char *path;

	if (!record)
		return -1;
	while ((path = place_last(record))) {
		if (place_undo_one(place, record, path, err) < 0)
			return -1;
		json_object_del(record, path);
		if (place_record_write(place, record, err) < 0)
			return -1;
	}
	return 0;
}

/* The locks stay until the end: another instance may wait for them. */
int place_undo(const struct place *place, struct cni_error *err)
{
	static const char *const left[] = { "placed.json", "lock", "instances" };
	autoclose int lock = place_lock(place, err);
	autofree char *kept = place_path(place, "kept"), *running = place_path(place, "running");

	if (lock < 0 || place_undo_all(place, err) < 0)
		return -1;
	file_each(AT_FDCWD, running, file_unlink, NULL);
	rmdir(running);
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		autofree char *path = place_path(place, left[i]);

		unlink(path);
	}
	rmdir(kept);
	rmdir(place->keep);
	return 0;
}
