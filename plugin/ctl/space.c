/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "cni/json.h"
#include "ctl/examine.h"
#include "ctl/progress.h"

#define LEDGER_DIR "/run/cni/ipvlan"
#define LEDGER_LOCK LEDGER_DIR "/ledger.lock"
#define CACHE_DIR "/var/lib/cni/results"

/* An ADD writes less. */
#define ENOUGH 65536

/* Calls hold a lock for moments. A process that holds it this long hangs. */
#define LOCK_LOOKS 20
#define LOCK_PAUSE_NS 100000000L

/* Writes to a file without a name, which leaves nothing. Returns 0 or an errno. */
static int space_try_to_write(const char *dir)
{
	static const char zeros[4096];
	autoclose int fd = openat(AT_FDCWD, dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	struct statvfs st;

	if (fd >= 0)
		return write(fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros) ? 0 : errno ? errno : ENOSPC;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
		return errno;
	/* the file system has no files without a name */
	if (access(dir, W_OK | X_OK) < 0)
		return errno;
	if (statvfs(dir, &st) == 0 && st.f_blocks && st.f_bfree * st.f_frsize < ENOUGH)
		return ENOSPC;
	return 0;
}

/* Finds the directory, or the existing one above it. Returns 0, or an errno about *ret. */
static int space_existing(const char *path, char ret[PATH_MAX])
{
	struct stat st;

	snprintf(ret, PATH_MAX, "%s", path);
	for (;;) {
		char *slash = strrchr(ret, '/');

		if (stat(ret, &st) == 0)
			return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
		if ((errno != ENOENT && errno != ENOTDIR) || !slash || slash == ret)
			return errno;
		*slash = '\0';
	}
}

static const char *space_remedy_of(int error, const char *key)
{
	switch (error) {
	case ENOTDIR:
		return *key ? "move the file away, or set \"dataDir\" to another directory"
			    : "move the file away";
	case EROFS:
		return "mount it read-write";
	case ENOSPC:
	case EDQUOT:
		return "free some space: du -xh on that file system";
	case EPERM:
		return "lsattr -d: it may be immutable (chattr -i)";
	default:
		return "";
	}
}

/* purpose: of the directory. key: the key that sets the directory, or "". */
static void space_examine_directory(struct exam *exam, const char *path, const char *purpose, const char *key)
{
	char dir[PATH_MAX];
	int error = space_existing(path, dir);

	if (!error)
		error = space_try_to_write(dir);
	if (error)
		report(exam->report, ERROR, "space", space_remedy_of(error, key),
		       "cannot write in %s, for %s: %s", dir, purpose, errno_text(error));
	else
		report(exam->report, OK, "space", NULL, "%s is writable", path);
}

/* The directory of the leases: that of the network, or of the pool that networks share. */
static void space_store_of(const struct exam *exam, char *ret, size_t size)
{
	snprintf(ret, size, "%s/%s", stores_dir(exam->plugin), stores_name(exam->plugin));
}

void examine_space(struct exam *exam)
{
	char leases[PATH_MAX];

	if (exam->ranges.pool) {
		space_store_of(exam, leases, sizeof(leases));
		space_examine_directory(exam, leases, "leases", "dataDir");
	}
	space_examine_directory(exam, LEDGER_DIR, "the plugin's ledger", "");
	if (exam->sound & OF_CNI)
		space_examine_directory(exam, CACHE_DIR, "the runtime's results", "");
}

/* Returns the process of "1: FLOCK  ADVISORY  WRITE 708 08:01:1052 0 EOF", if the file is this one; or 0. */
static int space_holder_in(char *line, const struct stat *st)
{
	const char *words[6] = { "", "", "", "", "", "" };
	char *rest = NULL, *at;
	size_t n = 0;
	unsigned long major, minor;

	for (char *word = strtok_r(line, " ", &rest); word && n < 6; word = strtok_r(NULL, " ", &rest))
		words[n++] = word;
	if (strcmp(words[1], "FLOCK") != 0)
		return 0;
	major = strtoul(words[5], &at, 16);
	minor = strtoul(at + (*at == ':'), &at, 16);
	if (strtoul(at + (*at == ':'), NULL, 10) != st->st_ino ||
	    makedev((unsigned int)major, (unsigned int)minor) != st->st_dev)
		return 0;
	return (int)strtol(words[4], NULL, 10);
}

/* Returns the id of the process that locks the file by flock(2); 0: none, or none that we see. */
static int space_holder_of(const char *path)
{
	FILE *locks = fopen("/proc/locks", "re");
	struct stat st;
	char line[256];
	int found = 0;

	if (locks && stat(path, &st) == 0)
		while (!found && fgets(line, sizeof(line), locks))
			found = space_holder_in(line, &st);
	if (locks)
		fclose(locks);
	return found;
}

/* The process that took the lock may have ended, while a child still has the file open. */
static bool space_has_open(const char *pid, const char *path)
{
	char dir[64];
	struct dirent **entries;
	bool found = false;
	int n;

	snprintf(dir, sizeof(dir), "/proc/%.16s/fd", pid);
	n = scandir(dir, &entries, NULL, NULL);
	for (int i = 0; i < n; i++) {
		char link[sizeof(dir) + NAME_MAX + 2], to[PATH_MAX];
		ssize_t len;

		snprintf(link, sizeof(link), "%s/%s", dir, entries[i]->d_name);
		len = found ? -1 : readlink(link, to, sizeof(to));
		found |= len == (ssize_t)strlen(path) && !memcmp(to, path, (size_t)len);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return found;
}

static int space_is_process(const struct dirent *entry)
{
	return *entry->d_name >= '1' && *entry->d_name <= '9';
}

static int space_opener_of(const char *path)
{
	struct dirent **entries;
	int n = scandir("/proc", &entries, space_is_process, NULL), found = 0;

	for (int i = 0; i < n; i++) {
		if (!found && space_has_open(entries[i]->d_name, path))
			found = (int)strtol(entries[i]->d_name, NULL, 10);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return found;
}

/* "process 708 (addrpool)" */
struct space_process_text {
	char s[64];
};

static struct space_process_text space_process_text(int pid)
{
	char path[64], comm[32] = "";
	struct space_process_text text;
	autoclose int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = file_open(path, O_RDONLY);
	if (fd >= 0 && read(fd, comm, sizeof(comm) - 1) > 0)
		comm[strcspn(comm, "\n")] = '\0';
	snprintf(text.s, sizeof(text.s), pid ? "process %d (%s)" : "a process", pid, comm);
	return text;
}

/* Returns false if the same process keeps it. */
static bool space_examine_lock(struct exam *exam, const char *path)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	const int holder = space_holder_of(path);

	for (int i = 0; holder && i < LOCK_LOOKS; i++) {
		progress("waiting for %s", path);
		nanosleep(&pause, NULL);
		if (space_holder_of(path) != holder)
			return true;
	}
	if (!holder)
		return true;
	report(exam->report, ERROR, "lock",
	       "find out why the process hangs: calls wait for the lock for a minute, and then fail",
	       "%s keeps %s locked",
	       space_process_text(kill(holder, 0) == 0 ? holder : space_opener_of(path)).s, path);
	return false;
}

void examine_locks(struct exam *exam)
{
	char store[PATH_MAX], path[PATH_MAX + 8];
	bool is_free = space_examine_lock(exam, LEDGER_LOCK);

	space_store_of(exam, store, sizeof(store));
	snprintf(path, sizeof(path), "%s/lock", store);
	if (exam->ranges.pool)
		is_free &= space_examine_lock(exam, path);
	if (is_free)
		exam->sound |= SOUND_LOCK;
}
