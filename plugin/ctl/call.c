/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/call.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "ctl/places.h"

/* A runtime's limit. */
#define PATIENCE_S 240

/* Plugins also inherit our environment, which may have CNI_ARGS. */
static void call_set_environment(const struct call *call, const char *verb)
{
	setenv("CNI_COMMAND", verb, 1);
	setenv("CNI_CONTAINERID", call->container, 1);
	setenv("CNI_NETNS", call->netns, 1);
	setenv("CNI_IFNAME", call->ifname, 1);
	setenv("CNI_PATH", places_path(), 1);
}

/* Returns the plugin's result, or JSON true if it printed none. */
static json_t *call_run(const char *program, const char *conf, struct cni_error *err)
{
	struct child child = { .what = "",
			       .argv = { program },
			       .env = environ,
			       .input = conf,
			       .input_len = strlen(conf),
			       .patience_s = PATIENCE_S };
	struct outcome o;

	if (child_run(&child, &o, err) < 0)
		return NULL;
	if (o.status) {
		outcome_explain(&o, err);
		return NULL;
	}
	return o.output_len ? json_read(o.output, o.output_len, err) : json_true();
}

/* Adds the remedy for a program that does not exist. */
static void call_explain_missing(const char *type, const json_t *plugin, struct cni_error *why)
{
	const char *plugins_type = json_string_value(json_field(plugin, "type"));

	*why->details = '\0';
	if (!plugins_type || !type)
		cni_hint(why, "each of \"plugins\" requires a \"type\", the name of a program");
	else if (strcmp(type, plugins_type) != 0)
		cni_hint(why, "install the IPAM plugin that ipam.type names into a directory of CNI_PATH");
	else if (!strcmp(type, "ipvlan"))
		cni_hint(why, "install ipvlan-cni again: runtimes look for its ipvlan in these directories");
	else
		cni_hint(why, "install the plugin that follows ipvlan into one of these "
			      "directories, or remove it "
			      "from \"plugins\"");
}

/* type: the program to call with the plugin's configuration */
static json_t *call_program(const struct call *call, const char *verb, const char *type, const json_t *plugin,
			    const json_t *prev, struct cni_error *err)
{
	json_auto_t *with_prev = json_copy((json_t *)plugin);
	struct cni_error why = { 0 };
	autofree char *conf = NULL;
	char program[PATH_MAX];
	bool program_found;
	json_t *answer = NULL;

	if (prev)
		json_object_set(with_prev, "prevResult", (json_t *)prev);
	conf = json_dumps(with_prev, JSON_COMPACT);
	call_set_environment(call, verb);
	program_found = conf && places_find(type ? type : "", program, sizeof(program), &why) == 0;
	if (program_found)
		answer = call_run(program, conf, &why);
	if (answer)
		return answer;
	if (conf && !program_found)
		call_explain_missing(type, plugin, &why);
	cni_fail(err, (enum cni_code)why.code, "%s: %s", type ? type : "a plugin without \"type\"", why.msg);
	cni_hint(err, "%s", why.details);
	return NULL;
}

static json_t *call_one(const struct call *call, const char *verb, const json_t *plugin, const json_t *prev,
			struct cni_error *err)
{
	return call_program(call, verb, json_string_value(json_field(plugin, "type")), plugin, prev, err);
}

int call_ipam_del(const struct call *call, const json_t *plugin, struct cni_error *err)
{
	const char *type = json_string_value(json_field(json_field(plugin, "ipam"), "type"));
	json_auto_t *answer = call_program(call, "DEL", type, plugin, NULL, err);

	return answer ? 0 : -1;
}

json_t *call_add(const struct call *call, const json_t *plugins, struct cni_error *err)
{
	json_t *prev = NULL, *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		json_t *answer = call_one(call, "ADD", plugin, prev, err);

		json_decref(prev);
		prev = answer;
		if (!prev)
			break;
	}
	return prev;
}

int call_check(const struct call *call, const json_t *plugins, const json_t *prev, struct cni_error *err)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		json_auto_t *answer = call_one(call, "CHECK", plugin, prev, err);

		if (!answer)
			return -1;
	}
	return 0;
}

int call_del(const struct call *call, const json_t *plugins, const json_t *prev, struct cni_error *err)
{
	int rc = 0;

	for (size_t i = json_array_size(plugins); i > 0; i--) {
		json_auto_t *answer =
			call_one(call, "DEL", json_array_get(plugins, i - 1), prev, rc == 0 ? err : NULL);

		if (!answer)
			rc = -1;
	}
	return rc;
}

/* The network's plugins of type ipvlan, or the others. The caller releases the list. */
static json_t *call_some(const json_t *plugins, bool ipvlan)
{
	json_t *some = json_array(), *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		const char *type = json_string_value(json_field(plugin, "type"));

		if ((type && !strcmp(type, "ipvlan")) == ipvlan)
			json_array_append(some, plugin);
	}
	return some;
}

int call_del_gone(const struct call *call, const json_t *plugins, struct cni_error *err)
{
	json_auto_t *ipvlan = call_some(plugins, true), *others = call_some(plugins, false);
	struct cni_error why = { 0 };
	int rc;

	setenv("IPVLANCTL_GC", "1", 1); /* see cni/plugin.h */
	rc = call_del(call, ipvlan, NULL, &why);
	if (rc < 0)
		*err = why;
	if (rc == 0 || why.code != CNI_EXISTS)
		rc = call_del(call, others, NULL, rc == 0 ? err : NULL) < 0 ? -1 : rc;
	unsetenv("IPVLANCTL_GC");
	return rc;
}
