/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/pods.h"
#include "ctl/progress.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/log.h"
#include "ctl/access.h"
#include "ctl/cache.h"
#include "ctl/overview.h"
#include "ctl/places.h"
#include "ctl/scan.h"
#include "ctl/text.h"
#include "net/netns.h"
#include "plugin/iface.h"
#include "plugin/repair.h"

struct look {
	struct report *report;
	struct exam *const *exams;
	size_t n;
	struct rtnl host;
	const json_t *cache; /* libcni's */
	json_t *scan;
	json_t *missing; /* objects on the host that repair would make, see pods_keep_missing() */
	size_t faults;
};

__attribute__((format(printf, 5, 6))) static void find_fault(struct look *look, enum level level,
							     const char *about, const char *remedy,
							     const char *format, ...)
{
	autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_format(format, args);
	va_end(args);
	report(look->report, level, about, remedy, "%s", text);
	look->faults++;
}

static const struct exam *pods_exam_of(const struct look *look, const char *network)
{
	for (size_t i = 0; i < look->n; i++)
		if (!strcmp(exam_network(look->exams[i]), network))
			return look->exams[i];
	return NULL;
}

/*
 * Objects on the host: the findings of repair.
 */

/* As object_text(), with the link's name in place of its index. */
static struct object_text pods_name_object(struct look *look, const struct object *object, const char *ifname)
{
	struct object_text text = object_text(object);
	char number[24], named[sizeof(text.s) + IFNAMSIZ + 8];
	struct link link;
	char *at;

	snprintf(number, sizeof(number), " dev %d", object->dev);
	at = object->dev ? strstr(text.s, number) : NULL;
	if (!at)
		return text;
	if (!ifname && link_find_index(&look->host, object->dev, &link, NULL) == FOUND)
		ifname = link.name;
	snprintf(named, sizeof(named), "%.*s%s%s%s", (int)(at - text.s), text.s, ifname ? " dev " : "",
		 ifname ? ifname : "", at + strlen(number));
	snprintf(text.s, sizeof(text.s), "%.*s", (int)sizeof(text.s) - 1, named);
	return text;
}

/* An object of many pods is one entry. */
static json_t *pods_missing_of(struct look *look, const char *text)
{
	json_t *entry;
	size_t i;

	json_array_foreach(look->missing, i, entry)
		if (!strcmp(scan_text(entry, "object"), text))
			return entry;
	entry = json_pack("{s:o, s:[]}", "object", json_text(text), "containers");
	json_array_append_new(look->missing, entry);
	return entry;
}

static void pods_keep_missing(const struct repair_finding *finding, void *arg)
{
	struct look *look = arg;
	const char *container = finding->page ? finding->page->container : "";
	struct object_text text;
	json_t *entry;

	if (!finding->object) /* no interface: pods_examine_lost() reports it */
		return;
	text = pods_name_object(look, finding->object,
				finding->in_pod && finding->page ? finding->page->ifname : NULL);
	entry = pods_missing_of(look, text.s);
	json_object_set_new(entry, "kind",
			    json_integer(finding->in_pod ? OBJECT_KINDS : finding->object->kind));
	json_object_set_new(entry, "dev", json_integer(finding->in_pod ? 0 : finding->object->dev));
	json_object_set_new(entry, "state", json_integer(finding->state));
	if (finding->why)
		json_object_set_new(entry, "why", json_text(finding->why->msg));
	json_array_append_new(json_object_get(entry, "containers"), json_text(container));
}

static bool pods_is_missing(const struct look *look, enum object_kind kind)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(look->missing, i, entry)
		if (json_integer_value(json_object_get(entry, "kind")) == (json_int_t)kind)
			return true;
	return false;
}

/* Is the object missing because another one is? Routes vanish with their anchor, elements with their table.
 */
static bool pods_is_consequence(struct look *look, const json_t *entry)
{
	const json_int_t kind = json_integer_value(json_object_get(entry, "kind"));
	const int dev = (int)json_integer_value(json_object_get(entry, "dev"));
	struct link link;

	if (kind == OBJECT_MASQUERADE)
		return pods_is_missing(look, OBJECT_TABLE);
	if (kind == OBJECT_LEASE || kind == OBJECT_RATE || kind == OBJECT_GUARD || kind == OBJECT_POLICY ||
	    kind == OBJECT_SUBJECT)
		return pods_is_missing(look, OBJECT_FENCE);
	if (kind == OBJECT_ACCESS)
		return pods_is_missing(look, OBJECT_ANCHOR);
	return (kind == OBJECT_ROUTE || kind == OBJECT_NEIGHBOUR) && pods_is_missing(look, OBJECT_ANCHOR) &&
	       dev && link_find_index(&look->host, dev, &link, NULL) == FOUND_NOT;
}

