/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/pools.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/listing.h"
#include "ctl/places.h"
#include "ctl/progress.h"
#include "ctl/scan.h"

/* More than the minute for which addrpool waits for its lock. */
#define LOCK_PATIENCE_S 90

/* The file from which addrpool reads a network. */
#define INPUT "/dev/stdin"

bool pools_is_of(const json_t *plugin)
{
	const char *type = json_string_value(json_field(json_field(plugin, "ipam"), "type"));

	return type && (!strcmp(type, "addrpool") || !strcmp(type, "host-local"));
}

static bool pools_has(const json_t *plugins)
{
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin)
		if (pools_is_of(plugin))
			return true;
	return false;
}

static bool pools_has_cluster(const json_t *plugins)
{
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin)
		if (json_is_object(json_field(json_field(plugin, "ipam"), "cluster")))
			return true;
	return false;
}

bool pools_is_shared(const json_t *pool)
{
	return json_object_get(pool, "blocks");
}

double pools_share(long long n, long long size)
{
	return size ? (double)n / (double)size : 0;
}

/* Finds the reason in "addrpool: /dev/stdin: REASON\n". */
static int pools_explain(const struct outcome *o, struct cni_error *err)
{
	const char *why = strstr(o->stderr_end, INPUT ": ");

	why = why ? why + strlen(INPUT ": ") : o->stderr_end;
	if (!*why)
		return cni_fail(err, CNI_CONFIG, "addrpool failed without a message");
	return cni_fail(err, CNI_CONFIG, "%.*s", (int)strcspn(why, "\n"), why);
}

/* Prints what the command printed; if it failed, what it printed before the reason. */
static void pools_put_output(const struct outcome *o)
{
	const char *why = strstr(o->stderr_end, INPUT ": ");
	size_t len = !o->status ? strlen(o->stderr_end) : why ? (size_t)(why - o->stderr_end) : 0;

	while (o->status && len && o->stderr_end[len - 1] != '\n')
		len--;
	fwrite(o->stderr_end, 1, len, stderr);
	if (o->output)
		fwrite(o->output, 1, o->output_len, stdout);
}

/* addrpool asks the engine of one plugin after the other; confirm runs addrpool-claim twice for each. */
static int pools_patience_s(const json_t *network)
{
	const int plugins = (int)json_array_size(json_object_get(network, "plugins"));

	return LOCK_PATIENCE_S + 2 * plugins * (LISTING_LOCK_S + LISTING_S);
}

/* Runs addrpool for one network. *o has its output. */
static int pools_addrpool_run(const json_t *network, const char *const *arguments, struct outcome *o,
			      struct cni_error *err)
{
	json_auto_t *list = json_pack("{s:O*, s:O*}", "name", json_object_get(network, "name"), "plugins",
				      json_object_get(network, "plugins"));
	autofree char *text = json_dumps(list, JSON_COMPACT);
	struct child addrpool = { .what = "",
				  .env = environ,
				  .input = text,
				  .input_len = text ? strlen(text) : 0,
				  .patience_s = pools_patience_s(network),
				  .output_max = LISTING_MAX,
				  .quiet = true };
	char program[PATH_MAX];

	if (!text)
		abort();
	if (places_find("addrpool", program, sizeof(program), err) < 0)
		return -1;
	unsetenv("CNI_COMMAND"); /* with it addrpool would act as a plugin */
	addrpool.argv[0] = program;
	for (int i = 0; arguments[i]; i++)
		addrpool.argv[i + 1] = arguments[i];
	if (child_run(&addrpool, o, err) < 0)
		return -1;
	return o->status ? pools_explain(o, err) : 0;
}

int pools_command(const json_t *network, const char *const *arguments, struct cni_error *err)
{
	const char *all[8] = { NULL };
	struct outcome o = { .status = 0 };
	size_t n = 0;
	int rc;

	for (; arguments[n] && n + 2 < sizeof(all) / sizeof(*all); n++)
		all[n] = arguments[n];
	all[n] = INPUT;
	progress("asking the engine of network %s", scan_text(network, "name"));
	rc = pools_addrpool_run(network, all, &o, err);
	progress_end();
	pools_put_output(&o);
	return rc;
}

json_t *pools_of(const json_t *network, bool ask, struct cni_error *err)
{
	const char *const arguments[] = { "--json", ask ? INPUT : "--local", ask ? NULL : INPUT, NULL };
	json_t *pools, *pool;
	struct outcome o;
	size_t i;

	if (!pools_has(json_object_get(network, "plugins")))
		return json_array();
	progress("reading the pools of network %s", scan_text(network, "name"));
	if (pools_addrpool_run(network, arguments, &o, err) < 0)
		return NULL;
	pools = json_read(o.output, o.output_len, err);
	json_array_foreach(pools, i, pool)
		json_object_set(pool, "file", json_object_get(network, "file"));
	return pools;
}

json_t *pools_tidy(const json_t *network, bool really, struct cni_error *err)
{
	const char *const arguments[] = { "tidy", really ? "--yes" : INPUT, really ? INPUT : NULL, NULL };
	const json_t *plugins = json_object_get(network, "plugins");
	struct outcome o;

	if (!pools_has(plugins) || !pools_has_cluster(plugins))
		return json_array();
	progress("returning what network %s no longer uses", scan_text(network, "name"));
	if (pools_addrpool_run(network, arguments, &o, err) < 0)
		return NULL;
	progress_end();
	fputs(o.stderr_end, stderr);
	return json_read(o.output, o.output_len, err);
}

json_t *pools_stores(const char *dir, struct cni_error *err)
{
	const char *const arguments[] = { "stores", dir, NULL };
	json_auto_t *none = json_object();
	struct outcome o;

	if (pools_addrpool_run(none, arguments, &o, err) < 0)
		return NULL;
	return json_read(o.output, o.output_len, err);
}
