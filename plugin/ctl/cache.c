/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/base64.h"
#include "cni/cleanup.h"
#include "cni/conflist.h"
#include "cni/file.h"
#include "cni/json.h"

#define ENTRY_MAX (1 << 20)

/* libcni's default, and the directory that Podman and others set. */
static const char *const places[] = { "/var/lib/cni/results", "/var/lib/cni/cache/results" };

static const char *cache_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_field(object, key));

	return text ? text : "";
}

static json_t *cache_config(const json_t *entry)
{
	size_t len = 0;
	autofree char *text = base64_decode(cache_text(entry, "config"), &len);
	json_auto_t *doc = text ? json_loadb(text, len, 0, NULL) : NULL;

	return doc ? conflist_plugins(doc) : NULL;
}

static bool cache_has_ipvlan(const json_t *plugins)
{
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin)
		if (!strcmp(cache_text(plugin, "type"), "ipvlan"))
			return true;
	return false;
}

static bool cache_add(int dir, const char *name, void *arg)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	autofree char *text = malloc(ENTRY_MAX);
	json_auto_t *entry = NULL, *plugins = NULL;
	json_t *cache = arg, *result;
	struct stat st;
	ssize_t len;

	if (fd < 0 || !text || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return true;
	len = read(fd, text, ENTRY_MAX);
	entry = len > 0 ? json_loadb(text, (size_t)len, 0, NULL) : NULL;
	plugins = entry ? cache_config(entry) : NULL;
	result = json_field(entry, "result");
	if (plugins && cache_has_ipvlan(plugins))
		json_array_append_new(cache, json_pack("{s:s, s:s, s:s, s:O, s:O?}", "container",
						       cache_text(entry, "containerId"), "interface",
						       cache_text(entry, "ifName"), "network",
						       cache_text(entry, "networkName"), "plugins", plugins,
						       "result", result));
	return true;
}

json_t *cache_read(void)
{
	json_t *cache = json_array();

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		file_each(AT_FDCWD, places[i], cache_add, cache);
	return cache;
}

const json_t *cache_of(const json_t *cache, const char *container, const char *ifname)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(cache, i, entry)
		if (!strcmp(cache_text(entry, "container"), container) &&
		    !strcmp(cache_text(entry, "interface"), ifname))
			return entry;
	return NULL;
}