static bool pods_is_lost(const struct look *look, const char *container)
{
	const json_t *pod;
	size_t i;

	json_array_foreach(json_object_get(look->scan, "lost"), i, pod)
		if (!strcmp(scan_text(pod, "container"), container))
			return true;
	return false;
}

/* Names the pod of the container, or else the container. */
static struct pod_label pods_label_of(const struct look *look, const char *container)
{
	json_auto_t *unknown = json_pack("{s:s}", "container", container);
	const json_t *master, *pod;
	size_t i, k;

	json_array_foreach(json_object_get(look->scan, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod)
			if (!strcmp(scan_text(pod, "container"), container))
				return pod_label(pod);
	return pod_label(unknown);
}

static void pods_report_missing(struct look *look, const json_t *entry)
{
	const json_t *containers = json_object_get(entry, "containers");
	const char *owner = json_string_value(json_array_get(containers, 0)), *first = owner ? owner : "",
		   *object = scan_text(entry, "object");
	const json_int_t state = json_integer_value(json_object_get(entry, "state"));
	const size_t n = json_array_size(containers);
	const struct pod_label who = pods_label_of(look, first);

	if (pods_is_lost(look, first) && n == 1)
		return;
	if (state == REPAIR_BEYOND)
		find_fault(look, ERROR, "host", "restart the pod", "%s: \"%s\" is missing: %s", who.s, object,
			   scan_text(entry, "why"));
	else if (state == REPAIR_STALE)
		find_fault(look, WARNING, "host", "ipvlanctl repair removes it", "\"%s\" belongs to no pod",
			   object);
	else if (n > 1)
		find_fault(look, ERROR, "host", "ipvlanctl repair restores it",
			   "%s and %zu more: \"%s\" is missing", who.s, n - 1, object);
	else
		find_fault(look, ERROR, "host", "ipvlanctl repair restores it", "%s: \"%s\" is missing",
			   who.s, object);
}

static void pods_examine_host(struct look *look)
{
	const struct repair dry = {
		.host = &look->host, .dry_run = true, .each = pods_keep_missing, .arg = look
	};
	struct cni_error err = { 0 };
	const json_t *entry;
	size_t i;

	if (repair_run(&dry, &err) < 0)
		report_error(look->report, ERROR, "ledger", &err);
	json_array_foreach(look->missing, i, entry)
		if (!pods_is_consequence(look, entry))
			pods_report_missing(look, entry);
}

/*
 * Pods: the findings of CHECK.
 */

/* Builds ADD's result from the configuration and the leases, for a CHECK without the runtime's result. */
static json_t *pods_expected_ips(const struct exam *exam, const json_t *pod)
{
	json_t *ips = json_array();
	const json_t *pool, *lease;
	size_t i, k;
	struct ip ip;

	json_array_foreach(exam->pools, i, pool)
		json_array_foreach(json_object_get(pool, "leases"), k, lease) {
			const struct address_range *range;
			struct prefix address;

			if (strcmp(scan_text(lease, "container"), scan_text(pod, "container")) != 0 ||
			    strcmp(scan_text(lease, "interface"), scan_text(pod, "interface")) != 0 ||
			    !ip_parse(scan_text(lease, "address"), &ip))
				continue;
			range = ranges_give(&exam->ranges, &ip);
			if (!range)
				continue;
			address = (struct prefix){ ip, range->subnet.len };
			json_array_append_new(ips, json_pack("{s:s, s:i}", "address", prefix_text(&address).s,
							     "interface", 0));
		}
	return ips;
}

static json_t *pods_expected_result(const struct exam *exam, const json_t *pod)
{
	const json_t *routes = json_field(json_field(exam->plugin, "ipam"), "routes");
	json_t *result;

	if (exam->conf.n_reflectors) /* reflectors change addresses and routes */
		return NULL;
	result = json_pack("{s:s, s:[{s:o}], s:o, s:[]}", "cniVersion", "1.0.0", "interfaces", "name",
			   json_incref(json_object_get(pod, "interface")), "ips",
			   pods_expected_ips(exam, pod), "routes");
	if (json_array_size(json_object_get(result, "ips")) && routes)
		json_array_extend(json_object_get(result, "routes"), (json_t *)routes);
	return result;
}

/* Replaces the path in the result: the namespace may have another path now. */
static void pods_set_sandbox(json_t *result, const char *ifname, const char *path)
{
	json_t *interface;
	size_t i;

	json_array_foreach(json_field(result, "interfaces"), i, interface)
		if (!strcmp(scan_text(interface, "name"), ifname))
			json_object_set_new(interface, "sandbox", json_text(path));
}

static int pods_verify_open(const struct request *req, const struct conf *conf, struct cni_error *err)
{
	autoclose int netns = -1;
	struct iface iface;
	int rc;

	if (netns_open(req->netns, false, &netns, err) != NETNS_OPEN ||
	    iface_open(&iface, conf, req, netns, err) < 0)
		return -1;
	rc = iface_verify(&iface, conf, err);
	iface_close(&iface);
	return rc;
}

/* CHECK without the objects on the host and without IPAM, which other examinations cover. */
static int pods_verify(const json_t *plugin, const json_t *pod, const char *path, json_t *result,
		       struct cni_error *err)
{
	json_auto_t *doc = json_copy((json_t *)plugin);
	struct request req = { .command = "CHECK", .args = "", .netns = path };
	struct conf conf;
	int rc;

