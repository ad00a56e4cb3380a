/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "plugin/ledger_files.h"

#define PARENT "/run/cni"
#define ROOT PARENT "/ipvlan"
#define LOCK ROOT "/ledger.lock"
#define PATIENCE_S 60
#define DIR_MODE 0755
#define PRIVATE_DIR_MODE 0700
#define FILE_MODE 0600

/* <container>:<interface>, or a hash of it if that cannot be the name of a file. */
struct file_name page_file(const struct attachment *who)
{
	struct file_name name;
	int len = snprintf(name.s, sizeof(name.s), "%s:%s", who->container, who->ifname);

	if (len >= (int)sizeof(name.s) || strchr(name.s, '/'))
		snprintf(name.s, sizeof(name.s), "%016llx",
			 (unsigned long long)attachment_hash(who->container, who->ifname));
	return name;
}

int ledger_broken(const char *what, const char *path, struct cni_error *err)
{
	cni_fail(err, CNI_IO, "%s %s: %s", what, path, errno_text(errno));
	return cni_hint(err, "the plugin keeps a record in " ROOT
			     " of what it makes on the host; this requires root, and a /run that is writable "
			     "and not full");
}

static int ledger_open_lock(struct cni_error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_CREAT;
	int fd = open(LOCK, flags, FILE_MODE);

	if (fd < 0 && errno == ENOENT && file_make_path(PARENT, DIR_MODE) == 0 &&
	    (mkdir(ROOT, PRIVATE_DIR_MODE) == 0 || errno == EEXIST))
		fd = open(LOCK, flags, FILE_MODE);
	return fd < 0 ? ledger_broken("open", LOCK, err) : fd;
}

int ledger_wait(int fd, const char *path, struct cni_error *err)
{
	if (file_lock(fd, PATIENCE_S) == 0)
		return 0;
	if (errno != EINTR)
		return ledger_broken("flock", path, err);
	cni_fail(err, CNI_RETRY, "%s is held by another process for %d s", path, PATIENCE_S);
	return cni_hint(err, "fuser -v %s shows the process", path);
}

static int ledger_set_path(struct ledger *ledger, struct rtnl *host, struct cni_error *err)
{
	const uint64_t number = netns_number(mnl_socket_get_fd(host->sock));
	const struct boot boot = file_boot();

	*ledger = (struct ledger){ .lock = -1, .dir = -1 };
	if (!*boot.id || !number)
		return ledger_broken("read",
				     *boot.id ? "/proc/self/ns/net" : "/proc/sys/kernel/random/boot_id", err);
	snprintf(ledger->path, sizeof(ledger->path), ROOT "/%s-%llx", boot.id, (unsigned long long)number);
	return 0;
}

static enum found ledger_open_dir(struct ledger *ledger, struct cni_error *err)
{
	ledger->dir = file_open(ledger->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (ledger->dir >= 0)
		return FOUND;
	return errno == ENOENT ? FOUND_NOT : ledger_broken("open", ledger->path, err);
}

/* Sets the mode of the directory, which an earlier version made readable for all. */
static int ledger_make_dir(struct ledger *ledger, struct cni_error *err)
{
	static const char *const names[] = { "pages", "objects", "claims" };

	chmod(ROOT, PRIVATE_DIR_MODE);
	if ((mkdir(ledger->path, PRIVATE_DIR_MODE) < 0 && errno != EEXIST))
		return ledger_broken("mkdir", ledger->path, err);
	if (ledger_open_dir(ledger, err) != FOUND)
		return ledger_broken("open", ledger->path, err);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (mkdirat(ledger->dir, names[i], PRIVATE_DIR_MODE) < 0 && errno != EEXIST)
			return ledger_broken("mkdir below", ledger->path, err);
	return 0;
}

/* A ledger that a killed call has made in part has no "claims". */
static bool ledger_is_whole(const struct ledger *ledger)
{
	return ledger->dir >= 0 && faccessat(ledger->dir, "claims", F_OK, 0) == 0;
}

int ledger_lock(struct ledger *ret, struct rtnl *host, struct cni_error *err)
{
	if (ledger_set_path(ret, host, err) < 0)
		return -1;
	ret->lock = ledger_open_lock(err);
	if (ret->lock >= 0 && ledger_wait(ret->lock, LOCK, err) == 0 &&
	    ledger_open_dir(ret, err) != FOUND_FAILED &&
	    (ledger_is_whole(ret) || ledger_make_dir(ret, err) == 0) && ledger_take_over(ret, err) == 0)
		return 0;
	ledger_close(ret);
	return -1;
}

enum found ledger_open(struct ledger *ret, struct rtnl *host, struct cni_error *err)
{
	enum found found;

	if (ledger_set_path(ret, host, err) < 0)
		return FOUND_FAILED;
	found = ledger_open_dir(ret, err);
	if (found != FOUND || !ledger_is_old(ret))
		return found;
	/* a ledger of an earlier version: ledger_lock() converts it */
	ledger_close(ret);
	if (ledger_lock(ret, host, err) < 0)
		return FOUND_FAILED;
	cleanup_close(&ret->lock);
	ret->lock = -1;
	return FOUND;
}

/* The files that an ADD makes: the page under its temporary name, the page, its claim, and for an
 * object a directory and a holder. A new ledger also has five directories and the lock. */
#define FILES_OF_ADD 5
#define FILES_OF_LEDGER 6

int ledger_check(struct rtnl *host, struct cni_error *err)
{
	static const char *const parents[] = { ROOT, PARENT, "/run" };
	struct ledger ledger;

	if (ledger_set_path(&ledger, host, err) < 0)
		return -1;
	if (file_has_room(ledger.path, FILES_OF_ADD) == 0)
		return 0;
	if (errno != ENOENT)
		return ledger_broken("write in", ledger.path, err);
	for (size_t i = 0; i < sizeof(parents) / sizeof(*parents); i++) {
		if (file_has_room(parents[i], FILES_OF_ADD + FILES_OF_LEDGER) == 0)
			return 0;
		if (errno != ENOENT)
			return ledger_broken("write in", parents[i], err);
	}
	return ledger_broken("write in", PARENT, err);
}

int ledger_lock_open(struct ledger *ledger, struct cni_error *err)
{
	ledger->lock = ledger_open_lock(err);
	if (ledger->lock >= 0 && ledger_wait(ledger->lock, LOCK, err) == 0)
		return 0;
	ledger_unlock(ledger);
	return -1;
}

int ledger_lock_surveys(const struct ledger *ledger)
{
	autoclose int fd = file_open(ledger->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	return fd >= 0 && file_lock(fd, PATIENCE_S) == 0 ? take_fd(&fd) : -1;
}

void ledger_unlock(struct ledger *ledger)
{
	cleanup_close(&ledger->lock);
	ledger->lock = -1;
}

void ledger_close(struct ledger *ledger)
{
	cleanup_close(&ledger->dir);
	cleanup_close(&ledger->lock);
	ledger->dir = ledger->lock = -1;
}
