#include "ctl/places.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "plugin/delegate.h"

const char *places_confs(void)
{
	const char *dir = getenv("NETCONFPATH");

	return dir && *dir ? dir : "/etc/cni/net.d";
}

const char *places_plugins(void)
{
	const char *path = getenv("CNI_PATH");

	return path && *path ? path : "/opt/cni/bin:/usr/lib/cni";
}

static int is_conf(const struct dirent *entry)
{
	static const char *const endings[] = { ".conf", ".conflist", ".json" };
	const char *dot = strrchr(entry->d_name, '.');

	for (size_t i = 0; dot && i < 3; i++)
		if (!strcmp(dot, endings[i]))
			return 1;
	return 0;
}

json_t *places_list(struct cni_error *err)
{
	struct dirent **entries;
	json_t *list;
	int n = scandir(places_confs(), &entries, is_conf, alphasort);

	if (n < 0 && errno != ENOENT) {
		cni_fail(err, CNI_IO, "cannot read %s: %s", places_confs(), errno_text(errno));
		return NULL;
	}
	list = json_array();
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", places_confs(), entries[i]->d_name);
		json_array_append_new(list, json_stringn_nocheck(path, strlen(path)));
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return list;
}

/* Without the name of the program. */
static void own_dir(char *ret, size_t size)
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
	static char *path; /* it does not become longer when it is put into CNI_PATH */
	char own[PATH_MAX];

	own_dir(own, sizeof(own));
	if (!path && asprintf(&path, "%s:%s", places_plugins(), own) < 0)
		abort();
	return path;
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