	json_object_del(doc, "ipam");
	json_object_set(doc, "prevResult", result);
	req.container = scan_text(pod, "container");
	req.ifname = scan_text(pod, "interface");
	req.path = places_plugins();
	req.config = "";
	if (request_read_conf(&req, doc, err) < 0 || conf_read(&conf, &req, err) < 0)
		return -1;
	rc = pods_verify_open(&req, &conf, err);
	conf_free(&conf);
	return rc;
}

static const char *pods_path_of(const json_t *pod)
{
	return scan_text(json_object_get(pod, "namespace"), "path");
}

/* cached: compared with the runtime's result, else with the current configuration. */
static void pods_report_check(struct look *look, const json_t *pod, bool cached, const struct cni_error *err)
{
	char remedy[PATH_MAX + 160];

	if (*err->details)
		snprintf(remedy, sizeof(remedy), "%s", err->details);
	else if (!json_is_true(json_object_get(pod, "up")))
		snprintf(remedy, sizeof(remedy),
			 "restart the pod; nsenter --net=%s ip link set dev %s up restores no routes",
			 pods_path_of(pod), scan_text(pod, "interface"));
	else
		snprintf(remedy, sizeof(remedy), "restart the pod: ADD makes its addresses and routes%s",
			 cached ? "" : "; or the configuration has changed since its ADD");
	find_fault(look, ERROR, "pod", remedy, "%s, network %s: %s", pod_label(pod).s,
		   scan_text(pod, "network"), err->msg);
}

static json_t *pods_ipvlan_among(const json_t *plugins)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin)
		if (!strcmp(scan_text(plugin, "type"), "ipvlan"))
			return json_incref(plugin);
	return NULL;
}

/* Reports an MTU that differs from the master's, if the configuration has no "mtu". */
static void pods_examine_mtu(struct look *look, const json_t *master, const json_t *pod)
{
	const struct exam *exam = pods_exam_of(look, scan_text(pod, "network"));
	const json_int_t mtu = json_integer_value(json_object_get(pod, "mtu")),
			 above = json_integer_value(json_object_get(master, "mtu"));

	if (!exam || exam->conf.mtu || !above || mtu == above)
		return;
	find_fault(look, WARNING, "pod", "restart the pod, or set the MTU back",
		   "%s, network %s: interface %s has MTU %lld, its master %lld", pod_label(pod).s,
		   scan_text(pod, "network"), scan_text(pod, "interface"), (long long)mtu, (long long)above);
}

