#include "plugin/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/kinds.h"

static const struct kind *const kinds[OBJECT_KINDS] = {
	[OBJECT_ANCHOR] = &kind_anchor, [OBJECT_ACCESS] = &kind_access,
	[OBJECT_ROUTE] = &kind_route,	[OBJECT_NEIGHBOUR] = &kind_neighbour,
	[OBJECT_SYSCTL] = &kind_sysctl, [OBJECT_TABLE] = &kind_table,
	[OBJECT_VLAN] = &kind_vlan,	[OBJECT_DUMMY] = &kind_dummy,
	[OBJECT_RESOLV] = &kind_resolv, [OBJECT_MASQUERADE] = &kind_masquerade,
};

static void put(struct object_text *text, const char *key, const char *value)
{
	size_t len = strlen(text->s);

	snprintf(text->s + len, sizeof(text->s) - len, " %s %s", key, value);
}

struct object_text object_text(const struct object *object)
{
	struct object_text text;
	char dev[16], id[16];

	snprintf(text.s, sizeof(text.s), "%s", kinds[object->kind]->name);
	snprintf(dev, sizeof(dev), "%d", object->dev);
	snprintf(id, sizeof(id), "%u", object->id);
	if (*object->name)
		put(&text, "name", object->name);
	if (object->to.ip.family)
		put(&text, "to", prefix_text(&object->to).s);
	if (object->via.family)
		put(&text, "via", ip_text(&object->via).s);
	if (*object->lladdr)
		put(&text, "lladdr", object->lladdr);
	if (object->dev)
		put(&text, "dev", dev);
	if (object->id)
		put(&text, "id", id);
	if (object->src.family)
		put(&text, "src", ip_text(&object->src).s);
	return text;
}

static bool parse_kind(const char *word, struct object *ret)
{
	for (size_t kind = 0; word && kind < OBJECT_KINDS; kind++) {
		if (strcmp(word, kinds[kind]->name) != 0)
			continue;
		ret->kind = (enum object_kind)kind;
		return true;
	}
	return false;
}

static bool copy(char *ret, size_t size, const char *value)
{
	return snprintf(ret, size, "%s", value) < (int)size;
}

static bool parse_value(const char *key, const char *value, struct object *ret)
{
	if (!strcmp(key, "name"))
		return copy(ret->name, sizeof(ret->name), value);
	if (!strcmp(key, "to"))
		return prefix_parse(value, &ret->to);
	if (!strcmp(key, "via"))
		return ip_parse(value, &ret->via);
	if (!strcmp(key, "lladdr"))
		return copy(ret->lladdr, sizeof(ret->lladdr), value);
	if (!strcmp(key, "id"))
		return (ret->id = (unsigned int)strtoul(value, NULL, 10)) > 0;
	if (!strcmp(key, "src"))
		return ip_parse(value, &ret->src);
	if (strcmp(key, "dev") != 0)
		return false;
	ret->dev = (int)strtol(value, NULL, 10);
	return true;
}

bool object_parse(const char *text, struct object *ret)
{
	struct object object = { .dev = 0 };
	struct object_text words;
	char *rest = NULL, *key;

	if (!copy(words.s, sizeof(words.s), text) || !parse_kind(strtok_r(words.s, " ", &rest), &object))
		return false;
	while ((key = strtok_r(NULL, " ", &rest))) {
		const char *value = strtok_r(NULL, " ", &rest);

		if (!value || !parse_value(key, value, &object))
			return false;
	}
	*ret = object;
	return true;
}

int object_make(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	return kinds[object->kind]->make(host, object, err);
}

int object_remove(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	return kinds[object->kind]->remove(host, object, err);
}

enum found object_find(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	return kinds[object->kind]->find(host, object, err);
}

bool object_anonymous(const struct object *object)
{
	return kinds[object->kind]->anonymous;
}
