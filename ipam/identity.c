/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/file.h"
#include "cni/hash.h"

#define DIRECTORY "identities"
#define NEW DIRECTORY "/new"

/* Of all names together: a link has room for them, and for any state and addresses. */
#define NAMES_MAX (STORE_LINK_MAX - (sizeof("returning    ") + sizeof(((struct identity *)NULL)->addresses)))

static const char *const states[] = {
	[IDENTITY_CLAIMING] = "claiming",
	[IDENTITY_HELD] = "held",
	[IDENTITY_RETURNING] = "returning",
};

struct name {
	char s[sizeof(DIRECTORY) + 24];
};

/* The hash of both names, each with its end. What the note says is compared as well. */
static struct name identity_name_of(const struct owner *owner)
{
	uint64_t hash = hash_add(HASH_START, owner->container, strlen(owner->container) + 1);
	struct name name;

	hash = hash_add(hash, owner->ifname, strlen(owner->ifname) + 1);
	snprintf(name.s, sizeof(name.s), DIRECTORY "/%016" PRIx64, hash);
	return name;
}

static bool identity_parse(struct identity *ret, char *text)
{
	char *rest = NULL;
	const char *state = strtok_r(text, " ", &rest), *container = strtok_r(NULL, " ", &rest);
	const char *ifname = strtok_r(NULL, " ", &rest), *addresses = strtok_r(NULL, " ", &rest);
	struct identity identity = { .state = IDENTITY_CLAIMING };

	if (!addresses || !*rest || strlen(addresses) >= sizeof(identity.addresses) ||
	    strlen(container) >= sizeof(identity.container) || strlen(ifname) >= sizeof(identity.ifname) ||
	    strlen(rest) >= sizeof(identity.name))
		return false;
	while (strcmp(state, states[identity.state]) != 0)
		if (identity.state++ == IDENTITY_RETURNING)
			return false;
	memcpy(identity.container, container, strlen(container) + 1);
	memcpy(identity.ifname, ifname, strlen(ifname) + 1);
	memcpy(identity.addresses, addresses, strlen(addresses) + 1);
	memcpy(identity.name, rest, strlen(rest) + 1);
	*ret = identity;
	return true;
}

static bool identity_read_note(struct identity *ret, int dir, const char *name)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(dir, name, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	return len > 0 && identity_parse(ret, text);
}

int identity_put(const struct store *store, const struct owner *owner, enum identity_state state,
		 const char *addresses, const char *name, struct cni_error *err)
{
	const struct name entry = identity_name_of(owner);
	struct identity identity;
	char text[PATH_MAX];

	if (strlen(owner->container) >= sizeof(identity.container) ||
	    strlen(owner->ifname) >= sizeof(identity.ifname) ||
	    strlen(owner->container) + strlen(owner->ifname) + strlen(name) > NAMES_MAX)
		return cni_fail(
			err, CNI_ENVIRONMENT,
			"CNI_CONTAINERID, CNI_IFNAME or the identity is too long for a range set with "
			"\"identities\"");
	snprintf(text, sizeof(text), "%s %s %s %s %s", states[state], owner->container, owner->ifname,
		 addresses, name);
	if ((mkdirat(store->meta, DIRECTORY, S_IRWXU) < 0 && errno != EEXIST) ||
	    (unlinkat(store->meta, NEW, 0) < 0 && errno != ENOENT) || symlinkat(text, store->meta, NEW) < 0 ||
	    renameat(store->meta, NEW, store->meta, entry.s) < 0)
		return store_cannot_write(store, store->meta, entry.s, err);
	return 0;
}

enum found identity_of(struct identity *ret, const struct store *store, const struct owner *owner)
{
	struct identity identity;

	if (store->meta < 0 || !identity_read_note(&identity, store->meta, identity_name_of(owner).s) ||
	    strcmp(identity.container, owner->container) != 0 || strcmp(identity.ifname, owner->ifname) != 0)
		return FOUND_NOT;
	*ret = identity;
	return FOUND;
}

bool identity_is_of_network(const char *name, const char *network)
{
	const size_t len = strlen(network);

	return !strncmp(name, network, len) && name[len] == ' ';
}

void identity_drop(const struct store *store, const struct owner *owner)
{
	const struct name name = identity_name_of(owner);

	if (unlinkat(store->meta, name.s, 0) < 0 && errno != ENOENT)
		cni_log("cannot remove %s: %s", name.s, errno_text(errno));
}

int identity_end(const struct store *store, const struct owner *owner, struct cni_error *err)
{
	struct identity identity;

	if (identity_of(&identity, store, owner) != FOUND || identity.state == IDENTITY_RETURNING)
		return 0;
	return identity_put(store, owner, IDENTITY_RETURNING, identity.addresses, identity.name, err);
}

struct visit {
	bool (*each)(void *arg, const struct identity *identity);
	void *arg;
};

static bool identity_visit(int dir, const char *name, void *arg)
{
	const struct visit *visit = arg;
	struct identity identity;

	return !identity_read_note(&identity, dir, name) || visit->each(visit->arg, &identity);
}

void identities_each(const struct store *store, bool (*each)(void *arg, const struct identity *identity),
		     void *arg)
{
	struct visit visitor = { each, arg };

	if (store->meta >= 0)
		file_each(store->meta, DIRECTORY, identity_visit, &visitor);
}

static bool identity_is_held(void *arg, const struct identity *identity)
{
	bool *waits = arg;

	*waits |= identity->state == IDENTITY_RETURNING;
	return !*waits;
}

bool identities_wait(const struct store *store)
{
	bool waits = false;

	identities_each(store, identity_is_held, &waits);
	return waits;
}
