/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/definitions.h"

#include <string.h>

#include "cni/cleanup.h"
#include "cni/conflist.h"
#include "cni/json.h"
#include "cni/yaml.h"
#include "ctl/podman.h"

/* Returns the definitions of a file of YAML, without other objects such as a DaemonSet. NULL: it has none. */
static json_t *definitions_among(const json_t *docs)
{
	json_auto_t *items = json_array();
	json_t *doc;
	size_t i;

	json_array_foreach(docs, i, doc) {
		const char *kind = json_string_value(json_field(doc, "kind"));

		if (kind && !strcmp(kind, "List"))
			json_array_extend(items, json_field(doc, "items"));
		else if (kind && !strcmp(kind, "NetworkAttachmentDefinition"))
			json_array_append(items, doc);
	}
	if (!json_array_size(items))
		return NULL;
	return json_pack("{s:s, s:s, s:O}", "apiVersion", "v1", "kind", "List", "items", items);
}

json_t *definitions_load(const char *path, struct cni_error *err)
{
	size_t len;
	autofree char *text = conflist_text(path, &len, err);
	json_auto_t *docs = NULL;
	json_t *list;

	if (!text)
		return NULL;
	if (!conflist_is_yaml(path, text, len))
		return conflist_parse(path, text, len, err);
	docs = yaml_read(path, text, len, err);
	if (!docs)
		return NULL;
	list = definitions_among(docs);
	return list ? conflist_check(list, err) : conflist_parse(path, text, len, err);
}

json_t *definitions_plugins(json_t *doc, struct cni_error *err)
{
	return podman_is_network(doc) ? podman_plugins(doc, err) : conflist_plugins(doc);
}

json_t *definitions_read(const char *path, struct cni_error *err)
{
	json_auto_t *doc = definitions_load(path, err);

	return doc ? definitions_plugins(doc, err) : NULL;
}
