/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/conflist.h"
#include "cni/json.h"
#include "ctl/examine.h"
#include "ctl/places.h"
#include "ctl/runtimes.h"

static bool files_has_ending(const char *path, const char *ending)
{
	const char *dot = strrchr(places_name(path), '.');

	return dot && !strcmp(dot, ending);
}

static bool files_is_ipvlan(const json_t *plugin)
{
	const char *type = json_string_value(json_field(plugin, "type"));

	return type && !strcmp(type, "ipvlan");
}

static bool files_has_ipvlan(const json_t *plugins)
{
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin)
		if (files_is_ipvlan(plugin))
			return true;
	return false;
}

/* libcni reads a *.conflist only as a list. Runtimes read other files as single configurations. */
void examine_content(struct report *report_, const char *path, const json_t *doc)
{
	const char *name = places_name(path);
	const char *dot = strrchr(name, '.');
	char remedy[2 * NAME_MAX + 32];

	if (!json_field(doc, "plugins") && files_has_ending(path, ".conflist") && json_field(doc, "type")) {
		snprintf(remedy, sizeof(remedy), "mv %s %.*s.conf, or make it a list with \"plugins\"", name,
			 (int)(dot - name), name);
		report(report_, ERROR, "file", remedy,
		       "%s is a single configuration, and runtimes read a .conflist as a list", name);
	} else if (json_field(doc, "plugins") &&
		   (files_has_ending(path, ".conf") || files_has_ending(path, ".json"))) {
		snprintf(remedy, sizeof(remedy), "mv %s %.*s.conflist", name, (int)(dot - name), name);
		report(report_, ERROR, "file", remedy,
		       "%s is a list, and runtimes read lists only from a .conflist", name);
	}
	if (json_is_object(doc) && !json_field(doc, "kind") && !json_field(doc, "name"))
		report(report_, ERROR, "file", "add a \"name\"", "%s has no \"name\"", name);
	if (json_is_array(json_field(doc, "plugins")) && !json_array_size(json_field(doc, "plugins")))
		report(report_, ERROR, "file", "", "%s has no plugin in \"plugins\"", name);
}

static int files_is_other(const struct dirent *entry)
{
	return *entry->d_name != '.' && !places_is_conf(entry->d_name);
}

/* Ignores files without ipvlan, and copies of a file that runtimes read. */
static void files_examine_other(struct report *report_, const char *path)
{
	json_auto_t *plugins = conflist_read(path, NULL);
	const char *name = places_name(path);
	char remedy[2 * NAME_MAX + 16];
	const char *dot = strrchr(name, '.');

	if (!files_has_ipvlan(plugins))
		return;
	snprintf(remedy, sizeof(remedy), "mv %s %.*s.%s", name, (int)(dot ? dot - name : (long)strlen(name)),
		 name, json_array_size(plugins) > 1 ? "conflist" : "conf");
	report(report_, WARNING, "file", remedy,
	       "%s has a network of type ipvlan, and runtimes read only .conf, .conflist and .json", name);
}

static size_t files_examine_others(struct report *report_)
{
	struct dirent **entries;
	const size_t before = report_->n[WARNING];
	int n = scandir(places_confs(), &entries, files_is_other, alphasort);

	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", places_confs(), entries[i]->d_name);
		files_examine_other(report_, path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return report_->n[WARNING] - before;
}

/* "bridge, macvlan": each type once. */
static void files_types_in(const json_t *files, char *ret, size_t size)
{
	json_auto_t *types = json_object();
	const json_t *file, *plugin;
	const char *type;
	json_t *value;
	size_t i, k, used = 0;

	json_array_foreach(files, i, file) {
		json_auto_t *plugins = conflist_read(json_string_value(file), NULL);

		json_array_foreach(plugins, k, plugin) {
			type = json_string_value(json_field(plugin, "type"));
			if (type)
				json_object_set_new(types, type, json_true());
		}
	}
	*ret = '\0';
	json_object_foreach(types, type, value)
		if (used < size)
			used += (size_t)snprintf(ret + used, size - used, "%s%s", used ? ", " : "", type);
}

static void files_examine_nothing(struct report *report_, const json_t *files)
{
	const struct runtime *podman = runtimes_with_driver();
	const char *dir = places_confs();
	struct stat st;
	char types[256];

	if (podman)
		report(report_, OK, "runtime", NULL,
		       "%s %s uses netavark and finds the driver ipvlan-netavark, which requires no file in "
		       "%s",
		       podman->name, podman->version, dir);
	else if (stat(dir, &st) < 0 && errno == ENOENT)
		report(report_, WARNING, "configuration",
		       "make the directory, and put a configuration into it",
		       "there is no network of type ipvlan in %s: the directory does not exist", dir);
	else if (files_examine_others(report_))
		return;
	else if (!json_array_size(files))
		report(report_, WARNING, "configuration", "ipvlanctl init proposes a network",
		       "there is no network of type ipvlan in %s: it has no .conf, .conflist or .json", dir);
	else {
		files_types_in(files, types, sizeof(types));
		report(report_, WARNING, "configuration", "ipvlanctl init proposes a network",
		       "there is no network of type ipvlan in %s: its plugins are of type %s", dir, types);
	}
}

/* containerd's CRI and CRI-O use the first file. Other runtimes select a network by its name. */
static void files_examine_first(struct report *report_, const json_t *files)
{
	const char *first = json_string_value(json_array_get(files, 0));
	json_auto_t *plugins = first ? conflist_read(first, NULL) : NULL;
	const json_t *plugin = json_array_get(plugins, 0);
	const char *name = json_string_value(json_field(plugin, "name")),
		   *type = json_string_value(json_field(plugin, "type"));

	if (!plugins || files_has_ipvlan(plugins))
		return;
	if ((type && (!strcmp(type, "multus") || !strcmp(type, "multus-shim"))) || runtimes_take_by_name())
		report(report_, OK, "configuration", NULL,
		       "%s is the first file: by default pods have its network \"%s\" of type %s",
		       places_name(first), name ? name : "", type ? type : "");
	else
		report(report_, WARNING, "configuration",
		       "rename the file of ipvlan so that it sorts first, if its network is for all "
		       "pods",
		       "%s is the first file: containerd and CRI-O give pods its network \"%s\" of type %s",
		       places_name(first), name ? name : "", type ? type : "");
}

void examine_directory_of_files(struct report *report_, const json_t *files, bool any)
{
	report_section(report_, places_confs(), "");
	if (!any)
		files_examine_nothing(report_, files);
	else
		files_examine_first(report_, files);
}
