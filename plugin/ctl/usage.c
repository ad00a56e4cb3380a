/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cni/json.h"
#include "ctl/examine.h"
#include "ctl/pools.h"
#include "ctl/scan.h"

static void usage_examine_range_set(struct exam *exam, const json_t *pool, const json_t *range)
{
	const bool shared = pools_is_shared(pool);
	const long long dead = scan_number(range, "dead"), leased = scan_number(range, "leased"),
			size = scan_number(range, "size");
	const char *text = scan_text(range, "rangeSet");

	if (dead)
		report(exam->report, WARNING, "leases",
		       "ipvlanctl gc --yes releases them, as does the next ADD that finds no other "
		       "address",
		       "%lld of %s are leased for pods that no longer exist", dead, text);
	else if (leased >= size && !shared)
		report(exam->report, WARNING, "pool", "make the range larger",
		       "all %lld addresses of %s are leased: the next ADD fails", size, text);
	else
		report(exam->report, OK, "pool", NULL, "%lld of %lld addresses of %s%s are leased", leased,
		       size, shared ? "this node's blocks of " : "", text);
}

/* Keeps the pools of this network. A file may have several networks. */
static void usage_keep_network(json_t *pools, const struct exam *exam)
{
	const char *shared = json_string_value(json_field(json_field(exam->plugin, "ipam"), "pool"));

	for (size_t i = json_array_size(pools); i > 0; i--) {
		const json_t *pool = json_array_get(pools, i - 1);

		if (strcmp(scan_text(pool, "network"), exam_network(exam)) != 0 &&
		    (!shared || strcmp(scan_text(pool, "pool"), shared) != 0))
			json_array_remove(pools, i - 1);
	}
}

/* The addresses that ADD can assign without another block. */
static long long usage_count_free(const json_t *pools)
{
	const json_t *pool, *range;
	long long free = 0;
	size_t i, k;

	json_array_foreach(pools, i, pool)
		json_array_foreach(json_object_get(pool, "rangeSets"), k, range)
			free += scan_number(range, "size") - scan_number(range, "leased") +
				scan_number(range, "dead");
	return free;
}

/* The engine fails: no block can be claimed. ADD requires one when the node's blocks have no free address. */
static void usage_report_engine(struct exam *exam, const json_t *network, const char *what)
{
	json_auto_t *pools = pools_of(network, false, NULL);
	long long free;

	usage_keep_network(pools, exam);
	free = usage_count_free(pools);
	report(exam->report, free ? WARNING : ERROR, "cluster",
	       "check the engine that \"cluster\" in ipam names",
	       "network \"%s\": %s; %lld address%s of this node's blocks %s free", exam_network(exam), what,
	       free, free == 1 ? "" : "es", free == 1 ? "is" : "are");
}

static json_t *usage_leases_by_address(const json_t *pools)
{
	json_t *all = json_object(), *lease;
	const json_t *pool;
	size_t i, k;

	json_array_foreach(pools, i, pool)
		json_array_foreach(json_object_get(pool, "leases"), k, lease)
			json_object_set(all, scan_text(lease, "address"), lease);
	return all;
}

void examine_pools(struct exam *exam)
{
	json_auto_t *network =
		json_pack("{s:s, s:n, s:O}", "name", exam_network(exam), "file", "plugins", exam->plugins);
	struct cni_error err = { 0 };
	const json_t *pool, *range;
	size_t i, k;

	if (!exam->ranges.pool)
		return;
	exam->pools = pools_of(network, true, &err);
	if (!exam->pools && json_field(json_field(exam->plugin, "ipam"), "cluster")) {
		usage_report_engine(exam, network, err.msg);
		return;
	}
	if (!exam->pools) {
		report(exam->report, ERROR, "pool", err.details, "network \"%s\": %s", exam_network(exam),
		       err.msg);
		return;
	}
	exam->sound |= SOUND_POOLS;
	usage_keep_network(exam->pools, exam);
	exam->leases = usage_leases_by_address(exam->pools);
	json_array_foreach(exam->pools, i, pool)
		json_array_foreach(json_object_get(pool, "rangeSets"), k, range)
			usage_examine_range_set(exam, pool, range);
}
