/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/past.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/file.h"
#include "cni/hash.h"

#define SLOTS 4096    /* "sticky" names of a pool */
#define NAME_ROOM 200 /* bytes of a name before it is cut and hashed */

#define SINCE "released/since"

struct entry {
	char s[NAME_MAX + 16]; /* "released/…" or "sticky/…" */
};

static struct entry past_address_entry(const char *directory, const struct ip *ip)
{
	struct entry entry;

	snprintf(entry.s, sizeof(entry.s), "%s/%s", directory, ip_text(ip).s);
	return entry;
}

/* Writes characters that file names should not have as %xx. Cuts a long name, and appends a hash of the
 * whole.
 */
static struct entry past_name_entry(size_t n, const char *name)
{
	const uint64_t hash = hash_add(HASH_START, name, strlen(name));
	struct entry entry;
	size_t used = (size_t)snprintf(entry.s, sizeof(entry.s), "sticky/%zu:", n);
	const size_t limit = used + NAME_ROOM;

	for (; *name && used < limit; name++) {
		unsigned char c = (unsigned char)*name;

		used += (size_t)snprintf(entry.s + used, sizeof(entry.s) - used,
					 isalnum(c) || strchr("._-", c) ? "%c" : "%%%02x", c);
	}
	if (*name)
		snprintf(entry.s + used, sizeof(entry.s) - used, "~%016llx", (unsigned long long)hash);
	return entry;
}

static struct entry past_slot_entry(size_t n, uint64_t position)
{
	struct entry entry;

	snprintf(entry.s, sizeof(entry.s), "sticky/%zu@%u", n, (unsigned int)(position % SLOTS));
	return entry;
}

static bool past_read_note(const struct store *store, const char *entry, char *ret, size_t size)
{
	ssize_t len = readlinkat(store->meta, entry, ret, size - 1);

	if (len < 0)
		return false;
	ret[len] = '\0';
	return true;
}

static void past_write_note(const struct store *store, const char *directory, const char *entry,
			    const char *text)
{
	if ((mkdirat(store->meta, directory, S_IRWXU) < 0 && errno != EEXIST) ||
	    (unlinkat(store->meta, entry, 0) < 0 && errno != ENOENT) ||
	    symlinkat(text, store->meta, entry) < 0)
		cni_log("cannot write the note %s: %s", entry, errno_text(errno));
}

static long long past_boot_seconds(void)
{
	struct timespec time = { 0 };

	/* it counts while the machine sleeps, and cannot be set */
	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec;
}

struct moment {
	char s[64];
};

static struct moment past_moment(const struct store *store)
{
	struct moment text;

	snprintf(text.s, sizeof(text.s), "%s %lld", store->boot.id[0] ? store->boot.id : "-",
		 past_boot_seconds());
	return text;
}

/* The age of the entry in seconds; of an earlier boot, LLONG_MAX. False: there is no such entry. */
static bool past_read_age(const struct store *store, const char *entry, long long *ret)
{
	char text[64], *at;

	if (!past_read_note(store, entry, text, sizeof(text)))
		return false;
	at = strchr(text, ' ');
	if (at)
		*at++ = '\0';
	*ret = at && !strcmp(text, store->boot.id) ? past_boot_seconds() - strtoll(at, NULL, 10) : LLONG_MAX;
	return true;
}

/*
 * Once "released" is as old as an address must wait, all notes in "released.old" are older, and void. Then
 * "released" takes its place. So each note is deleted once, and no call reads notes that are still valid.
 */
static void past_turn_over(const struct store *store, long long delay)
{
	long long age;

	if (!past_read_age(store, SINCE, &age)) {
		past_write_note(store, "released", SINCE, past_moment(store).s);
		return;
	}
	if (age < delay)
		return;
	file_each(store->meta, "released.old", file_unlink, NULL);
	unlinkat(store->meta, SINCE, 0);
	if ((unlinkat(store->meta, "released.old", AT_REMOVEDIR) < 0 && errno != ENOENT) ||
	    renameat(store->meta, "released", store->meta, "released.old") < 0)
		cni_log("cannot replace released.old: %s", errno_text(errno));
	past_write_note(store, "released", SINCE, past_moment(store).s);
}

