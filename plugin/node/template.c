/* SPDX-License-Identifier: Apache-2.0 */
#include "node/template.h"

#include <fnmatch.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/ip.h"
#include "cni/json.h"
#include "net/addr.h"
#include "net/link.h"

#define EXPRESSION_MAX 256
#define VALUE_MAX 256

struct template
{
	struct rtnl *host;
	const char *node;
};

/* "ipv4 by subnet 192.0.2.0/24" */
struct expression {
	char text[EXPRESSION_MAX];
	char words[EXPRESSION_MAX];
	const char *what, *how, *arg;
};

/* What a link is looked for by. */
struct search {
	const char *pattern;
	size_t pattern_len;
	struct prefix subnet;
	bool found;
	unsigned int metric;
	int index;
};

static int template_wrong(const struct expression *e, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "the template has \"{{%s}}\", which is not an expression", e->text);
	return cni_hint(err,
			"expressions are {{node}}, {{master}}, {{ipv4}}, {{ipv6}}, {{subnet4}}, {{subnet6}}; "
			"all but node may end in \"by route ADDRESS\", \"by name PATTERN\" or \"by subnet "
			"SUBNET\"");
}

static int template_absent(const struct expression *e, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "this node has nothing for \"{{%s}}\" of the template", e->text);
	return cni_hint(err, "compare it with \"ip address\" and \"ip route\" of the node");
}

static void template_see_default(const struct route_seen *route, void *arg)
{
	struct search *search = arg;

	if (route->dst.len || route->type != RTN_UNICAST || !route->link ||
	    (search->found && search->metric <= route->priority))
		return;
	search->found = true;
	search->metric = route->priority;
	search->index = route->link;
}

static int template_by_default(struct rtnl *host, struct search *search, struct cni_error *err)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < 2 && !search->found; i++)
		if (route_each(host, families[i], RT_TABLE_MAIN, template_see_default, search, err) < 0)
			return -1;
	return 0;
}

static int template_by_route(struct rtnl *host, const char *to, struct search *search, struct cni_error *err)
{
	struct route_seen route = { .link = 0 };
	struct ip ip;
	enum found found;

	if (!ip_parse(to, &ip))
		return 1;
	found = route_lookup(host, &ip, &route, err);
	search->found = found == FOUND && route.link;
	search->index = route.link;
	return found == FOUND_FAILED ? -1 : 0;
}

static void template_see_link(const struct link *link, void *arg)
{
	struct search *search = arg;
	char pattern[EXPRESSION_MAX];

	snprintf(pattern, sizeof(pattern), "%.*s", (int)search->pattern_len, search->pattern);
	if (search->found || link->group == OUR_NUMBER || fnmatch(pattern, link->name, 0) != 0)
		return;
	search->found = true;
	search->index = link->index;
}

static int template_by_name(struct rtnl *host, const char *patterns, struct search *search,
			    struct cni_error *err)
{
	for (search->pattern = patterns; *search->pattern && !search->found;
	     search->pattern += strspn(search->pattern, ",")) {
		search->pattern_len = strcspn(search->pattern, ",");
		if (link_each(host, template_see_link, search, err) < 0)
			return -1;
		search->pattern += search->pattern_len;
	}
	return 0;
}

static void template_see_address(const struct addr_seen *seen, void *arg)
{
	struct search *search = arg;

	if (search->found || !prefix_contains(&search->subnet, &seen->address.ip))
		return;
	search->found = true;
	search->index = seen->link;
}

static int template_by_subnet(struct rtnl *host, const char *subnet, struct search *search,
			      struct cni_error *err)
{
	if (!prefix_parse(subnet, &search->subnet))
		return 1;
	return addr_each(host, template_see_address, search, err);
}

/* Returns 1 where the expression is none. */
static int template_search(struct rtnl *host, const struct expression *e, struct search *search,
			   struct cni_error *err)
{
	if (!e->how)
		return template_by_default(host, search, err);
	if (!strcmp(e->how, "route"))
		return template_by_route(host, e->arg, search, err);
	if (!strcmp(e->how, "name"))
		return template_by_name(host, e->arg, search, err);
	if (!strcmp(e->how, "subnet"))
		return template_by_subnet(host, e->arg, search, err);
	return 1;
}

static int template_link(struct rtnl *host, const struct expression *e, struct link *ret,
			 struct cni_error *err)
{
	struct search search = { .found = false };
	const int rc = template_search(host, e, &search, err);
	enum found found;

	if (rc)
		return rc < 0 ? -1 : template_wrong(e, err);
	if (!search.found)
		return template_absent(e, err);
	found = link_find_index(host, search.index, ret, err);
	return found == FOUND ? 0 : found == FOUND_FAILED ? -1 : template_absent(e, err);
}

/* An address of the link, with the length of its subnet. */
struct template_own {
	int link;
	struct ip ip;
	struct prefix ret;
};

