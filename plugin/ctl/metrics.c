/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cni/counters.h"
#include "cni/ip.h"
#include "cni/json.h"
#include "cni/log.h"
#include "ctl/overview.h"
#include "ctl/scan.h"
#include "ctl/text.h"

#define PREFIX "ipvlan_cni_"

/* unit: the last part of the name; "": none. */
static void metrics_put_family(const char *name, const char *type, const char *unit, const char *help)
{
	printf("# TYPE " PREFIX "%s %s\n", name, type);
	if (*unit)
		printf("# UNIT " PREFIX "%s %s\n", name, unit);
	printf("# HELP " PREFIX "%s %s\n", name, help);
}

/* Escapes the characters that end a label as the format requires. Control characters become \xNN as
 * elsewhere, since a terminal would obey them. jansson guarantees that the rest is UTF-8. */
static void metrics_put_value(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '\n')
			printf("\\n");
		else if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if (*c < ' ' || *c == 0x7f)
			printf("\\\\x%02x", *c);
		else if (*c == 0xc2 && c[1] < 0xa0) /* U+0080 to U+009F */
			printf("\\\\xc2\\\\x%02x", *++c);
		else
			putchar(*c);
	}
}

/* labels: n pairs of a name and a value. */
static void metrics_put_sample(const char *name, size_t n, const char *const labels[][2], long long value)
{
	printf(PREFIX "%s", name);
	for (size_t i = 0; i < n; i++) {
		printf("%s%s=\"", i ? "," : "{", labels[i][0]);
		metrics_put_value(labels[i][1]);
		putchar('"');
	}
	printf("%s %lld\n", n ? "}" : "", value);
}

/* Counts the pods of each network and state: an object of objects. */
static void metrics_tally(json_t *pod, const json_t *master, void *arg)
{
	const char *network = scan_text(pod, "network"), *condition = scan_text(pod, "condition");
	json_t *states = json_object_get(arg, network);

	(void)master;
	if (!states) {
		states = json_object();
		json_object_set_new(arg, network, states);
	}
	json_object_set_new(states, condition,
			    json_integer(json_integer_value(json_object_get(states, condition)) + 1));
}

static void metrics_put_pods(const json_t *doc)
{
	static const char *const states[] = { "ok", "damaged", "lost", "unknown", "unseen" };
	json_auto_t *tally = json_object();
	const json_t *network, *counts;
	const char *name;
	size_t i;

	json_array_foreach(json_object_get(doc, "networks"), i, network)
		json_object_set_new(tally, scan_text(network, "name"), json_object());
	pods_each_of(doc, metrics_tally, tally);
	metrics_put_family("pods", "gauge", "pods", "Attachments of pods to networks, by state.");
	json_object_foreach(tally, name, counts)
		for (i = 0; *name && i < sizeof(states) / sizeof(*states); i++)
			metrics_put_sample("pods", 2,
					   (const char *const[][2]){ { "network", name },
								     { "state", states[i] } },
					   json_integer_value(json_object_get(counts, states[i])));
}

static const char *metrics_family_of(const json_t *pool, size_t set)
{
	const json_t *ranges = json_array_get(json_object_get(pool, "ranges"), set);
	struct ip ip;

	return ip_parse(scan_text(json_array_get(ranges, 0), "first"), &ip) && ip.family == AF_INET6 ? "ipv6"
												     : "ipv4";
}

static void metrics_put_set(const json_t *pool, const json_t *set, size_t i)
{
	const long long size = json_integer_value(json_object_get(set, "size")),
			used = json_integer_value(json_object_get(set, "used"));
	const struct {
		const char *state;
		long long n;
	} all[] = {
		{ "used", used },
		{ "free", size > used ? size - used : 0 },
		{ "stale", json_integer_value(json_object_get(set, "dead")) },
	};
	char number[24];

	snprintf(number, sizeof(number), "%zu", i);
	for (size_t k = 0; k < 3; k++)
		metrics_put_sample("pool_addresses", 4,
				   (const char *const[][2]){ { "network", scan_text(pool, "network") },
							     { "family", metrics_family_of(pool, i) },
							     { "range_set", number },
							     { "state", all[k].state } },
				   all[k].n);
}

