/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/places.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/conflist.h"
#include "cni/json.h"
#include "plugin/delegate.h"

const char *places_confs(void)
{
	const char *dir = getenv("NETCONFPATH");

	return dir && *dir ? dir : "/etc/cni/net.d";
}

const char *places_plugins(void)
{
	return delegate_path();
}

bool places_is_conf(const char *name)
{
	static const char *const endings[] = { ".conf", ".conflist", ".json" };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < 3; i++)
		if (!strcmp(dot, endings[i]))
			return true;
	return false;
}

static int places_is_conf_name(const struct dirent *entry)
{
	return places_is_conf(entry->d_name);
}

json_t *places_list_in(const char *dir, struct cni_error *err)
{
	struct dirent **entries;
	json_t *list;
	int n = scandir(dir, &entries, places_is_conf_name, alphasort);

	if (n < 0 && errno != ENOENT) {
		cni_fail(err, CNI_IO, "cannot read %s: %s", dir, errno_text(errno));
		return NULL;
	}
	list = json_array();
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		json_array_append_new(list, json_stringn_nocheck(path, strlen(path)));
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return list;
}

json_t *places_list(struct cni_error *err)
{
	return places_list_in(places_confs(), err);
}

static bool places_has_network(const char *file, const char *name)
{
	json_auto_t *plugins = conflist_read(file, NULL);
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		const char *found = json_string_value(json_field(plugin, "name"));

		if (found && !strcmp(found, name))
			return true;
	}
	return false;
}

json_t *places_named(const char *name, struct cni_error *err)
{
	json_auto_t *files = places_list(err);
	json_t *named = files ? json_array() : NULL, *file;
	size_t i;

	json_array_foreach(files, i, file)
		if (places_has_network(json_string_value(file), name))
			json_array_append(named, file);
	if (!named || json_array_size(named))
		return named;
	if (access(name, F_OK) == 0) {
		json_array_append_new(named, json_stringn_nocheck(name, strlen(name)));
		return named;
	}
	json_decref(named);
	cni_fail(err, CNI_CONFIG, "there is no network \"%s\" in %s, and no file of that name", name,
		 places_confs());
	cni_hint(err, "ipvlanctl pools lists the networks that have pools");
	return NULL;
}

/* The directory of ipvlanctl. */
static void places_program_dir(char *ret, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", ret, size - 1);
	char *slash;

	ret[len < 0 ? 0 : len] = '\0';
	slash = strrchr(ret, '/');
	if (slash)
		*slash = '\0';
}

const char *places_path(void)
{
	static char *
		path; /* static, since a caller may set CNI_PATH to it: a second call must not append again */
	char dir[PATH_MAX];

	places_program_dir(dir, sizeof(dir));
	if (!path && asprintf(&path, "%s:%s", places_plugins(), dir) < 0)
		abort();
	return path;
}

void places_beside(const char *program, char *ret, size_t size)
{
	char dir[PATH_MAX];

	places_program_dir(dir, sizeof(dir));
	snprintf(ret, size, "%s/%s", dir, program);
}

int places_find(const char *program, char *ret, size_t size, struct cni_error *err)
{
	return delegate_find(program, places_path(), ret, size, err);
}

const char *places_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