static void template_see_own(const struct addr_seen *seen, void *arg)
{
	struct template_own *own = arg;

	if (seen->link == own->link && ip_equal(&seen->address.ip, &own->ip))
		own->ret = seen->address;
}

static int template_address(struct rtnl *host, const struct expression *e, int link, int family,
			    struct prefix *ret, struct cni_error *err)
{
	struct template_own own = { .link = link };
	enum found found = addr_main(host, link, family, &own.ip, err);

	if (found != FOUND)
		return found == FOUND_FAILED ? -1 : template_absent(e, err);
	if (addr_each(host, template_see_own, &own, err) < 0)
		return -1;
	*ret = own.ret;
	return own.ret.ip.family ? 0 : template_absent(e, err);
}

static int template_value(const struct template *t, const struct expression *e, char *ret,
			  struct cni_error *err)
{
	const bool address = !strcmp(e->what, "ipv4") || !strcmp(e->what, "ipv6"),
		   subnet = !strcmp(e->what, "subnet4") || !strcmp(e->what, "subnet6");
	struct prefix prefix;
	struct link link;

	if (!strcmp(e->what, "node") && !e->how) {
		snprintf(ret, VALUE_MAX, "%s", t->node);
		return 0;
	}
	if (strcmp(e->what, "master") != 0 && !address && !subnet)
		return template_wrong(e, err);
	if (template_link(t->host, e, &link, err) < 0)
		return -1;
	snprintf(ret, VALUE_MAX, "%s", link.name);
	if (!address && !subnet)
		return 0;
	if (template_address(t->host, e, link.index, strchr(e->what, '4') ? AF_INET : AF_INET6, &prefix,
			     err) < 0)
		return -1;
	if (address) {
		snprintf(ret, VALUE_MAX, "%s", ip_text(&prefix.ip).s);
	} else {
		prefix = prefix_network(&prefix);
		snprintf(ret, VALUE_MAX, "%s", prefix_text(&prefix).s);
	}
	return 0;
}

/* WHAT, or WHAT "by" HOW ARG. */
static int template_read(struct expression *ret, const char *text, size_t len, struct cni_error *err)
{
	char *rest, *by, *extra;

	snprintf(ret->text, sizeof(ret->text), "%.*s", (int)len, text);
	snprintf(ret->words, sizeof(ret->words), "%s", ret->text);
	ret->what = strtok_r(ret->words, " ", &rest);
	by = strtok_r(NULL, " ", &rest);
	ret->how = strtok_r(NULL, " ", &rest);
	ret->arg = strtok_r(NULL, " ", &rest);
	extra = strtok_r(NULL, " ", &rest);
	if (len >= sizeof(ret->text) || !ret->what || extra || (by && (strcmp(by, "by") != 0 || !ret->arg)))
		return template_wrong(ret, err);
	return 0;
}

/* Appends to *ret what stands at *text up to the end of the next expression. */
static int template_step(const struct template *t, const char **text, char **ret, struct cni_error *err)
{
	const char *open = strstr(*text, "{{"), *close = open ? strstr(open, "}}") : NULL;
	char value[VALUE_MAX] = "", *longer;
	struct expression e = { .text = "" };

	if (open && !close)
		close = open + strlen(open);
	if (open && (template_read(&e, open + 2, (size_t)(close - open - 2), err) < 0 ||
		     template_value(t, &e, value, err) < 0))
		return -1;
	if (asprintf(&longer, "%s%.*s%s", *ret, open ? (int)(open - *text) : (int)strlen(*text), *text,
		     value) < 0)
		abort();
	free(*ret);
	*ret = longer;
	*text = !open ? "" : *close ? close + 2 : close;
	return 0;
}

static json_t *template_string(const struct template *t, const char *text, struct cni_error *err)
{
	autofree char *value = strdup("");

	while (*text)
		if (!value || template_step(t, &text, &value, err) < 0)
			return NULL;
	return value ? json_string(value) : NULL;
}

// NOLINTNEXTLINE(misc-no-recursion): a document is as deep as jansson reads it
static json_t *template_any(const struct template *t, const json_t *from, struct cni_error *err)
{
	json_auto_t *to = NULL;
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_string(from))
		return template_string(t, json_string_value(from), err);
	to = json_is_object(from) ? json_object() : json_is_array(from) ? json_array() : json_deep_copy(from);
	json_array_foreach(from, i, value)
		if (json_array_append_new(to, template_any(t, value, err)) < 0)
			return NULL;
	json_object_foreach((json_t *)from, key, value)
		if (json_object_set_new(to, key, template_any(t, value, err)) < 0)
			return NULL;
	return json_incref(to);
}

json_t *template_fill(const json_t *template, struct rtnl *host, const char *node, struct cni_error *err)
{
	const struct template t = { .host = host, .node = node };
	json_t *doc = template_any(&t, template, err);

	if (!doc)
		cni_fail(err, CNI_RETRY, "out of memory");
	return doc;
}