/* If a network has several configurations, the first counts, since no sample may occur twice. */
static bool metrics_is_first(const json_t *pools, const json_t *pool, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(scan_text(json_array_get(pools, i), "network"), scan_text(pool, "network")))
			return false;
	return true;
}

static void metrics_put_pools(const json_t *pools)
{
	const json_t *pool, *set, *blocks;
	size_t i, k;

	metrics_put_family(
		"pool_addresses", "gauge", "addresses",
		"Addresses of a pool: used by pods; free; and stale: free ones that are still leased "
		"to pods that are gone.");
	json_array_foreach(pools, i, pool)
		if (metrics_is_first(pools, pool, i))
			json_array_foreach(json_object_get(pool, "rangeSets"), k, set)
				metrics_put_set(pool, set, k);
	metrics_put_family("pool_blocks", "gauge", "blocks", "Blocks of a shared pool that this node owns.");
	json_array_foreach(pools, i, pool) {
		if (!metrics_is_first(pools, pool, i))
			continue;
		json_array_foreach(json_object_get(pool, "blocks"), k, blocks) {
			char number[24];

			snprintf(number, sizeof(number), "%zu", k);
			metrics_put_sample("pool_blocks", 3,
					   (const char *const[][2]){
						   { "network", scan_text(pool, "network") },
						   { "family", metrics_family_of(pool, k) },
						   { "range_set", number } },
					   json_integer_value(blocks));
		}
	}
}

struct metrics_of_pod {
	const char *unit; /* "bytes", "packets" */
	const char *name;
};

/* Prints both directions, if the pod has a container and counters. */
static void metrics_put_traffic_of(json_t *pod, const json_t *master, void *arg)
{
	static const char *const directions[] = { "out", "in" };
	const struct metrics_of_pod *metric = arg;
	const json_t *traffic = json_object_get(pod, "traffic"), *workload = json_object_get(pod, "pod");

	(void)master;
	for (size_t i = 0; traffic && i < 2; i++)
		metrics_put_sample(metric->name, 6,
				   (const char *const[][2]){
					   { "network", scan_text(pod, "network") },
					   { "namespace", scan_text(workload, "namespace") },
					   { "pod", scan_text(workload, "name") },
					   { "container", scan_text(pod, "container") },
					   { "interface", scan_text(pod, "interface") },
					   { "direction", directions[i] } },
				   json_integer_value(json_object_get(json_object_get(traffic, directions[i]),
								      metric->unit)));
}

/* By rules of allow and deny. */
static void metrics_put_denials(const json_t *masters)
{
	const json_t *master, *denied, *n;
	const char *rule;
	size_t i, k;

	metrics_put_family("denied_packets", "counter", "packets",
			   "Packets that allow and deny have dropped on a master, by network and rule.");
	json_array_foreach(masters, i, master)
		json_array_foreach(json_object_get(master, "denied"), k, denied)
			json_object_foreach(json_object_get(denied, "rules"), rule, n)
				metrics_put_sample("denied_packets_total", 4,
						   (const char *const[][2]){
							   { "master", scan_text(master, "name") },
							   { "network", scan_text(denied, "network") },
							   { "policy", scan_text(denied, "policy") },
							   { "rule", rule } },
						   json_integer_value(n));
}

