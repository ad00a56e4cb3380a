/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipvlanctl status: a line for each concern. It is quick: it sends no packet, asks no engine of a cluster,
 * and waits for no lock. "concerns" is an array of { name, level, text }.
 */
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cni/counters.h"
#include "cni/json.h"
#include "cni/log.h"
#include "ctl/commands.h"
#include "ctl/metrics.h"
#include "ctl/networks.h"
#include "ctl/overview.h"
#include "ctl/places.h"
#include "ctl/scan.h"
#include "ctl/text.h"

/* Takes over the reference to text. */
static void status_concern(json_t *doc, const char *name, const char *level, json_t *text)
{
	json_array_append_new(json_object_get(doc, "concerns"),
			      json_pack("{s:s, s:s, s:o}", "name", name, "level", level, "text",
					text ? text : json_string("?")));
}

static const char *status_plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void status_concern_pods(json_t *doc)
{
	const size_t ok = overview_count_pods(doc, "ok"), damaged = overview_count_pods(doc, "damaged"),
		     lost = overview_count_pods(doc, "lost"), unknown = overview_count_pods(doc, "unknown"),
		     unseen = overview_count_pods(doc, "unseen");

	if (damaged || lost || unknown)
		status_concern(
			doc, "pods", damaged ? "error" : "warning",
			json_sprintf("%zu ok, %zu damaged, %zu lost, %zu unknown: ipvlanctl show lists them",
				     ok + unseen, damaged, lost, unknown));
	else
		status_concern(doc, "pods", "ok", json_sprintf("%zu, and nothing is missing", ok + unseen));
}

/* The first sentence of a list, and the number of others. */
static json_t *status_first_of(const json_t *list)
{
	const size_t n = json_array_size(list);
	const char *first = json_string_value(json_array_get(list, 0));

	return n > 1 ? json_sprintf("%s (and %zu more)", first, n - 1) : json_string(first);
}

static void status_concern_ledger(json_t *doc)
{
	const json_t *unread = json_object_get(json_object_get(doc, "unread"), "pods");

	if (json_array_size(unread))
		status_concern(doc, "ledger", "warning", status_first_of(unread));
	else
		status_concern(doc, "ledger", "ok",
			       json_string("all records in /run/cni/ipvlan can be read"));
}

/* The problems that judge() found on masters. */
static void status_find_judged_masters(const json_t *doc, json_t *faults)
{
	const json_t *master, *problem;
	size_t i, k;

	json_array_foreach(json_object_get(doc, "masters"), i, master)
		json_array_foreach(json_object_get(doc, "problems"), k, problem)
			if (*scan_text(master, "name") &&
			    !strcmp(scan_text(problem, "about"), scan_text(master, "name")) &&
			    !strcmp(scan_text(problem, "of"), "master"))
				json_array_append_new(faults,
						      json_sprintf("%s: %s", scan_text(master, "name"),
								   scan_text(problem, "text")));
}

/* Masters of configurations that do not exist. */
static void status_find_missing_masters(const json_t *doc, json_t *faults)
{
	const json_t *network;
	size_t i;

	json_array_foreach(json_object_get(doc, "configurations"), i, network) {
		const json_t *plugin = networks_ipvlan(network);
		const char *name = json_string_value(json_field(plugin, "master"));

		if (name && *name && !json_is_true(json_field(plugin, "linkInContainer")) &&
		    !if_nametoindex(name))
			json_array_append_new(faults, json_sprintf("%s of network %s does not exist", name,
								   scan_text(network, "name")));
	}
}

static void status_concern_masters(json_t *doc)
{
	json_auto_t *faults = json_array();

	status_find_judged_masters(doc, faults);
	status_find_missing_masters(doc, faults);
	if (json_array_size(faults))
		status_concern(doc, "masters", "error", status_first_of(faults));
	else
		status_concern(doc, "masters", "ok",
			       json_sprintf("%zu in use", json_array_size(json_object_get(doc, "masters"))));
}

static void status_concern_pools(json_t *doc)
{
	const json_t *unread = json_object_get(json_object_get(doc, "unread"), "pools"), *entry;
	json_auto_t *tight = json_array();
	size_t i, n = 0;

	json_array_foreach(json_object_get(doc, "pools"), i, entry)
		n += json_array_size(json_object_get(entry, "rangeSets"));
	json_array_foreach(json_object_get(doc, "problems"), i, entry)
		if (!strcmp(scan_text(entry, "of"), "pool"))
			json_array_append_new(tight, json_sprintf("network %s: %s", scan_text(entry, "about"),
								  scan_text(entry, "text")));
	if (json_array_size(unread))
		status_concern(doc, "pools", "warning", status_first_of(unread));
	else if (json_array_size(tight))
		status_concern(doc, "pools", "warning", status_first_of(tight));
	else
		status_concern(doc, "pools", "ok",
			       json_sprintf("%zu range set%s, none nearly full", n, status_plural(n)));
}

