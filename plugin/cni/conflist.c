/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/conflist.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "cni/json.h"

#define CONFLIST_MAX (1 << 20)
#define PATIENCE_MS 5000
#define DEFINITION "NetworkAttachmentDefinition"

/* Makes a configuration from the entry of a list. */
static json_t *conflist_complete(const json_t *list, const json_t *entry)
{
	static const char *const inherited[] = { "name", "cniVersion" };
	json_t *plugin = json_deep_copy(entry);

	for (size_t i = 0; i < 2; i++)
		if (json_is_object(plugin) && json_field(list, inherited[i]))
			json_object_set(plugin, inherited[i], json_field(list, inherited[i]));
	return plugin;
}

/* Reads from a pipe too, such as a shell's <(...). Its writer must not pause for long. */
static ssize_t conflist_read_on(int fd, char *buf, size_t size)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	ssize_t n = read(fd, buf, size);

	if (n >= 0 || errno != EAGAIN)
		return n;
	if (poll(&in, 1, PATIENCE_MS) > 0)
		return read(fd, buf, size);
	errno = ETIMEDOUT;
	return -1;
}

/* Reads no devices, which may never end. */
char *conflist_text(const char *path, size_t *len, struct cni_error *err)
{
	autoclose int fd = file_open(path, O_RDONLY | O_NONBLOCK);
	autofree char *text = malloc(CONFLIST_MAX);
	struct stat st;
	ssize_t n = 0;

	*len = 0;
	if (fd < 0 || fstat(fd, &st) < 0 || !text)
		n = -1;
	else if (S_ISDIR(st.st_mode))
		cni_fail(err, CNI_DECODE, "it is a directory, not a file with a configuration"), n = -1;
	else if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		errno = EINVAL, n = -1;
	while (n >= 0 && *len < CONFLIST_MAX &&
	       (n = conflist_read_on(fd, text + *len, CONFLIST_MAX - *len)) > 0)
		*len += (size_t)n;
	if (n == 0) {
		char *ret = text;

		text = NULL;
		return ret;
	}
	cni_fail(err, CNI_IO, "%s", n < 0 ? errno_text(errno) : "it has more than a megabyte");
	return NULL;
}

bool conflist_is_yaml(const char *path, const char *text, size_t len)
{
	const char *dot = strrchr(path, '.');

	return (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"))) ||
	       (len > 4 && !strncmp(text, "---\n", 4)) || (len > 11 && !strncmp(text, "apiVersion:", 11));
}

/* A definition of Kubernetes has the configuration as a string, perhaps without a name. */
static json_t *conflist_unwrap(const json_t *definition)
{
	const char *config = json_string_value(json_field(json_field(definition, "spec"), "config"));
	json_t *name = json_field(json_field(definition, "metadata"), "name");
	json_t *doc = config ? json_loads(config, 0, NULL) : NULL;

	if (json_is_object(doc) && !json_field(doc, "name") && name)
		json_object_set(doc, "name", name);
	return doc;
}

static bool conflist_is_kind(const json_t *doc, const char *kind)
{
	const char *text = json_string_value(json_field(doc, "kind"));

	return text && !strcmp(text, kind) && json_field(doc, "apiVersion");
}

static int conflist_explain(const char *path, const char *text, size_t len, const json_error_t *why,
			    struct cni_error *err)
{
	if (conflist_is_yaml(path, text, len)) {
		cni_fail(err, CNI_DECODE, "it is YAML, and a network configuration is JSON");
		return cni_hint(
			err, "write it as JSON; of YAML, ipvlanctl reads NetworkAttachmentDefinitions alone");
	}
	cni_fail(err, CNI_DECODE, "%s (line %d, column %d)", why->text, why->line, why->column);
	if (strstr(why->text, "expected"))
		cni_hint(err,
			 "before that place there is a comma, a quote or a bracket too few, or too many");
	return -1;
}

static bool conflist_has_config(const json_t *doc)
{
	json_auto_t *config = conflist_is_kind(doc, DEFINITION) ? conflist_unwrap(doc) : NULL;

	return config || !conflist_is_kind(doc, DEFINITION);
}

json_t *conflist_check(json_t *doc, struct cni_error *err)
{
	const json_t *items = conflist_is_kind(doc, "List") ? json_field(doc, "items") : NULL, *item;
	bool sound = conflist_has_config(doc);
	size_t i;

	json_array_foreach(items, i, item)
		sound &= conflist_has_config(item);
	if (!json_is_object(doc))
		cni_fail(err, CNI_DECODE, "it has %s, and a configuration is an object",
			 json_is_array(doc) ? "an array" : "a value");
	else if (!sound)
		cni_fail(err, CNI_DECODE, "spec.config of a " DEFINITION " is not a network configuration");
	else
		return doc;
	json_decref(doc);
	return NULL;
}

json_t *conflist_parse(const char *path, const char *text, size_t len, struct cni_error *err)
{
	json_error_t why;
	json_t *doc = json_loadb(text, len, JSON_DECODE_ANY, &why);

	if (!doc)
		conflist_explain(path, text, len, &why, err);
	return doc ? conflist_check(doc, err) : NULL;
}

static void conflist_add_plugins(json_t *all, json_t *doc)
{
	json_auto_t *config = conflist_is_kind(doc, DEFINITION) ? conflist_unwrap(doc) : json_incref(doc);
	const json_t *plugins = json_field(config, "plugins"), *entry;
	size_t i;

	if (config && !plugins)
		json_array_append(all, config);
	json_array_foreach(plugins, i, entry)
		json_array_append_new(all, conflist_complete(config, entry));
}

json_t *conflist_plugins(json_t *doc)
{
	json_t *all = json_array(), *item;
	size_t i;

	if (!conflist_is_kind(doc, "List"))
		conflist_add_plugins(all, doc);
	else
		json_array_foreach(json_field(doc, "items"), i, item)
			conflist_add_plugins(all, item);
	return all;
}

json_t *conflist_read(const char *path, struct cni_error *err)
{
	size_t len;
	autofree char *text = conflist_text(path, &len, err);
	json_auto_t *doc = text ? conflist_parse(path, text, len, err) : NULL;

	return doc ? conflist_plugins(doc) : NULL;
}
