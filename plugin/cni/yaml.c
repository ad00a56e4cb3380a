/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/yaml.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 32
#define NODES_MAX 100000

/* YAML 1.2, 10.3.2: nothing, or a word without quotes */
static bool yaml_is_null(const yaml_node_t *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
	bool found = false;

	for (size_t i = 0; i < sizeof(nulls) / sizeof(*nulls); i++)
		found |= node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			 !strcmp((const char *)node->data.scalar.value, nulls[i]);
	return found;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static json_t *yaml_node(yaml_document_t *yaml, const yaml_node_t *node, int depth, int *nodes)
{
	json_t *value;

	/* an alias may lead to a node that contains it; with aliases a few lines make a billion
	 * nodes */
	if (!node || depth > DEPTH_MAX || ++*nodes > NODES_MAX)
		return NULL;
	switch (node->type) {
	case YAML_SCALAR_NODE:
		if (yaml_is_null(node))
			return json_null();
		return json_stringn((const char *)node->data.scalar.value, node->data.scalar.length);
	case YAML_SEQUENCE_NODE:
		value = json_array();
		for (const yaml_node_item_t *item = node->data.sequence.items.start;
		     item < node->data.sequence.items.top; item++)
			json_array_append_new(value, yaml_node(yaml, yaml_document_get_node(yaml, *item),
							       depth + 1, nodes));
		return value;
	case YAML_MAPPING_NODE:
		value = json_object();
		for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		     pair < node->data.mapping.pairs.top; pair++) {
			const yaml_node_t *key = yaml_document_get_node(yaml, pair->key);

			if (key && key->type == YAML_SCALAR_NODE)
				json_object_set_new(value, (const char *)key->data.scalar.value,
						    yaml_node(yaml, yaml_document_get_node(yaml, pair->value),
							      depth + 1, nodes));
		}
		return value;
	default:
		return NULL;
	}
}

/* NULL: there are no more documents, or the text is not YAML. */
static json_t *yaml_next(yaml_parser_t *parser, int *nodes, bool *more)
{
	yaml_document_t yaml;
	json_t *doc = NULL;

	*more = false;
	if (!yaml_parser_load(parser, &yaml))
		return NULL;
	*more = yaml_document_get_root_node(&yaml);
	if (*more)
		doc = yaml_node(&yaml, yaml_document_get_root_node(&yaml), 0, nodes);
	yaml_document_delete(&yaml);
	return doc;
}

json_t *yaml_read(const char *path, const char *text, size_t len, struct cni_error *err)
{
	json_t *all = json_array();
	yaml_parser_t parser;
	int nodes = 0;
	bool more;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	do
		json_array_append_new(all, yaml_next(&parser, &nodes, &more));
	while (more);
	if (parser.error != YAML_NO_ERROR) {
		cni_fail(err, CNI_CONFIG, "%s: line %zu: %s", path, parser.problem_mark.line + 1,
			 parser.problem ? parser.problem : "no YAML");
		json_decref(all);
		all = NULL;
	}
	yaml_parser_delete(&parser);
	return all;
}