/* Are the IPAM plugins installed? */
static void status_concern_ipam(json_t *doc)
{
	json_auto_t *faults = json_array(), *types = json_object();
	const json_t *network;
	size_t i;

	json_array_foreach(json_object_get(doc, "configurations"), i, network) {
		const char *type =
			json_string_value(json_field(json_field(networks_ipvlan(network), "ipam"), "type"));
		struct cni_error why = { 0 };
		char program[PATH_MAX];

		if (!type || json_object_get(types, type))
			continue;
		json_object_set_new(types, type, json_true());
		if (places_find(type, program, sizeof(program), &why) < 0)
			json_array_append_new(faults, json_sprintf("network %s: %s",
								   scan_text(network, "name"), why.msg));
	}
	if (json_array_size(faults))
		status_concern(doc, "ipam", "error", status_first_of(faults));
	else
		status_concern(doc, "ipam", "ok",
			       json_sprintf("%zu plugin%s installed; the engine of a cluster is not asked",
					    json_object_size(types), status_plural(json_object_size(types))));
}

struct totals {
	json_t *calls, *repairs;
	unsigned long long called, failed, mended, beyond;
};

static void status_add_counter(const struct counter *counter, void *arg)
{
	struct totals *totals = arg;
	const json_int_t n = (json_int_t)counter->n;

	if (counter->program) {
		totals->called += counter->n;
		totals->failed += counter->code ? counter->n : 0;
		json_array_append_new(totals->calls,
				      json_pack("{s:s, s:s, s:i, s:I}", "plugin", counter->program, "verb",
						counter->verb, "code", counter->code, "count", n));
		return;
	}
	*(strcmp(counter->repair, "failed") ? &totals->mended : &totals->beyond) += counter->n;
	json_array_append_new(totals->repairs, json_pack("{s:s, s:s, s:I}", "by", counter->by, "result",
							 counter->repair, "count", n));
}

/* Past failures are no present fault. */
static void status_concern_counters(json_t *doc)
{
	struct totals totals = { .calls = json_array(), .repairs = json_array() };
	struct cni_error why = { 0 };
	const bool failed = counters_each(status_add_counter, &totals, &why) == FOUND_FAILED;

	json_object_set_new(doc, "calls", totals.calls);
	json_object_set_new(doc, "repairs", totals.repairs);
	if (failed) {
		status_concern(doc, "calls", "warning", json_text(why.msg));
		return;
	}
	status_concern(doc, "calls", "ok",
		       json_sprintf("%llu since the machine was started, %llu of them failed", totals.called,
				    totals.failed));
	status_concern(doc, "repairs", "ok",
		       json_sprintf("%llu since the machine was started, and %llu failed", totals.mended,
				    totals.beyond));
}

static bool status_all_well(const json_t *doc)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(doc, "concerns"), i, entry)
		if (strcmp(scan_text(entry, "level"), "ok") != 0)
			return false;
	return true;
}

static void status_print_text(const json_t *doc)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(doc, "concerns"), i, entry) {
		const char *level = scan_text(entry, "level");

		text_put(!strcmp(level, "ok")	   ? GREEN
			 : !strcmp(level, "error") ? RED
						   : YELLOW,
			 "%-7s", level);
		text_put(BOLD, "  %-7s", scan_text(entry, "name"));
		text_put(PLAIN, "  %s", scan_text(entry, "text"));
		text_end();
	}
}

/* For monitoring: without leases and objects. */
static void status_print_json(const json_t *doc)
{
	static const char *const conditions[] = { "ok", "damaged", "lost", "unknown", "unseen", "foreign" };
	json_auto_t *pods = json_object(), *answer = NULL;

	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		json_object_set_new(pods, conditions[i],
				    json_integer((json_int_t)overview_count_pods(doc, conditions[i])));
	answer = json_pack("{s:O, s:b, s:O, s:O, s:O, s:O, s:O, s:O}", "node", json_object_get(doc, "node"),
			   "ok", status_all_well(doc), "concerns", json_object_get(doc, "concerns"), "pods",
			   pods, "networks", json_object_get(doc, "networks"), "problems",
			   json_object_get(doc, "problems"), "calls", json_object_get(doc, "calls"),
			   "repairs", json_object_get(doc, "repairs"));
	json_dumpf(answer, stdout, JSON_INDENT(4));
	text_end();
}

int status_main(int argc, char **argv)
{
	const char *form = argc > 1 ? argv[1] : "";
	struct cni_error err = { 0 };
	json_auto_t *doc = NULL;

	if (argc > 2)
		return command_misuse(argv[0]);
	doc = overview_read(&err);
	if (!doc) {
		cni_log("ipvlanctl: %s", err.msg);
		return 1;
	}
	json_object_set_new(doc, "concerns", json_array());
	status_concern_pods(doc);
	status_concern_ledger(doc);
	status_concern_masters(doc);
	status_concern_pools(doc);
	status_concern_ipam(doc);
	status_concern_counters(doc);
	if (!strcmp(form, "--json"))
		status_print_json(doc);
	else if (*form)
		metrics_print(doc);
	else
		status_print_text(doc);
	return status_all_well(doc) ? 0 : 1;
}
