/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/object.h"

#include <stdio.h>
#include <string.h>

#include "cni/json.h"
#include "plugin/kinds.h"
#include "plugin/policy.h"

static const struct kind *const kinds[OBJECT_KINDS] = {
	[OBJECT_ANCHOR] = &kind_anchor,		[OBJECT_ACCESS] = &kind_access,
	[OBJECT_ROUTE] = &kind_route,		[OBJECT_NEIGHBOUR] = &kind_neighbour,
	[OBJECT_PROXY] = &kind_proxy,		[OBJECT_SYSCTL] = &kind_sysctl,
	[OBJECT_TABLE] = &kind_table,		[OBJECT_VLAN] = &kind_vlan,
	[OBJECT_DUMMY] = &kind_dummy,		[OBJECT_RESOLV] = &kind_resolv,
	[OBJECT_MASQUERADE] = &kind_masquerade, [OBJECT_HAIRPIN] = &kind_hairpin,
	[OBJECT_FENCE] = &kind_fence,		[OBJECT_GUARD] = &kind_guard,
	[OBJECT_LEASE] = &kind_lease,		[OBJECT_RATE] = &kind_rate,
	[OBJECT_POLICY] = &kind_policy,		[OBJECT_SUBJECT] = &kind_subject,
};

struct object object_anchor(int dev, uint16_t mode)
{
	return (struct object){ .kind = OBJECT_ANCHOR, .dev = dev, .mode = mode };
}

struct object object_access(int dev)
{
	return (struct object){ .kind = OBJECT_ACCESS, .dev = dev };
}

struct object object_route(int dev, const struct prefix *to, const struct ip *via, const struct ip *src)
{
	struct object route = { .kind = OBJECT_ROUTE, .dev = dev, .to = prefix_network(to) };

	if (via)
		route.via = *via;
	if (src)
		route.src = *src;
	return route;
}

struct object object_neighbour(int dev, const struct ip *ip, const char *lladdr)
{
	struct object neighbour = { .kind = OBJECT_NEIGHBOUR, .dev = dev, .to = prefix_host(ip) };

	snprintf(neighbour.lladdr, sizeof(neighbour.lladdr), "%s", lladdr);
	return neighbour;
}

struct object object_proxy(int dev, const struct ip *ip)
{
	return (struct object){ .kind = OBJECT_PROXY, .dev = dev, .to = prefix_host(ip) };
}

struct object object_hairpin(int dev)
{
	return (struct object){ .kind = OBJECT_HAIRPIN, .dev = dev };
}

static struct object object_named(enum object_kind kind, const char *name)
{
	struct object object = { .kind = kind };

	snprintf(object.name, sizeof(object.name), "%s", name);
	return object;
}

struct object object_sysctl(int dev, const char *name)
{
	struct object sysctl = object_named(OBJECT_SYSCTL, name);

	sysctl.dev = dev;
	sysctl.all = -1;
	return sysctl;
}

struct object object_vlan(int dev, unsigned int id, const char *name)
{
	struct object vlan = object_named(OBJECT_VLAN, name);

	vlan.dev = dev;
	vlan.id = id;
	return vlan;
}

struct object object_dummy(const char *name, unsigned int mtu)
{
	struct object dummy = object_named(OBJECT_DUMMY, name);

	dummy.mtu = mtu;
	return dummy;
}

struct object object_resolv(const char *name, const json_t *dns)
{
	struct object file = object_named(OBJECT_RESOLV, name);

	file.dns = dns;
	return file;
}

struct object object_table(void)
{
	return object_named(OBJECT_TABLE, "ipvlan_cni");
}

struct object object_masquerade(const struct prefix *address)
{
	return (struct object){ .kind = OBJECT_MASQUERADE, .to = *address };
}

struct object object_fence(int dev)
{
	return (struct object){ .kind = OBJECT_FENCE, .dev = dev };
}

struct object object_guard(int dev)
{
	return (struct object){ .kind = OBJECT_GUARD, .dev = dev };
}

struct object object_lease(int dev, const struct ip *ip)
{
	return (struct object){ .kind = OBJECT_LEASE, .dev = dev, .to = prefix_host(ip) };
}

struct object object_policy(int dev, const json_t *rules)
{
	struct object policy = object_named(OBJECT_POLICY, policy_name(rules).s);

	policy.dev = dev;
	policy.rules = rules;
	return policy;
}

struct object object_subject(int dev, const struct ip *ip, const struct object *policy)
{
	struct object subject = object_named(OBJECT_SUBJECT, policy->name);

	subject.dev = dev;
	subject.to = prefix_host(ip);
	return subject;
}

struct object object_rate(int dev, const struct ip *ip, const struct ip *first, const struct rate *rates)
{
	struct object object = object_named(OBJECT_RATE, "");

