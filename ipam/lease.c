/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/lease.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "ipam/taken.h"

#define LEASE_MAX 4096 /* bytes; a container's name and an interface's */

bool owner_equal(const struct owner *a, const struct owner *b)
{
	return !strcmp(a->container, b->container) && !strcmp(a->ifname, b->ifname);
}

/*
 * Reads the owner from the lease called name, without leading and trailing blanks. *ret points into text. The
 * owner is "" if the file is empty, or contains only zero bytes, as on some file systems after a power
 * failure. FOUND_NOT: there is no such regular file.
 */
static enum found lease_read_owner(const struct store *store, const char *name, char text[LEASE_MAX],
				   struct owner *ret, struct timespec *since, struct cni_error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	autoclose int fd = openat(store->leases, name, flags);
	struct stat st;
	ssize_t len;
	char *line;

	if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENXIO))
		return FOUND_NOT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return cni_fail(err, CNI_IO, "open lease %s: %s", name, errno_text(errno));
	if (!S_ISREG(st.st_mode))
		return FOUND_NOT;
	len = read(fd, text, LEASE_MAX - 1);
	if (len < 0)
		return cni_fail(err, CNI_IO, "read lease %s: %s", name, errno_text(errno));
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	text[len] = '\0';
	while (isspace((unsigned char)*text))
		text++;
	line = strstr(text, "\r\n");
	ret->container = text;
	ret->ifname = line ? line + 2 : "";
	if (line)
		*line = '\0';
	if (since)
		*since = st.st_mtim;
	return FOUND;
}

enum found lease_exists(const struct store *store, const struct ip *ip, struct cni_error *err)
{
	struct stat st;

	if (fstatat(store->leases, ip_text(ip).s, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return st.st_size || !S_ISREG(st.st_mode) ? FOUND : FOUND_NOT;
	if (errno == ENOENT)
		return FOUND_NOT;
	return cni_fail(err, CNI_IO, "stat lease %s: %s", ip_text(ip).s, errno_text(errno));
}

enum found lease_is_of(const struct store *store, const struct ip *ip, const struct owner *owner,
		       struct cni_error *err)
{
	char text[LEASE_MAX];
	struct owner found;
	enum found there = lease_read_owner(store, ip_text(ip).s, text, &found, NULL, err);

	return there != FOUND ? there : owner_equal(&found, owner) ? FOUND : FOUND_NOT;
}

static int lease_write_text(const struct store *store, int fd, const char *text, size_t len)
{
	return write(fd, text, len) == (ssize_t)len && (!store->fsync || fdatasync(fd) == 0) ? 0 : -1;
}

/* Writes "new" with its whole content. One file serves all addresses of an attachment. */
int lease_write(const struct store *store, const struct owner *owner, struct cni_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	autofree char *text = NULL;
	autoclose int fd = -1;
	int len = asprintf(&text, "%s\r\n%s", owner->container, owner->ifname);

	if (len < 0)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (len >= LEASE_MAX)
		return cni_fail(err, CNI_ENVIRONMENT, "CNI_CONTAINERID is longer than %d characters",
				LEASE_MAX);
	fd = openat(store->meta, "new", flags, STORE_FILE_MODE);
	if (fd >= 0 && lease_write_text(store, fd, text, (size_t)len) == 0)
		return 0;
	store_cannot_write(store, store->meta, "new", err);
	if (fd >= 0)
		lease_unwrite(store);
	return -1;
}

void lease_unwrite(const struct store *store)
{
	unlinkat(store->meta, "new", 0);
}

/*
 * Copies "new" into place, if the file system has no hard links, or the leases are on another one. The copy
 * gets the time of the original, so that the record vouches for it; see record.c.
 */
static int lease_copy_new(const struct store *store, const char *name, struct cni_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	autoclose int from = openat(store->meta, "new", O_RDONLY | O_CLOEXEC);
	autoclose int to = openat(store->leases, STORE_COPY, flags, STORE_FILE_MODE);
	struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };
	char text[LEASE_MAX];
	ssize_t len = from < 0 ? -1 : read(from, text, sizeof(text));
	struct stat st;

	if (len < 0 || to < 0 || fstat(from, &st) < 0)
		return store_cannot_write(store, store->leases, name, err);
	times[1] = st.st_mtim;
	if (lease_write_text(store, to, text, (size_t)len) == 0 && futimens(to, times) == 0 &&
	    renameat(store->leases, STORE_COPY, store->leases, name) == 0)
		return 0;
	store_cannot_write(store, store->leases, name, err);
	unlinkat(store->leases, STORE_COPY, 0);
	return -1;
}

static bool lease_has_no_links(int error)
{
	return error == EXDEV || error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK;
}

static int lease_link_new(struct store *store, const struct ip *ip, struct cni_error *err)
{
	const struct ip_str name = ip_text(ip);

	store->changed = true;
	for (int attempt = 0; attempt < 2; attempt++) {
		if (linkat(store->meta, "new", store->leases, name.s, 0) == 0)
			return 0;
		if (lease_has_no_links(errno) && lease_exists(store, ip, err) == FOUND_NOT)
			return lease_copy_new(store, name.s, err);
		/* a killed host-local has left an empty file */
		if (errno != EEXIST || lease_exists(store, ip, err) != FOUND_NOT ||
		    unlinkat(store->leases, name.s, 0) < 0)
			break;
	}
	return store_cannot_write(store, store->leases, name.s, err);
}

int lease_take(struct store *store, const struct ip *ips, size_t n, struct cni_error *err)
{
	size_t taken = 0;
	int rc = 0;

	for (; rc == 0 && taken < n; taken += rc == 0)
		rc = lease_link_new(store, &ips[taken], err);
	lease_unwrite(store);
	if (rc == 0 && store->fsync && fsync(store->leases) < 0)
		rc = store_cannot_write(store, store->leases, "", err);
	if (rc == 0)
		return 0;
	store->spoiled = true;
	while (taken-- > 0)
		lease_drop(store, &ips[taken], NULL);
	return -1;
}

int lease_drop(struct store *store, const struct ip *ip, struct cni_error *err)
{
	store->changed = true;
	if (taken_break(store, ip) == 0 &&
	    (unlinkat(store->leases, ip_text(ip).s, 0) == 0 || errno == ENOENT))
		return 0;
	store->spoiled = true;
	return store_cannot_remove(store, store->leases, ip_text(ip).s, err);
}

static int lease_append(struct leases *leases, size_t *room, const struct lease *lease, struct cni_error *err)
{
	if (leases->n == *room) {
		struct lease *bigger = realloc(leases->list, (*room * 2 + 64) * sizeof(*bigger));

		if (!bigger)
			return cni_fail(err, CNI_RETRY, "out of memory");
		leases->list = bigger;
		*room = *room * 2 + 64;
	}
	leases->list[leases->n++] = *lease;
	return 0;
}

static enum found lease_read_named(const struct store *store, const char *name, struct lease *lease,
				   struct cni_error *err)
{
	char text[LEASE_MAX];
	struct owner owner;
	enum found found = lease_read_owner(store, name, text, &owner, &lease->since, err);
	size_t container, ifname;

