/* SPDX-License-Identifier: Apache-2.0 */
#include "node/render.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/conflist.h"
#include "cni/json.h"
#include "cni/version.h"
#include "node/template.h"
#include "plugin/delegate.h"

#define PATIENCE_S 30

static const char *render_name(const struct options *options)
{
	const char *slash = strrchr(options->template, '/');

	return slash ? slash + 1 : options->template;
}

/* STATUS reports a configuration that is wrong by these codes, and by others that an ADD would fail now. */
static bool render_is_refusal(int code)
{
	return code == CNI_VERSION || code == CNI_FIELD || code == CNI_DECODE || code == CNI_CONFIG;
}

/* A node whose master is down, for instance, gets its configuration all the same: the runtime hears of it
 * by STATUS of its own. */
static int render_ask(const struct options *options, const char *type, const char *conf,
		      struct cni_error *err)
{
	autofree char *path = NULL;
	char program[PATH_MAX];
	struct cni_error why = { 0 };
	struct outcome outcome;

	if (delegate_find(type, options->cni_path, program, sizeof(program), err) < 0)
		return -1;
	if (asprintf(&path, "CNI_PATH=%s", options->cni_path) < 0)
		abort();
	const struct child child = {
		.what = "",
		.argv = { program },
		.env = (char *const[]){ (char *)"CNI_COMMAND=STATUS",
					(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", path, NULL },
		.input = conf,
		.input_len = strlen(conf),
		.patience_s = PATIENCE_S,
		.quiet = true,
	};

	if (child_run(&child, &outcome, err) < 0)
		return -1;
	if (!outcome.status)
		return 0;
	outcome_explain(&outcome, &why);
	if (!render_is_refusal(why.code))
		return 0;
	cni_fail(err, (enum cni_code)why.code, "%s refuses the configuration of %s: %s", type,
		 render_name(options), why.msg);
	return cni_hint(err, "%s", why.details);
}

/* STATUS is of the newest version, whatever that of the list is. */
static int render_check_plugin(const struct options *options, json_t *plugin, struct cni_error *err)
{
	const char *ipam = json_string_value(json_field(json_field(plugin, "ipam"), "type")),
		   *type = json_string_value(json_field(plugin, "type"));
	enum cni_version version;
	autofree char *conf = NULL;

	if (!type || strcmp(type, "ipvlan") != 0)
		return 0;
	if (version_negotiate(plugin, "ADD", CNI_0_1_0, &version, err) < 0)
		return -1;
	json_object_del(plugin, "cniVersion");
	json_object_set_new(plugin, "cniVersion", json_string(cni_versions[CNI_VERSIONS - 1]));
	conf = json_dumps(plugin, JSON_COMPACT);
	if (!conf)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (ipam && !strcmp(ipam, "addrpool") && render_ask(options, ipam, conf, err) < 0)
		return -1;
	return render_ask(options, type, conf, err);
}

static int render_check(const struct options *options, json_t *doc, struct cni_error *err)
{
	json_auto_t *plugins = conflist_plugins(doc);
	json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin)
		if (render_check_plugin(options, plugin, err) < 0)
			return -1;
	return 0;
}

/* The filled template. NULL with an error. */
static json_t *render_read(const struct options *options, struct rtnl *host, struct cni_error *err)
{
	json_auto_t *template = NULL;
	autofree char *text = NULL;
	json_t *doc;
	size_t len;

	text = place_read(options->template, &len, err);
	template = text ? conflist_parse(options->template, text, len, err) : NULL;
	doc = template ? template_fill(template, host, options->node, err) : NULL;
	return doc ? conflist_check(doc, err) : NULL;
}

int render_run(const struct place *place, const struct options *options, struct rtnl *host,
	       struct cni_error *err)
{
	json_auto_t *doc = render_read(options, host, err);
	autofree char *text = doc ? json_dumps(doc, JSON_INDENT(2)) : NULL;
	/* it may have etcd.password */
	const struct content content = { .bytes = text, .len = text ? strlen(text) : 0, .mode = 0600 };
	char path[PATH_MAX];
	enum placed placed;

	if (!text)
		return cni_fail(err, CNI_RETRY, "out of memory");
	snprintf(path, sizeof(path), "%s/%s", options->conf_dir, render_name(options));
	if (place_has(path, &content))
		return 0;
	if (render_check(options, doc, err) < 0)
		return -1;
	placed = place_put(place, path, &content, err);
	if (placed > PLACE_SAME)
		cni_log("wrote %s", path);
	return placed == PLACE_FAILED ? -1 : 0;
}
