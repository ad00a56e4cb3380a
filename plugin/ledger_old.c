/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "plugin/ledger_files.h"

/*
 * The ledger of version 0.1.0, in the same directory:
 *
 *	attachments/<container>:<interface>	a page, of lines
 *	held/<object>/<container>:<interface>	a holder: a symbolic link to the pod's namespace
 *
 *	container c1
 *	ifname eth0
 *	network net
 *	netns 4026532345/1001
 *	anchor dev 3
 *	route to 192.168.9.0/24 via 10.138.36.66 dev 3
 *
 * The first call that locks the ledger converts each page to the present form. A file that it
 * cannot read becomes an unreadable page.
 */
#define OLD_LOCK "/run/cni/ipvlan/lock"
#define OLD_LOCK_PATIENCE_S 2
#define LINE_MAX_LEN 256

static bool old_copy(char *ret, size_t size, const char *value)
{
	return snprintf(ret, size, "%s", value) < (int)size;
}

/* The values of a line, by their keys. */
struct old_words {
	const char *name, *to, *via, *lladdr, *dev, *id, *src;
};

static bool old_read_words(struct old_words *ret, char *rest)
{
	const struct {
		const char *key;
		const char **value;
	} all[] = {
		{ "name", &ret->name }, { "to", &ret->to }, { "via", &ret->via }, { "lladdr", &ret->lladdr },
		{ "dev", &ret->dev },	{ "id", &ret->id }, { "src", &ret->src },
	};
	char *key, *value;

	*ret = (struct old_words){ .name = "" };
	while ((key = strtok_r(NULL, " ", &rest)) && (value = strtok_r(NULL, " ", &rest))) {
		size_t i = 0;

		while (i < sizeof(all) / sizeof(*all) && strcmp(key, all[i].key) != 0)
			i++;
		if (i == sizeof(all) / sizeof(*all))
			return false;
		*all[i].value = value;
	}
	return !key;
}

/* Reads ipv4/conf/eth0/forwarding, with the name that the interface had. */
static bool old_read_sysctl(struct object *ret, const char *name)
{
	char interface[IFNAMSIZ], key[64];

	if (sscanf(name, "ipv4/conf/%15[^/]/%63s", interface, key) != 2)
		return false;
	*ret = object_sysctl((int)if_nametoindex(interface), key);
	return ret->dev;
}

static bool old_read_words_of(struct object *ret, const char *line)
{
	char copy[LINE_MAX_LEN], *rest = NULL;
	struct prefix to = { .len = 0 };
	struct ip via = { .family = 0 }, src = { .family = 0 };
	struct old_words words;
	const char *kind;
	int dev;

	if (!old_copy(copy, sizeof(copy), line))
		return false;
	kind = strtok_r(copy, " ", &rest);
	if (!kind || !old_read_words(&words, rest) || (words.to && !prefix_parse(words.to, &to)) ||
	    (words.via && !ip_parse(words.via, &via)) || (words.src && !ip_parse(words.src, &src)))
		return false;
	dev = words.dev ? (int)strtol(words.dev, NULL, 10) : 0;
	if (!strcmp(kind, "anchor"))
		*ret = object_anchor(dev, 0);
	else if (!strcmp(kind, "access"))
		*ret = object_access(dev);
	else if (!strcmp(kind, "route") && words.to)
		*ret = object_route(dev, &to, &via, &src);
	else if (!strcmp(kind, "neighbour") && words.to && words.lladdr)
		*ret = object_neighbour(dev, &to.ip, words.lladdr);
	else if (!strcmp(kind, "sysctl"))
		return old_read_sysctl(ret, words.name);
	else if (!strcmp(kind, "vlan") && words.id)
		*ret = object_vlan(dev, (unsigned int)strtoul(words.id, NULL, 10), words.name);
	else if (!strcmp(kind, "dummy"))
		*ret = object_dummy(words.name, 0);
	else if (!strcmp(kind, "resolv.conf"))
		*ret = object_resolv(words.name, NULL);
	else if (!strcmp(kind, "table"))
		*ret = object_table();
	else if (!strcmp(kind, "masquerade") && words.to)
		*ret = object_masquerade(&to);
	else
		return false;
	return true;
}

/* Fails for an object that this version cannot write. */
static bool old_read_object(struct object *ret, const char *line)
{
	json_auto_t *doc = old_read_words_of(ret, line) ? object_json(ret) : NULL;
	struct object again;

	return doc && object_read(&again, doc) && object_agrees(ret, &again);
}