	if (found != FOUND)
		return found;
	/* both strings in one allocation */
	container = strlen(owner.container) + 1;
	ifname = strlen(owner.ifname) + 1;
	lease->text = malloc(container + ifname);
	if (!lease->text)
		return cni_fail(err, CNI_RETRY, "out of memory");
	memcpy(lease->text, owner.container, container);
	memcpy(lease->text + container, owner.ifname, ifname);
	lease->owner = (struct owner){ .container = lease->text, .ifname = lease->text + container };
	return FOUND;
}

enum found lease_read(struct lease *ret, const struct store *store, const struct ip *ip,
		      struct cni_error *err)
{
	*ret = (struct lease){ .ip = *ip, .owner = { "", "" } };
	return lease_read_named(store, ip_text(ip).s, ret, err);
}

struct reading {
	const struct store *store;
	struct leases leases;
	size_t room;
	bool owners;
	struct cni_error *err;
	int rc;
};

static bool lease_read_one(int dir, const char *name, void *arg)
{
	struct reading *reading = arg;
	struct lease lease = { .owner = { "", "" } };
	enum found found = FOUND;

	(void)dir;
	if (!ip_parse(name, &lease.ip) || strcmp(name, ip_text(&lease.ip).s) != 0)
		return true;
	if (reading->owners)
		found = lease_read_named(reading->store, name, &lease, reading->err);
	if (found == FOUND_FAILED)
		reading->rc = -1;
	if (found == FOUND && lease_append(&reading->leases, &reading->room, &lease, reading->err) < 0) {
		free(lease.text);
		reading->rc = -1;
	}
	return reading->rc == 0;
}

static int lease_read_all(struct leases *ret, const struct store *store, bool owners, struct cni_error *err)
{
	struct reading reading = { .store = store, .owners = owners, .err = err };
	int rc = file_each(store->leases, ".", lease_read_one, &reading);

	*ret = reading.leases;
	if (rc < 0)
		return cni_fail(err, CNI_IO, "read leases: %s", errno_text(errno));
	return reading.rc;
}

int leases_read(struct leases *ret, const struct store *store, struct cni_error *err)
{
	return lease_read_all(ret, store, true, err);
}

int leases_read_names(struct leases *ret, const struct store *store, struct cni_error *err)
{
	return lease_read_all(ret, store, false, err);
}

int lease_by_address(const void *a, const void *b)
{
	const struct lease *x = a, *y = b;

	if (x->ip.family != y->ip.family)
		return x->ip.family < y->ip.family ? -1 : 1;
	return ip_compare(&x->ip, &y->ip);
}

void leases_free(struct leases *leases)
{
	for (size_t i = 0; i < leases->n; i++)
		free(leases->list[i].text);
	free(leases->list);
	*leases = (struct leases){ 0 };
}
