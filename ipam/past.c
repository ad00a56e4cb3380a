#include "ipam/past.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"

/* Room for a name, and for what tells two long ones apart. */
#define NAME_ROOM 200

struct entry {
	char s[NAME_MAX + 16]; /* "released/…" or "sticky/…" */
};

static struct entry address_entry(const char *directory, const struct ip *ip)
{
	struct entry entry;

	snprintf(entry.s, sizeof(entry.s), "%s/%s", directory, ip_text(ip).s);
	return entry;
}

/* What is no file name is written as %xx, and what is too long for one is cut,
 * with a hash of the whole behind it. */
static struct entry name_entry(size_t n, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
	struct entry entry;
	size_t used = (size_t)snprintf(entry.s, sizeof(entry.s), "sticky/%zu:", n);
	const size_t limit = used + NAME_ROOM;

	for (; *name && used < limit; name++) {
		unsigned char c = (unsigned char)*name;

		hash = (hash ^ c) * 0x100000001b3;
		used += (size_t)snprintf(entry.s + used, sizeof(entry.s) - used,
					 isalnum(c) || strchr("._-", c) ? "%c" : "%%%02x", c);
	}
	if (*name) {
		for (; *name; name++)
			hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
		snprintf(entry.s + used, sizeof(entry.s) - used, "~%016llx", (unsigned long long)hash);
	}
	return entry;
}

static bool get(const struct store *store, const char *entry, char *ret, size_t size)
{
	ssize_t len = readlinkat(store->own, entry, ret, size - 1);

	if (len < 0)
		return false;
	ret[len] = '\0';
	return true;
}

static void put(const struct store *store, const char *directory, const char *entry, const char *text)
{
	if ((mkdirat(store->own, directory, S_IRWXU) < 0 && errno != EEXIST) ||
	    (unlinkat(store->own, entry, 0) < 0 && errno != ENOENT) || symlinkat(text, store->own, entry) < 0)
		cni_log("cannot remember %s: %s", entry, errno_text(errno));
}

static long long now(void)
{
	struct timespec time = { 0 };

	/* goes on while the machine sleeps, and nobody can set it */
	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec;
}

void past_released(const struct store *store, const struct ip *ip)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %lld", store->boot.id[0] ? store->boot.id : "-", now());
	put(store, "released", address_entry("released", ip).s, text);
}

long long past_waits(const struct store *store, const struct ip *ip, long long delay)
{
	char text[64], *at;
	long long waits;

	if (!delay || !get(store, address_entry("released", ip).s, text, sizeof(text)))
		return 0;
	at = strchr(text, ' ');
	if (!at)
		return 0;
	*at++ = '\0';
	/* an earlier boot is long ago */
	if (strcmp(text, store->boot.id) != 0)
		return 0;
	waits = strtoll(at, NULL, 10) + delay - now();
	return waits > 0 ? waits : 0;
}

void past_each_waiting(const struct store *store, long long delay,
		       void (*each)(void *arg, const struct ip *ip), void *arg)
{
	int fd = delay ? openat(store->own, "released", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct ip ip;

	if (!dir) {
		cleanup_close(&fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (ip_parse(entry->d_name, &ip) && past_waits(store, &ip, delay))
			each(arg, &ip);
	closedir(dir);
}

void past_given(const struct store *store, const struct ip *ip)
{
	unlinkat(store->own, address_entry("released", ip).s, 0);
}

struct ip past_of(const struct store *store, size_t n, const char *name)
{
	struct ip ip = { .family = 0 };
	char text[80];

	if (get(store, name_entry(n, name).s, text, sizeof(text)))
		ip_parse(text, &ip);
	return ip;
}

/* Removes what the entry points to, if that does not point back to it any more. */
static void forget(const struct store *store, const char *entry, const char *but)
{
	char text[NAME_MAX + 1];
	struct entry other;

	if (!get(store, entry, text, sizeof(text)))
		return;
	snprintf(other.s, sizeof(other.s), "sticky/%s", text);
	if (strcmp(other.s, but) != 0)
		unlinkat(store->own, other.s, 0);
}

void past_remember(const struct store *store, size_t n, const char *name, const struct ip *ip)
{
	const struct entry by_name = name_entry(n, name), by_address = address_entry("sticky", ip);

	forget(store, by_name.s, by_address.s);
	forget(store, by_address.s, by_name.s);
	put(store, "sticky", by_name.s, ip_text(ip).s);
	put(store, "sticky", by_address.s, by_name.s + strlen("sticky/"));
}
