/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/taken.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/file.h"

struct taken_name {
	char s[sizeof("taken/") + sizeof(struct ip_str)];
};

static unsigned char taken_last_byte(const struct ip *ip)
{
	return ip->bytes[ip_size(ip) - 1];
}

static struct ip taken_with_last_byte(const struct ip *ip, unsigned char byte)
{
	struct ip other = *ip;

	other.bytes[ip_size(ip) - 1] = byte;
	return other;
}

bool taken_is_first(const struct ip *ip)
{
	return taken_last_byte(ip) == 0;
}

bool taken_is_last(const struct ip *ip)
{
	return taken_last_byte(ip) == 255;
}

struct ip taken_last(const struct ip *ip)
{
	return taken_with_last_byte(ip, 255);
}

static struct taken_name taken_name(const struct ip *ip)
{
	const struct ip first = taken_with_last_byte(ip, 0);
	struct taken_name name;

	snprintf(name.s, sizeof(name.s), "taken/%s", ip_text(&first).s);
	return name;
}

bool taken_whole(const struct store *store, const struct ip *ip)
{
	char all[4];

	return readlinkat(store->meta, taken_name(ip).s, all, sizeof(all)) > 0;
}

/* If the note cannot be written, later searches only take longer. */
void taken_note(const struct store *store, const struct ip *ip)
{
	const struct taken_name name = taken_name(ip);

	if (symlinkat("all", store->meta, name.s) < 0 && errno == ENOENT &&
	    mkdirat(store->meta, "taken", S_IRWXU) == 0)
		(void)!symlinkat("all", store->meta, name.s);
}

int taken_break(const struct store *store, const struct ip *ip)
{
	return unlinkat(store->meta, taken_name(ip).s, 0) < 0 && errno != ENOENT ? -1 : 0;
}

void taken_forget(const struct store *store)
{
	if (file_each(store->meta, "taken", file_unlink, NULL) == 0)
		unlinkat(store->meta, "taken", AT_REMOVEDIR);
}