	object.dev = dev;
	object.to = prefix_host(ip);
	object.via = *first;
	snprintf(object.name, sizeof(object.name), "out %llu+%llu in %llu+%llu", rates[0].rate,
		 rates[0].burst, rates[1].rate, rates[1].burst);
	return object;
}

bool object_rates(const struct object *object, struct rate ret[2])
{
	static const char *const before[] = { "out ", "+", " in ", "+" };
	unsigned long long *const numbers[] = { &ret[0].rate, &ret[0].burst, &ret[1].rate, &ret[1].burst };
	const char *text = object->name;
	char *end;

	for (size_t i = 0; i < 4; i++) {
		if (strncmp(text, before[i], strlen(before[i])) != 0)
			return false;
		text += strlen(before[i]);
		*numbers[i] = strtoull(text, &end, 10);
		if (end == text)
			return false;
		text = end;
	}
	return !*text;
}

const struct kind *object_kind(const struct object *object)
{
	return kinds[object->kind];
}

struct object_key object_key(const struct object *object)
{
	const struct kind *kind = kinds[object->kind];
	struct ip_str address = { "" };
	struct object_key key;
	char dev[16] = "";

	if (kind->key & KEY_PREFIX)
		address = prefix_text(&object->to);
	if (kind->key & KEY_ADDRESS)
		address = ip_text(&object->to.ip);
	if (kind->key & KEY_DEV)
		snprintf(dev, sizeof(dev), "-%d", object->dev);
	snprintf(key.s, sizeof(key.s), "%s%s%s%s%s%s", kind->name, dev, *address.s ? "-" : "", address.s,
		 kind->key & KEY_NAME ? "-" : "", kind->key & KEY_NAME ? object->name : "");
	for (char *c = key.s; (c = strchr(c, '/'));)
		*c = '_';
	return key;
}

bool object_is_key_of(enum object_kind kind, const char *key)
{
	const size_t len = strlen(kinds[kind]->name);

	return !strncmp(key, kinds[kind]->name, len) && (key[len] == '-' || !key[len]);
}

bool object_same_place(const struct object *a, const struct object *b)
{
	const unsigned int key = kinds[a->kind]->key;

	return a->kind == b->kind && (!(key & KEY_DEV) || a->dev == b->dev) &&
	       (!(key & (KEY_ADDRESS | KEY_PREFIX)) || ip_equal(&a->to.ip, &b->to.ip)) &&
	       (!(key & KEY_PREFIX) || a->to.len == b->to.len) &&
	       (!(key & KEY_NAME) || !strcmp(a->name, b->name));
}

/* Does not compare src, which the host may change, nor the members that are only for making it. */
bool object_agrees(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && a->dev == b->dev && a->id == b->id && a->to.len == b->to.len &&
	       ip_equal(&a->to.ip, &b->to.ip) && ip_equal(&a->via, &b->via) &&
	       !strcmp(a->lladdr, b->lladdr) && !strcmp(a->name, b->name);
}

bool object_plain(const struct object *object)
{
	return object->kind == OBJECT_ANCHOR || object->kind == OBJECT_ACCESS ||
	       object->kind == OBJECT_HAIRPIN || object->kind == OBJECT_TABLE ||
	       object->kind == OBJECT_FENCE || object->kind == OBJECT_GUARD || object->kind == OBJECT_POLICY;
}

static void object_put(struct object_text *text, const char *key, const char *value)
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
		object_put(&text, "name", object->name);
	if (object->to.ip.family)
		object_put(&text, "to", prefix_text(&object->to).s);
	if (object->via.family)
		object_put(&text, "via", ip_text(&object->via).s);
	if (*object->lladdr)
		object_put(&text, "lladdr", object->lladdr);
	if (object->dev)
		object_put(&text, "dev", dev);
	if (object->id)
		object_put(&text, "id", id);
	if (object->src.family)
		object_put(&text, "src", ip_text(&object->src).s);
	return text;
}

json_t *object_json(const struct object *object)
{
	json_t *doc = json_pack("{s:s}", "kind", kinds[object->kind]->name);

	if (*object->name)
		json_object_set_new(doc, "name", json_bytes(object->name));
	if (object->to.ip.family)
		json_object_set_new(doc, "to", json_string(prefix_text(&object->to).s));
	if (object->via.family)
		json_object_set_new(doc, "via", json_string(ip_text(&object->via).s));
	if (*object->lladdr)
		json_object_set_new(doc, "lladdr", json_string(object->lladdr));
	if (object->dev)
		json_object_set_new(doc, "dev", json_integer(object->dev));
	if (object->id)
		json_object_set_new(doc, "id", json_integer(object->id));
	if (object->src.family)
		json_object_set_new(doc, "src", json_string(ip_text(&object->src).s));
	if (object->mtu)
		json_object_set_new(doc, "mtu", json_integer(object->mtu));
	if (object->kind == OBJECT_ANCHOR)
		json_object_set_new(doc, "mode", json_string(ipvlan_mode_text(object->mode)));
	if (object->kind == OBJECT_SYSCTL)
		json_object_set_new(doc, "all", json_integer(object->all));
	if (object->before)
		json_object_set_new(doc, "before", json_true());
	if (object->dns)
		json_object_set_new(doc, "dns", json_deep_copy(object->dns));
	if (object->rules)
		json_object_set_new(doc, "rules", json_deep_copy(object->rules));
	return doc;
}