static void pods_examine_one(struct look *look, const json_t *master, const json_t *pod)
{
	const struct exam *exam = pods_exam_of(look, scan_text(pod, "network"));
	const json_t *cached =
		cache_of(look->cache, scan_text(pod, "container"), scan_text(pod, "interface"));
	json_auto_t *plugin = pods_ipvlan_among(json_object_get(cached, "plugins"));
	json_auto_t *result = json_deep_copy(json_object_get(cached, "result"));
	struct cni_error err = { 0 };

	if (!plugin && exam && exam->sound & SOUND_CONF) {
		plugin = json_incref((json_t *)exam->plugin);
		result = pods_expected_result(exam, pod);
	}
	if (!plugin || !result || !*pods_path_of(pod))
		return;
	pods_set_sandbox(result, scan_text(pod, "interface"), pods_path_of(pod));
	if (pods_verify(plugin, pod, pods_path_of(pod), result, &err) < 0)
		pods_report_check(look, pod, cached, &err);
	else
		pods_examine_mtu(look, master, pod);
}

/*
 * Leases and ledger.
 */

static const json_t *pods_lease_of_address(const struct exam *exam, const struct ip *ip)
{
	return json_object_get(exam->leases, ip_text(ip).s);
}

static void pods_examine_lease(struct look *look, const struct exam *exam, const json_t *pod,
			       const struct ip *ip)
{
	const json_t *lease = pods_lease_of_address(exam, ip);
	const char *owner = scan_text(lease, "container"), *container = scan_text(pod, "container");

	if (lease && *owner && !strcmp(owner, container))
		return;
	if (lease && *owner)
		find_fault(look, ERROR, "leases", "restart one of them",
			   "%s of network %s has %s, which is leased by container %s", pod_label(pod).s,
			   exam_network(exam), ip_text(ip).s, owner);
	else
		find_fault(look, ERROR, "leases", "restart the pod before another pod gets the address",
			   "%s of network %s has %s, which is not leased: another pod may get it",
			   pod_label(pod).s, exam_network(exam), ip_text(ip).s);
}

static void pods_examine_leases(struct look *look, const json_t *pod)
{
	const struct exam *exam = pods_exam_of(look, scan_text(pod, "network"));
	const json_t *address;
	struct prefix prefix;
	size_t i;

	if (!exam || !(exam->sound & SOUND_POOLS))
		return;
	json_array_foreach(json_object_get(pod, "addresses"), i, address)
		if (prefix_parse(json_string_value(address), &prefix) &&
		    ranges_give(&exam->ranges, &prefix.ip))
			pods_examine_lease(look, exam, pod, &prefix.ip);
}

/* Are there objects on the host for each pod of the network? Only then the pods require the ledger. */
static bool pods_needs_ledger(const struct exam *exam)
{
	const struct conf *conf = &exam->conf;

	return exam->sound & SOUND_CONF && (conf->host_access || conf->proxy_arp || conf->ip_masq ||
					    conf->host_routes.n_routes || conf->n_reflectors);
}

/* Has the master an anchor that no pod holds? For a pod of the Go plugin there would be no anchor. */
static bool pods_has_idle_anchor(const json_t *master)
{
	const json_t *pod;
	size_t i;

	if (!json_is_object(json_object_get(master, "anchor")))
		return false;
	json_array_foreach(json_object_get(master, "pods"), i, pod)
		if (*scan_text(pod, "network"))
			return false;
	return true;
}

static void pods_examine_unknown(struct look *look, const json_t *master, const json_t *pod)
{
	const json_t *address, *lease = NULL;
	struct prefix prefix;
	size_t i;

	for (size_t k = 0; k < look->n; k++)
		json_array_foreach(json_object_get(pod, "addresses"), i, address) {
			const struct exam *exam = look->exams[k];

			if (!prefix_parse(json_string_value(address), &prefix))
				continue;
			lease = pods_lease_of_address(exam, &prefix.ip);
			if (!lease ||
			    strcmp(scan_text(lease, "interface"), scan_text(pod, "interface")) != 0 ||
			    (!pods_needs_ledger(exam) && !pods_has_idle_anchor(master)))
				continue;
			find_fault(look, WARNING, "ledger",
				   "restart the pod: nothing on the host is kept or repaired for it",
				   "container %s of network %s has %s, and is not in the plugin's ledger",
				   scan_text(lease, "container"), exam_network(exam), ip_text(&prefix.ip).s);
			return;
		}
}

