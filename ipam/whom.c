/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/whom.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "ipam/record.h"

#define FOR "for"
#define NODE "node"

static bool whom_is_pattern(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && *text;
}

/* Is it a pattern, or a list of patterns? */
static bool whom_are_patterns(const json_t *value)
{
	const json_t *pattern;
	size_t i;

	if (!json_is_array(value))
		return whom_is_pattern(value);
	json_array_foreach(value, i, pattern)
		if (!whom_is_pattern(pattern))
			return false;
	return json_array_size(value);
}

int whom_read(struct pool *pool, const json_t *range, struct cni_error *err)
{
	json_t *whom = NULL, *value;
	const char *key;

	if (field_object(range, "", FOR, &whom, err) < 0)
		return -1;
	if (whom && !json_object_size(whom))
		return cni_fail(err, CNI_CONFIG,
				"for: it must have a name; a range set without \"for\" is for all pods");
	json_object_foreach(whom, key, value)
		if (!whom_are_patterns(value)) {
			cni_fail(err, CNI_CONFIG, "for.%s must be a pattern or a list of patterns", key);
			return cni_hint(err, "for instance \"db\" or [\"db\", \"mq-*\"]");
		}
	if (pool->n_ranges > 1 && (pool->whom || whom) && !json_equal(pool->whom, whom))
		return cni_fail(err, CNI_CONFIG, "for: it must be the same in all ranges of a range set");
	pool->whom = whom;
	return 0;
}

bool whom_asks(const json_t *ipam, const char *key)
{
	const json_t *set, *range;
	size_t i, j;

	if (json_field(json_field(ipam, FOR), key))
		return true;
	json_array_foreach(json_field(ipam, "ranges"), i, set)
		json_array_foreach(set, j, range)
			if (json_field(json_field(range, FOR), key))
				return true;
	return false;
}

/* The pod's value of a name; NULL: it has none. */
static const char *whom_value_of(const struct conf *conf, const struct request *req, const char *key)
{
	const json_t *runtime = json_field(req->conf, "runtimeConfig"), *value;
	const char *text = conf_arg(conf, key);
	const char *capability;

	if (!strcmp(key, NODE))
		return conf->cluster.node;
	if (text)
		return text;
	text = json_string_value(json_field(runtime, key));
	if (text)
		return text;
	json_object_foreach((json_t *)runtime, capability, value) {
		const size_t len = strlen(capability);

		if (!text && !strncmp(key, capability, len) && key[len] == '/')
			text = json_string_value(json_field(value, key + len + 1));
	}
	return text;
}

static bool whom_matches(const json_t *patterns, const char *text)
{
	const json_t *pattern;
	size_t i;

	if (!text)
		return false;
	if (json_is_string(patterns))
		return fnmatch(json_string_value(patterns), text, 0) == 0;
	json_array_foreach(patterns, i, pattern)
		if (fnmatch(json_string_value(pattern), text, 0) == 0)
			return true;
	return false;
}

static bool whom_is_for(const struct conf *conf, const struct request *req, const struct pool *pool)
{
	const char *key;
	json_t *patterns;

	json_object_foreach((json_t *)pool->whom, key, patterns)
		if (!whom_matches(patterns, whom_value_of(conf, req, key)))
			return false;
	return true;
}

static int whom_family_of(const struct pool *pool)
{
	return pool->ranges[0].start.family;
}

/* Has a range set of that family "for"? */
static bool whom_is_choice(const struct conf *conf, int family)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (whom_family_of(&conf->pools[i]) == family && conf->pools[i].whom)
			return true;
	return false;
}

__attribute__((format(printf, 2, 3))) static void put(struct whom_text *text, const char *format, ...)
{
	va_list args;

	if (text->used >= sizeof(text->s))
		return;
	va_start(args, format);
	text->used += (size_t)vsnprintf(text->s + text->used, sizeof(text->s) - text->used, format, args);
	va_end(args);
}

/* Each name in "for" of the family's range sets, with the pod's value. */
static struct whom_text whom_compared(const struct conf *conf, const struct request *req, int family)
{
	json_auto_t *seen = json_object();
	struct whom_text text = { .s = "" };
	const char *key;
	json_t *patterns;