static bool object_read_kind(enum object_kind *ret, const char *name)
{
	for (size_t kind = 0; kind < OBJECT_KINDS; kind++) {
		if (strcmp(name, kinds[kind]->name) != 0)
			continue;
		*ret = (enum object_kind)kind;
		return true;
	}
	return false;
}

static bool object_copy(char *ret, size_t size, const char *value)
{
	return snprintf(ret, size, "%s", value) < (int)size;
}

static bool object_read_value(struct object *ret, const char *key, const json_t *value)
{
	const char *text = json_string_value(value);
	const json_int_t number = json_integer_value(value);

	if (!strcmp(key, "kind") || !strcmp(key, "dns") || !strcmp(key, "rules"))
		return true; /* read elsewhere; removing does not require it */
	if (!strcmp(key, "dev") && number > 0 && number <= INT32_MAX)
		ret->dev = (int)number;
	else if (!strcmp(key, "id") && number > 0 && number <= UINT16_MAX)
		ret->id = (unsigned int)number;
	else if (!strcmp(key, "mtu") && number > 0 && number <= INT32_MAX)
		ret->mtu = (unsigned int)number;
	else if (!strcmp(key, "all") && number >= -1 && number <= 1)
		ret->all = (int)number;
	else if (!strcmp(key, "before") && json_is_boolean(value))
		ret->before = json_is_true(value);
	else if (!strcmp(key, "name"))
		return json_bytes_read(value, ret->name, sizeof(ret->name));
	else if (!text)
		return false;
	else if (!strcmp(key, "lladdr"))
		return object_copy(ret->lladdr, sizeof(ret->lladdr), text);
	else if (!strcmp(key, "to"))
		return prefix_parse(text, &ret->to);
	else if (!strcmp(key, "via"))
		return ip_parse(text, &ret->via);
	else if (!strcmp(key, "src"))
		return ip_parse(text, &ret->src);
	else
		return !strcmp(key, "mode") && ipvlan_mode_parse(text, &ret->mode);
	return true;
}

static bool object_has_place(const struct object *object)
{
	const unsigned int key = kinds[object->kind]->key;

	return (!(key & KEY_DEV) || object->dev) && (!(key & KEY_NAME) || *object->name) &&
	       !strchr(object->name, '/') && (!(key & (KEY_ADDRESS | KEY_PREFIX)) || object->to.ip.family);
}

bool object_read(struct object *ret, const json_t *doc)
{
	const char *kind = json_string_value(json_object_get(doc, "kind")), *key;
	struct object object = { .all = -1 };
	json_t *value;

	if (!kind || !object_read_kind(&object.kind, kind))
		return false;
	json_object_foreach((json_t *)(uintptr_t)doc, key, value)
		if (!object_read_value(&object, key, value))
			return false;
	object.dns = json_object_get(doc, "dns");
	object.rules = json_object_get(doc, "rules");
	*ret = object;
	return object_has_place(&object);
}

int object_look(struct view *view, const struct object *object, bool removing, struct cni_error *err)
{
	const struct kind *kind = kinds[object->kind];

	return kind->look ? kind->look(view, object, removing, err) : 0;
}

int object_make(struct view *view, const struct object *object, struct cni_error *err)
{
	return kinds[object->kind]->make(view, object, err);
}

int object_remove(struct view *view, const struct object *object, struct cni_error *err)
{
	return kinds[object->kind]->remove(view, object, err);
}

int object_check(struct view *view, const struct object *object, struct cni_error *err)
{
	const struct kind *kind = kinds[object->kind];

	return kind->check ? kind->check(view, object, err) : 0;
}

enum found object_find(struct view *view, const struct object *object, struct cni_error *err)
{
	return kinds[object->kind]->find(view, object, err);
}

bool object_anonymous(const struct object *object)
{
	return kinds[object->kind]->anonymous;
}

bool object_by_program(const struct object *object)
{
	return kinds[object->kind]->print;
}

bool object_must_look(const struct object *object)
{
	return kinds[object->kind]->look_to_remove;
}