static void metrics_put_traffic(const json_t *doc)
{
	struct metrics_of_pod bytes = { "bytes", "pod_traffic_bytes_total" },
			      packets = { "packets", "pod_traffic_packets_total" },
			      late = { "late", "pod_late_packets_total" },
			      denied = { "denied", "pod_denied_packets_total" };
	const json_t *master, *n;
	const char *reason;
	size_t i;

	metrics_put_family(
		"pod_traffic_bytes", "counter", "bytes",
		"Bytes that a pod has sent and received through its master, if antiSpoof or counters is "
		"set.");
	pods_each_of(doc, metrics_put_traffic_of, &bytes);
	metrics_put_family("pod_traffic_packets", "counter", "packets", "The same in packets.");
	pods_each_of(doc, metrics_put_traffic_of, &packets);
	metrics_put_family("pod_late_packets", "counter", "packets",
			   "Packets dropped because a pod sent or received faster than bandwidth allows.");
	pods_each_of(doc, metrics_put_traffic_of, &late);
	metrics_put_family("pod_denied_packets", "counter", "packets",
			   "Packets of a pod that allow and deny have dropped.");
	pods_each_of(doc, metrics_put_traffic_of, &denied);
	metrics_put_family("dropped_packets", "counter", "packets",
			   "Packets that antiSpoof has dropped on a master, by the forged part.");
	json_array_foreach(json_object_get(doc, "masters"), i, master)
		json_object_foreach(json_object_get(master, "dropped"), reason, n)
			metrics_put_sample("dropped_packets_total", 2,
					   (const char *const[][2]){ { "master", scan_text(master, "name") },
								     { "reason", reason } },
					   json_integer_value(n));
	metrics_put_denials(json_object_get(doc, "masters"));
}

static void metrics_put_concerns(const json_t *concerns)
{
	const json_t *concern;
	size_t i;

	metrics_put_family("concern_level", "gauge", "",
			   "The level of each concern of ipvlanctl status: 0 ok, 1 warning, 2 error.");
	json_array_foreach(concerns, i, concern) {
		const char *level = scan_text(concern, "level");

		metrics_put_sample("concern_level", 1,
				   (const char *const[][2]){ { "concern", scan_text(concern, "name") } },
				   !strcmp(level, "error") ? 2 : !strcmp(level, "warning"));
	}
}

static void metrics_put_call(const struct counter *counter, void *arg)
{
	char code[24];

	(void)arg;
	if (!counter->program)
		return;
	snprintf(code, sizeof(code), "%d", counter->code);
	metrics_put_sample("calls_total", 3,
			   (const char *const[][2]){ { "plugin", counter->program },
						     { "verb", counter->verb },
						     { "code", counter->code < 0 ? "other" : code } },
			   (long long)counter->n);
}

static void metrics_put_repair(const struct counter *counter, void *arg)
{
	(void)arg;
	if (counter->repair)
		metrics_put_sample("repairs_total", 2,
				   (const char *const[][2]){ { "by", counter->by },
							     { "result", counter->repair } },
				   (long long)counter->n);
}

static void metrics_put_counters(void)
{
	struct cni_error why = { 0 };

	metrics_put_family(
		"calls", "counter", "calls",
		"Calls that have ended since the machine was started, by the code of their error; 0: they "
		"succeeded.");
	if (counters_each(metrics_put_call, NULL, &why) == FOUND_FAILED)
		cni_log("ipvlanctl: %s", why.msg);
	metrics_put_family(
		"repairs", "counter", "repairs",
		"Objects restored, removed, or not restored for an error, since the machine was started.");
	counters_each(metrics_put_repair, NULL, NULL);
}

void metrics_print(const json_t *doc)
{
	metrics_put_family("build_info", "gauge", "", "The version of ipvlanctl.");
	metrics_put_sample("build_info", 1, (const char *const[][2]){ { "version", PROJECT_VERSION } }, 1);
	metrics_put_concerns(json_object_get(doc, "concerns"));
	metrics_put_pods(doc);
	metrics_put_pools(json_object_get(doc, "pools"));
	metrics_put_traffic(doc);
	metrics_put_counters();
	printf("# EOF\n");
}