void past_released(const struct store *store, const struct ip *ip, long long delay)
{
	past_turn_over(store, delay);
	past_write_note(store, "released", past_address_entry("released", ip).s, past_moment(store).s);
}

long long past_waits(const struct store *store, const struct ip *ip, long long delay)
{
	long long age;

	if (!delay || (!past_read_age(store, past_address_entry("released", ip).s, &age) &&
		       !past_read_age(store, past_address_entry("released.old", ip).s, &age)))
		return 0;
	return age < delay ? delay - age : 0;
}

struct waiting {
	const struct store *store;
	long long delay;
	void (*each)(void *arg, const struct ip *ip);
	void *arg;
};

static bool past_try_waiting(int dir, const char *name, void *arg)
{
	const struct waiting *waiting = arg;
	struct ip ip;

	(void)dir;
	if (ip_parse(name, &ip) && past_waits(waiting->store, &ip, waiting->delay))
		waiting->each(waiting->arg, &ip);
	return true;
}

void past_each_waiting(const struct store *store, long long delay,
		       void (*each)(void *arg, const struct ip *ip), void *arg)
{
	struct waiting waiting = { store, delay, each, arg };

	if (!delay)
		return;
	file_each(store->meta, "released", past_try_waiting, &waiting);
	file_each(store->meta, "released.old", past_try_waiting, &waiting);
}

void past_given(const struct store *store, const struct ip *ip)
{
	unlinkat(store->meta, past_address_entry("released", ip).s, 0);
	unlinkat(store->meta, past_address_entry("released.old", ip).s, 0);
}

struct ip past_of(const struct store *store, size_t n, const char *name)
{
	struct ip ip = { .family = 0 };
	char text[80];

	if (past_read_note(store, past_name_entry(n, name).s, text, sizeof(text)))
		ip_parse(text, &ip);
	return ip;
}

struct full {
	struct entry entry;
	char text[NAME_MAX + 96];
};

/* The note for the present state of the leases, which the directory's ctime identifies: no program can set
 * it.
 */
static struct full past_full_of(const struct store *store, size_t n, const char *text)
{
	struct stat st = { .st_ctim = { 0 } };
	struct full full;

	fstat(store->leases, &st);
	snprintf(full.entry.s, sizeof(full.entry.s), "full/%zu", n);
	snprintf(full.text, sizeof(full.text), "%s %lld.%09ld %s", store->boot.id,
		 (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, text);
	return full;
}

void past_full(const struct store *store, size_t n, const char *text)
{
	const struct full full = past_full_of(store, n, text);

	past_write_note(store, "full", full.entry.s, full.text);
}

bool past_was_full(const struct store *store, size_t n, const char *text)
{
	const struct full full = past_full_of(store, n, text);
	char known[sizeof(full.text)];

	return past_read_note(store, full.entry.s, known, sizeof(known)) && !strcmp(known, full.text);
}

/* Removes the entry that this one points to, unless that is the entry "but". */
static void past_forget_other(const struct store *store, const char *entry, const char *but)
{
	char text[NAME_MAX + 1];
	struct entry other;

	if (!past_read_note(store, entry, text, sizeof(text)))
		return;
	snprintf(other.s, sizeof(other.s), "sticky/%s", text);
	if (strcmp(other.s, but) != 0)
		unlinkat(store->meta, other.s, 0);
}

void past_remember(const struct store *store, size_t n, const char *name, const struct ip *ip,
		   uint64_t position)
{
	const struct entry by_name = past_name_entry(n, name), by_address = past_slot_entry(n, position);

	past_forget_other(store, by_name.s, by_address.s);
	past_forget_other(store, by_address.s, by_name.s);
	past_write_note(store, "sticky", by_name.s, ip_text(ip).s);
	past_write_note(store, "sticky", by_address.s, by_name.s + strlen("sticky/"));
}