/* A sysctl of an interface that does not exist under that name is ignored. */
static bool old_is_switch(const char *line)
{
	return !strncmp(line, "sysctl ", strlen("sysctl "));
}

/* The rest of the next line after key, with which the line must begin. */
static const char *old_take_head(char **rest, const char *key)
{
	const size_t len = strlen(key);
	const char *line = *rest;

	if (!line || strncmp(line, key, len) != 0)
		return NULL;
	strsep(rest, "\n");
	return line + len;
}

/* Returns false if a line has an unknown form. */
static bool old_read_page(struct page *ret, char *rest, struct cni_error *err)
{
	const char *netns, *line;

	ret->path = "";
	ret->container = old_take_head(&rest, "container ");
	ret->ifname = old_take_head(&rest, "ifname ");
	ret->network = old_take_head(&rest, "network ");
	if (!ret->container || !ret->ifname || !ret->network)
		return false;
	netns = old_take_head(&rest, "netns ");
	if (netns)
		ret->netns = netns_id_parse(netns);
	while ((line = strsep(&rest, "\n"))) {
		struct object object;

		if (!*line)
			continue;
		if (old_read_object(&object, line) ? page_append(ret, &object, err) < 0
						   : !old_is_switch(line))
			return false;
	}
	return true;
}

static int old_write_again(const struct ledger *ledger, const struct page *page, struct cni_error *err)
{
	if (page_write(ledger, page, NULL, err) < 0 || page_claim(ledger, page, err) < 0)
		return -1;
	for (size_t i = 0; i < page->n_objects; i++)
		if (hold_write(ledger, page, &page->objects[i], err) < 0)
			return -1;
	return 0;
}

static int old_take_page(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err)
{
	struct page page = { .n_objects = 0 };
	autofree char *text = NULL;
	char path[sizeof("attachments/") + NAME_MAX], same[sizeof("pages/") + NAME_MAX];
	int rc = 0;

	(void)arg;
	snprintf(path, sizeof(path), "attachments/%s", name);
	snprintf(same, sizeof(same), "pages/%s", name);
	if (file_text(&text, ledger->dir, path, err) == FOUND_FAILED)
		return -1;
	if (text && old_read_page(&page, text, err)) {
		rc = old_write_again(ledger, &page, err);
		if (rc == 0 && unlinkat(ledger->dir, path, 0) < 0)
			rc = ledger_broken("unlink", path, err);
	} else if (text && renameat(ledger->dir, path, ledger->dir, same) < 0) {
		rc = ledger_broken("rename", path, err);
	}
	page_free(&page);
	return rc;
}

static int old_drop_holder(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err)
{
	char path[sizeof("held//") + NAME_MAX + NAME_MAX];

	snprintf(path, sizeof(path), "held/%s/%s", (const char *)arg, name);
	return unlinkat(ledger->dir, path, 0) < 0 ? ledger_broken("unlink", path, err) : 0;
}

static int old_drop_object(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err)
{
	char path[NAME_MAX + sizeof("held/")], copy[NAME_MAX + 1];

	(void)arg;
	snprintf(path, sizeof(path), "held/%s", name);
	snprintf(copy, sizeof(copy), "%s", name);
	if (each_file(ledger, path, old_drop_holder, copy, err) < 0)
		return -1;
	return unlinkat(ledger->dir, path, AT_REMOVEDIR) < 0 ? ledger_broken("rmdir", path, err) : 0;
}

bool ledger_is_old(const struct ledger *ledger)
{
	return faccessat(ledger->dir, "attachments", F_OK, 0) == 0;
}

int ledger_take_over(struct ledger *ledger, struct cni_error *err)
{
	autoclose int lock = -1;

	if (!ledger_is_old(ledger))
		return 0;
	/* any user may hold this lock, so the wait is short */
	lock = file_open(OLD_LOCK, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (lock >= 0)
		file_lock(lock, OLD_LOCK_PATIENCE_S);
	if (each_file(ledger, "attachments", old_take_page, NULL, err) < 0 ||
	    each_file(ledger, "held", old_drop_object, NULL, err) < 0)
		return -1;
	if ((unlinkat(ledger->dir, "held", AT_REMOVEDIR) < 0 && errno != ENOENT) ||
	    unlinkat(ledger->dir, "attachments", AT_REMOVEDIR) < 0)
		return ledger_broken("rmdir below", ledger->path, err);
	return 0;
}
