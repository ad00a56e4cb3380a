#include "cni/conflist.h"

#include <errno.h>
#include <stdio.h>

#include "cni/json.h"

/* The entry of a list becomes a configuration of its own. */
static json_t *complete(const json_t *list, const json_t *entry)
{
	static const char *const inherited[] = { "name", "cniVersion" };
	json_t *plugin = json_deep_copy(entry);

	for (size_t i = 0; i < 2; i++)
		if (json_is_object(plugin) && json_field(list, inherited[i]))
			json_object_set(plugin, inherited[i], json_field(list, inherited[i]));
	return plugin;
}

static json_t *read_file(const char *path, struct cni_error *err)
{
	FILE *file = fopen(path, "re");
	json_error_t why;
	json_t *doc;

	if (!file) {
		cni_fail(err, CNI_IO, "%s", errno_text(errno));
		return NULL;
	}
	doc = json_loadf(file, 0, &why);
	fclose(file);
	if (!doc)
		cni_fail(err, CNI_DECODE, "%s (line %d, column %d)", why.text, why.line, why.column);
	return doc;
}

json_t *conflist_read(const char *path, struct cni_error *err)
{
	json_auto_t *doc = read_file(path, err);
	const json_t *plugins = json_field(doc, "plugins"), *entry;
	json_t *all;
	size_t i;

	if (!doc)
		return NULL;
	all = json_array();
	if (!plugins)
		json_array_append(all, doc);
	json_array_foreach(plugins, i, entry)
		json_array_append_new(all, complete(doc, entry));
	return all;
}