/*
 * Attachments without an interface.
 */

/* Finds an ipvlan interface in the same namespace that is not in the ledger. */
static const json_t *pods_renamed(const struct look *look, const json_t *lost)
{
	const json_t *inode = json_object_get(json_object_get(lost, "namespace"), "inode"), *master, *pod;
	size_t i, k;

	json_array_foreach(json_object_get(look->scan, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod)
			if (!*scan_text(pod, "container") &&
			    json_equal(json_object_get(json_object_get(pod, "namespace"), "inode"), inode))
				return pod;
	return NULL;
}

static void pods_examine_lost(struct look *look, const json_t *pod)
{
	const char *state = scan_text(pod, "state"), *network = scan_text(pod, "network"),
		   *ifname = scan_text(pod, "interface");
	const json_t *now = !strcmp(state, "no interface") ? pods_renamed(look, pod) : NULL;
	const struct pod_label who = pod_label(pod);
	char remedy[PATH_MAX + 64];

	snprintf(remedy, sizeof(remedy), "nsenter --net=%s ip link set dev %s name %s",
		 now ? pods_path_of(now) : "", scan_text(now, "interface"), ifname);
	if (!strcmp(state, "hidden"))
		return;
	if (now)
		find_fault(look, ERROR, "attachment", remedy,
			   "%s, network %s: interface %s was renamed to %s", who.s, network, ifname,
			   scan_text(now, "interface"));
	else if (!strcmp(state, "gone"))
		find_fault(look, WARNING, "attachment", "ipvlanctl gc --yes releases what it holds",
			   "%s, network %s, interface %s: its namespace is gone", who.s, network, ifname);
	else if (!strcmp(state, "no interface"))
		find_fault(look, ERROR, "attachment", "restart the pod",
			   "%s, network %s, interface %s: the interface was deleted", who.s, network, ifname);
	else
		find_fault(look, WARNING, "attachment", "restart the pod",
			   "%s, network %s, interface %s: it is not known whether its namespace "
			   "exists",
			   who.s, network, ifname);
}

/* Returns the number of interfaces without a fault. */
static size_t pods_examine_each(struct look *look, size_t *pods)
{
	const json_t *master, *pod;
	size_t i, k, sound = 0;

	json_array_foreach(json_object_get(look->scan, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod) {
			const size_t faults = look->faults;

			++*pods;
			if (*scan_text(pod, "network")) {
				pods_examine_one(look, master, pod);
				pods_examine_leases(look, pod);
			} else {
				pods_examine_unknown(look, master, pod);
			}
			sound += look->faults == faults;
		}
	json_array_foreach(json_object_get(look->scan, "lost"), i, pod)
		pods_examine_lost(look, pod);
	return sound;
}

/* Reports under the network's name. */
static void pods_access_of(struct look *look, struct exam *exam)
{
	if (rtnl_open(&exam->host, -1, NULL) < 0)
		return;
	report_section(look->report, "hostAccess", exam_network(exam));
	examine_access(exam, look->scan);
	rtnl_close(&exam->host);
}

static void pods_examine_machine(struct look *look)
{
	struct cni_error err = { 0 };
	size_t pods = 0, sound;

	look->scan = scan(&err);
	if (!look->scan) {
		report_error(look->report, ERROR, "ledger", &err);
		return;
	}
	pods_examine_host(look);
	sound = pods_examine_each(look, &pods);
	if (sound || (!pods && !look->faults))
		report(look->report, OK, "host", NULL, "%zu ipvlan interface%s, and nothing is missing",
		       sound, sound == 1 ? "" : "s");
	for (size_t i = 0; i < look->n && !look->faults; i++)
		pods_access_of(look, look->exams[i]);
}

void examine_pods(struct report *report, struct exam *const *exams, size_t n, const json_t *cache)
{
	struct look look = {
		.report = report, .exams = exams, .n = n, .cache = cache, .missing = json_array()
	};
	struct cni_error err = { 0 };

	report_section(report, "pods of this machine", "");
	progress("looking at the pods");
	if (rtnl_open(&look.host, -1, &err) < 0) {
		report_error(report, ERROR, "kernel", &err);
	} else {
		pods_examine_machine(&look);
		rtnl_close(&look.host);
	}
	json_decref(look.scan);
	json_decref(look.missing);
}