	for (size_t i = 0; i < conf->n_pools; i++)
		if (whom_family_of(&conf->pools[i]) == family)
			json_object_foreach((json_t *)conf->pools[i].whom, key, patterns) {
				const char *value = whom_value_of(conf, req, key);

				if (json_object_get(seen, key))
					continue;
				json_object_set(seen, key, patterns);
				put(&text, "%s%s%s%s", text.used ? ", " : "", key,
				    value ? "=" : " is not given", value ? value : "");
			}
	return text;
}

static int whom_none_is_for(const struct conf *conf, const struct request *req, int family,
			    struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "no %s range set of network %s is for this pod",
		 family == AF_INET ? "IPv4" : "IPv6", conf->place.network);
	return cni_hint(err, "no \"for\" matches the pod: %s; a range set without \"for\" is for all pods",
			whom_compared(conf, req, family).s);
}

/* Does the pod get an address of range set number n? If one of its family has "for", only of the first that
 * is for the pod. */
static bool whom_gets_address(const struct conf *conf, const struct request *req, size_t n)
{
	const int family = whom_family_of(&conf->pools[n]);

	if (!whom_is_choice(conf, family))
		return true;
	for (size_t i = 0; i < n; i++)
		if (whom_family_of(&conf->pools[i]) == family && whom_is_for(conf, req, &conf->pools[i]))
			return false;
	return whom_is_for(conf, req, &conf->pools[n]);
}

/* Fails if the pod requests an address of a range set that is for others. */
static int whom_check_wanted(const struct conf *conf, const struct pool *pool, struct cni_error *err)
{
	const struct whom_text whom = whom_text(pool->whom);

	for (size_t i = 0; i < conf->n_wanted; i++)
		if (pool_asked(pool, &conf->wanted[i])) {
			cni_fail(err, CNI_CONFIG,
				 "requested IP address %s lies in range set %zu, which is not for this pod",
				 ip_text(&conf->wanted[i]).s, pool->number);
			return cni_hint(err, "it is for %s",
					*whom.s ? whom.s : "pods that match no range set before it");
		}
	return 0;
}

int whom_choose(struct conf *conf, const struct request *req, struct cni_error *err)
{
	bool keep[RECORD_MAX] = { false }, without[2] = { false, false };
	size_t n = 0;

	if (!whom_is_choice(conf, AF_INET) && !whom_is_choice(conf, AF_INET6))
		return 0;
	if (!conf->cluster.pool)
		snprintf(conf->cluster.node, sizeof(conf->cluster.node), "%s", cluster_host_name().s);
	for (size_t i = 0; i < conf->n_pools; i++)
		keep[i] = whom_gets_address(conf, req, i);
	for (size_t i = 0; i < conf->n_pools; i++)
		without[whom_family_of(&conf->pools[i]) == AF_INET6] = true;
	for (size_t i = 0; i < conf->n_pools; i++)
		if (keep[i])
			without[whom_family_of(&conf->pools[i]) == AF_INET6] = false;
	if (without[0] || without[1])
		return whom_none_is_for(conf, req, without[0] ? AF_INET : AF_INET6, err);
	for (size_t i = 0; i < conf->n_pools; i++)
		if (!keep[i] && whom_check_wanted(conf, &conf->pools[i], err) < 0)
			return -1;
	for (size_t i = 0; i < conf->n_pools; i++)
		if (keep[i])
			conf->pools[n++] = conf->pools[i];
		else
			pool_free(&conf->pools[i]);
	conf->n_pools = n;
	return 0;
}

struct whom_text whom_text(const json_t *whom)
{
	struct whom_text text = { .s = "" };
	const json_t *pattern;
	json_t *patterns;
	const char *key;
	size_t i;

	json_object_foreach((json_t *)whom, key, patterns) {
		put(&text, "%s%s=", text.used ? " " : "", key);
		if (json_is_string(patterns))
			put(&text, "%s", json_string_value(patterns));
		json_array_foreach(patterns, i, pattern)
			put(&text, "%s%s", i ? "|" : "", json_string_value(pattern));
	}
	return text;
}
