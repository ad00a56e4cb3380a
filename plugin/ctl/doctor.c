#include <string.h>

#include "cni/conflist.h"
#include "cni/ip.h"
#include "cni/json.h"
#include "ctl/commands.h"
#include "ctl/examine.h"
#include "ctl/places.h"
#include "ctl/pools.h"
#include "ctl/scan.h"
#include "ctl/text.h"

/* A network of ipvlan that was met in a file, to be compared with those after it. */
static json_t *networks_of(const char *file, const json_t *plugins)
{
	json_t *met = json_array(), *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		const char *type = json_string_value(json_field(plugin, "type"));

		if (type && !strcmp(type, "ipvlan"))
			json_array_append_new(met, json_pack("{s:o, s:O}", "file", json_text(file), "conf",
							     plugin));
	}
	return met;
}

static const char *key_of(const json_t *met, const char *key)
{
	const char *text = json_string_value(json_field(json_object_get(met, "conf"), key));

	return text ? text : "";
}

/* Every subnet of a network, for those who share addresses without knowing. */
static bool subnets_overlap(const json_t *a, const json_t *b)
{
	const char *x = json_string_value(json_field(a, "subnet"));
	const char *y = json_string_value(json_field(b, "subnet"));
	struct prefix p, q;

	return x && y && prefix_parse(x, &p) && prefix_parse(y, &q) &&
	       (prefix_contains(&p, &q.ip) || prefix_contains(&q, &p.ip));
}

/* Ranges with start and end are their own affair: two of one subnet may share it. */
static bool whole(const json_t *range)
{
	return !json_field(range, "rangeStart") && !json_field(range, "rangeEnd");
}

static json_t *ranges_of(const json_t *met)
{
	const json_t *ipam = json_field(json_object_get(met, "conf"), "ipam"), *set;
	json_t *all = json_array();
	size_t i;

	if (json_field(ipam, "subnet"))
		json_array_append_new(all, json_deep_copy(ipam));
	json_array_foreach(json_field(ipam, "ranges"), i, set)
		json_array_extend(all, (json_t *)set);
	return all;
}

static bool pools_meet(const json_t *a, const json_t *b)
{
	json_auto_t *xs = ranges_of(a), *ys = ranges_of(b);
	const json_t *x, *y;
	size_t i, k;

	json_array_foreach(xs, i, x)
		json_array_foreach(ys, k, y)
			if (subnets_overlap(x, y) && (whole(x) || whole(y)))
				return true;
	return false;
}

static void compare(struct report *all, const json_t *a, const json_t *b)
{
	const char *file = places_name(scan_text(a, "file"));
	const bool same = !strcmp(scan_text(a, "file"), scan_text(b, "file"));

	if (!same && !strcmp(key_of(a, "name"), key_of(b, "name")))
		report(all, ERROR, "name", "rename one, or remove the file that is not meant",
		       "network \"%s\" is also in %s", key_of(a, "name"), file);
	else if (strcmp(key_of(a, "name"), key_of(b, "name")) != 0 && pools_meet(a, b))
		report(all, ERROR, "pool", "give each network ranges of its own: each leases addresses alone",
		       "addresses overlap with those of network \"%s\" in %s", key_of(a, "name"), file);
	if (*key_of(a, "master") && !strcmp(key_of(a, "master"), key_of(b, "master")) &&
	    strcmp(*key_of(a, "mode") ? key_of(a, "mode") : "l2",
		   *key_of(b, "mode") ? key_of(b, "mode") : "l2") != 0)
		report(all, WARNING, "mode", "use one mode for a master, or masters of their own (vlan)",
		       "network \"%s\" in %s wants another mode of \"%s\": whoever comes second is refused",
		       key_of(a, "name"), file, key_of(a, "master"));
}

static void examine_pools(struct report *all, const char *file)
{
	struct cni_error err = { 0 };
	json_auto_t *pools = pools_of(file, &err);
	const json_t *pool, *range;
	size_t i, k;

	if (!pools)
		report_error(all, WARNING, "pool", &err);
	json_array_foreach(pools, i, pool)
		json_array_foreach(json_object_get(pool, "rangeSets"), k, range) {
			long long dead = json_integer_value(json_object_get(range, "dead"));
			long long leased = json_integer_value(json_object_get(range, "leased"));
			long long size = json_integer_value(json_object_get(range, "size"));

			if (dead)
				report(all, WARNING, "leases",
				       "ipvlanctl gc --yes gives them back, and so does the next ADD that "
				       "finds no other address",
				       "%lld of %s belong to nobody any more", dead,
				       scan_text(range, "rangeSet"));
			else if (leased * 10 >= size * 9)
				report(all, WARNING, "pool", "make the range larger",
				       "%lld of %lld addresses of %s are leased", leased, size,
				       scan_text(range, "rangeSet"));
			else
				report(all, OK, "pool", NULL, "%lld of %lld addresses of %s are leased",
				       leased, size, scan_text(range, "rangeSet"));
		}
}

/* Adds the networks of the file to those that were met. */
static void examine_file(struct report *all, json_t *met, const char *file)
{
	struct cni_error err = { 0 };
	json_auto_t *plugins = conflist_read(file, &err), *networks = NULL;
	const json_t *network, *other;
	size_t i, k;

	networks = networks_of(file, plugins);
	if (plugins && !json_array_size(networks))
		return;
	text_put(BOLD, "%s", file);
	text_end();
	if (!plugins)
		report_error(all, ERROR, "file", &err);
	json_array_foreach(networks, i, network) {
		examine(all, json_object_get(network, "conf"));
		json_array_foreach(met, k, other)
			compare(all, other, network);
	}
	json_array_extend(met, networks);
	if (plugins)
		examine_pools(all, file);
	text_end();
}

static size_t examine_objects(struct report *all, const json_t *pod)
{
	const json_t *entry;
	size_t i, missing = 0;

	json_array_foreach(json_object_get(pod, "objects"), i, entry) {
		if (json_is_true(json_object_get(entry, "found")))
			continue;
		report(all, ERROR, "host", "start the pod anew, which makes it again",
		       "container %s: \"%s\" is missing", scan_text(pod, "container"),
		       scan_text(entry, "object"));
		missing++;
	}
	return missing;
}

static void examine_lost(struct report *all, const json_t *pod)
{
	const char *state = scan_text(pod, "state");
	bool gone = !strcmp(state, "gone");

	if (!strcmp(state, "hidden"))
		return;
	report(all, WARNING, "attachment",
	       gone ? "ipvlanctl gc --yes gives back what it holds" : "start the pod anew",
	       "container %s, network %s, interface %s: %s", scan_text(pod, "container"),
	       scan_text(pod, "network"), scan_text(pod, "interface"),
	       gone				? "its namespace is gone"
	       : !strcmp(state, "no interface") ? "the interface was deleted"
						: "nobody can say whether its namespace lives");
}

static void examine_machine(struct report *all)
{
	struct cni_error err = { 0 };
	json_auto_t *doc = scan(&err);
	const json_t *master, *pod;
	size_t i, k, pods = 0, missing = 0;

	text_put(BOLD, "pods of this machine");
	text_end();
	if (!doc)
		report_error(all, ERROR, "ledger", &err);
	json_array_foreach(json_object_get(doc, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod) {
			missing += examine_objects(all, pod);
			pods++;
		}
	json_array_foreach(json_object_get(doc, "lost"), i, pod)
		examine_lost(all, pod);
	if (doc && !missing)
		report(all, OK, "host", NULL, "%zu ipvlan interface%s, and nothing is missing for them", pods,
		       pods == 1 ? "" : "s");
}

int doctor_main(int argc, char **argv)
{
	struct report all = { .worst = OK };
	struct cni_error err = { 0 };
	json_auto_t *files = argc > 1 ? json_array() : places_list(&err), *met = json_array();
	const json_t *file;
	size_t i;

	for (int k = 1; k < argc; k++)
		json_array_append_new(files, json_stringn_nocheck(argv[k], strlen(argv[k])));
	if (!files)
		report_error(&all, ERROR, "configuration", &err);
	json_array_foreach(files, i, file)
		examine_file(&all, met, json_string_value(file));
	if (files && !json_array_size(met) && all.worst == OK)
		report(&all, WARNING, "configuration", "conf-examples of the source has some to begin with",
		       "there is no network of type ipvlan in %s", argc > 1 ? "these files" : places_confs());
	examine_machine(&all);
	return (int)all.worst;
}
