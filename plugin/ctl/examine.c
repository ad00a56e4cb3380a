/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/examine.h"
#include "ctl/progress.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "cni/json.h"
#include "cni/keys.h"
#include "cni/log.h"
#include "ctl/places.h"
#include "ctl/podman.h"
#include "plugin/verbs.h"

const char *exam_key(const struct exam *exam, const char *key)
{
	const char *text = json_string_value(json_field(exam->plugin, key));

	return text ? text : "";
}

const char *exam_network(const struct exam *exam)
{
	return exam_key(exam, "name");
}

static void examine_report_warning(void *arg, const char *line)
{
	struct exam *exam = arg;

	report(exam->report, WARNING, "configuration", NULL, "%s", line);
}

static void examine_drop_line(void *arg, const char *line)
{
	(void)arg;
	(void)line;
}

static void examine_report_key(void *arg, const struct unknown_key *unknown)
{
	struct exam *exam = arg;
	const char *where = *unknown->where ? unknown->where : "the configuration";

	if (*unknown->meant)
		report(exam->report, WARNING, "key", NULL,
		       "\"%s\" in %s is not a key of %s: did you mean %s?", unknown->key, where,
		       unknown->plugin, unknown->meant);
	else
		report(exam->report, WARNING, "key", "remove it, or look for the right one in the manual",
		       "\"%s\" in %s is not a key of %s, which ignores it", unknown->key, where,
		       unknown->plugin);
}

static void examine_keys(struct exam *exam)
{
	keys_unknown(exam->plugin, examine_report_key, exam);
}

/* STATUS requires version 1.1.0, whatever the list has. An IPAM plugin reads the version from the text. */
static void examine_make_request(struct exam *exam)
{
	json_t *newest = json_copy((json_t *)exam->plugin);

	json_object_del(newest, "cniVersion");
	json_object_set_new(newest, "cniVersion", json_string(cni_versions[CNI_VERSIONS - 1]));
	exam->text = json_dumps(newest, JSON_COMPACT);
	json_decref(newest);
	exam->req =
		(struct request){ .command = "ADD", .container = "", .netns = "", .ifname = "", .args = "" };
	exam->req.path = places_plugins();
	exam->req.config = exam->text ? exam->text : "";
	exam->req.config_len = strlen(exam->req.config);
}

static void examine_read_routes(struct exam *exam)
{
	struct result ipam = { .n_routes = 0 };

	result_append(&exam->routes, &exam->conf.routes, NULL);
	if (result_add_routes(&ipam, json_field(exam->plugin, "ipam"), "routes", NULL) == 0)
		result_append(&exam->routes, &ipam, NULL);
	result_free(&ipam);
}

/* Also reports ADD's warnings about ignored keys. */
static void examine_conf(struct exam *exam)
{
	struct request said = exam->req; /* with the version of the list, which may be wrong */
	struct cni_error err = { 0 };
	int rc;

	exam->doc = json_read(exam->req.config, exam->req.config_len, &err);
	rc = exam->doc && request_read_conf(&said, (json_t *)exam->plugin, &err) == 0 &&
			     request_read_conf(&exam->req, exam->doc, &err) == 0
		     ? 0
		     : -1;
	log_divert(examine_report_warning, exam);
	if (rc == 0) {
		log_check(exam->req.conf);
		rc = conf_read(&exam->conf, &exam->req, &err);
	}
	log_divert(NULL, NULL);
	if (rc < 0) {
		report_error(exam->report, ERROR, "configuration", &err);
		return;
	}
	exam->sound |= SOUND_CONF;
	examine_read_routes(exam);
	report(exam->report, OK, "configuration", NULL, "can be read");
}

/* Discards the standard error of the plugins that STATUS starts. It is meant for a runtime's log. */
static int examine_hush(void)
{
	autoclose int null = file_open("/dev/null", O_WRONLY);
	int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	if (null >= 0 && kept >= 0)
		dup2(null, STDERR_FILENO);
	return kept;
}

static void examine_unhush(int kept)
{
	if (kept < 0)
		return;
	dup2(kept, STDERR_FILENO);
	close(kept);
}

/* STATUS reports one fault. If an earlier examination has reported a fault, that may be the same one. */
static void examine_status(struct exam *exam)
{
	struct request req = exam->req;
	struct cni_error err = { 0 };
	int rc, kept;

	if (exam->report->n[ERROR] > exam->errors)
		return;
	req.command = "STATUS";
	progress("STATUS");
	log_divert(examine_drop_line, NULL);
	kept = examine_hush();
	rc = verb_status(&req, &err);
	examine_unhush(kept);
	log_divert(NULL, NULL);
	if (rc < 0) {
		report_error(exam->report, ERROR, "STATUS", &err);
		return;
	}
	exam->sound |= SOUND_STATUS;
	report(exam->report, OK, "STATUS", NULL, "an ADD would succeed now");
}

static const struct {
	void (*examine)(struct exam *exam);
	unsigned int requires; /* SOUND_*, all of them */
} examinations[] = {
	{ examine_keys, 0 },
	{ examine_conf, 0 },
	{ examine_chain, OF_CNI },
	{ examine_runtimes, OF_CNI },
	{ examine_podman, OF_PODMAN },
	{ examine_space, 0 },
	{ examine_locks, 0 },
	{ examine_dhcp, 0 },
	{ examine_kernel, SOUND_CONF },
	{ examine_master, SOUND_CONF },
	{ examine_link, SOUND_CONF | SOUND_MASTER },
	{ examine_ranges, SOUND_CONF },
	{ examine_status, SOUND_CONF },
	{ examine_pools, SOUND_STATUS | SOUND_LOCK },
	{ examine_addresses, SOUND_STATUS },
	{ examine_routes, SOUND_STATUS },
	{ examine_subnets, SOUND_STATUS | SOUND_MASTER },
	{ examine_gateways, SOUND_STATUS | SOUND_LINK },
	{ examine_neighbours, SOUND_STATUS | SOUND_LINK | SOUND_POOLS },
};

struct exam *exam_open(struct report *report, const char *file, json_t *plugins, const json_t *plugin,
		       json_t *podman)
{
	struct exam *exam = calloc(1, sizeof(*exam));

	if (!exam)
		abort();
	exam->report = report;
	exam->file = file;
	exam->plugins = json_incref(plugins);
	exam->plugin = plugin;
	exam->podman = json_incref(podman);
	exam->sound = podman ? OF_PODMAN : OF_CNI;
	exam->errors = report->n[ERROR];
	examine_make_request(exam);
	ranges_read(&exam->ranges, plugin);
	if (podman)
		podman_read(podman, &exam->ranges, &exam->routes);
	setenv("CNI_PATH", exam->req.path, 0);
	return exam;
}

void exam_run(struct exam *exam)
{
	struct cni_error err = { 0 };

	if (rtnl_open(&exam->host, -1, &err) < 0) {
		report_error(exam->report, ERROR, "kernel", &err);
		return;
	}
	for (size_t i = 0; i < sizeof(examinations) / sizeof(*examinations); i++)
		if ((exam->sound & examinations[i].requires) == examinations[i].requires)
			examinations[i].examine(exam);
	rtnl_close(&exam->host);
}

void exam_close(struct exam *exam)
{
	if (exam->sound & SOUND_CONF)
		conf_free(&exam->conf);
	result_free(&exam->routes);
	json_decref(exam->pools);
	json_decref(exam->leases);
	json_decref(exam->doc);
	json_decref(exam->plugins);
	json_decref(exam->podman);
	free(exam->text);
	free(exam);
}

/* Do both use one set of leases, which assigns no address twice? */
static bool examine_pair_shares_pool(const struct exam *a, const struct exam *b)
{
	static const char *const keys[] = { "pool", "dataDir" };
	const json_t *x = json_field(a->plugin, "ipam"), *y = json_field(b->plugin, "ipam");

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const json_t *p = json_field(x, keys[i]), *q = json_field(y, keys[i]);

		if (p != q && !json_equal(p, q))
			return false;
	}
	return json_is_string(json_field(x, "pool"));
}

/* Would pods of both be in one LAN? */
static bool examine_pair_shares_lan(const struct exam *a, const struct exam *b)
{
	if (!*a->master_name || !*b->master_name)
		return false;
	if (!strcmp(a->master_name, b->master_name))
		return true;
	return a->sound & b->sound & SOUND_LINK && lan_is_shared(&a->master, &b->master);
}

/* All slaves of a master have one mode and flag. */
static void examine_shared_master(const struct exam *a, const struct exam *b)
{
	const char *key = a->conf.mode != b->conf.mode ? "mode"
			  : a->conf.flags >= 0 && b->conf.flags >= 0 && a->conf.flags != b->conf.flags
				  ? "flag"
				  : NULL;
	char remedy[64];

	if (!key)
		return;
	snprintf(remedy, sizeof(remedy), "use one %s for each master, or \"vlan\" for another master", key);
	report(b->report, WARNING, key, remedy,
	       "network \"%s\" in %s requires another %s of \"%s\": the second ADD fails", exam_network(a),
	       places_name(a->file), key, a->master_name);
}

void examine_pair(struct exam *a, struct exam *b)
{
	const char *file = places_name(a->file);
	const bool same_name = !strcmp(exam_network(a), exam_network(b));
	struct ip ip;

	if (same_name && strcmp(a->file, b->file) != 0)
		report(b->report, ERROR, "name", "rename one, or remove one file",
		       "network \"%s\" is also in %s", exam_network(a), file);
	else if (!same_name && ranges_meet(&a->ranges, &b->ranges, &ip) && !examine_pair_shares_pool(a, b) &&
		 examine_pair_shares_lan(a, b))
		report(b->report, ERROR, "pool",
		       "use different ranges for each network, or with addrpool the same \"pool\" for all, "
		       "in ipam",
		       "addresses overlap with network \"%s\" in %s, first %s", exam_network(a), file,
		       ip_text(&ip).s);
	if (a->sound & b->sound & SOUND_CONF && *a->master_name && !strcmp(a->master_name, b->master_name))
		examine_shared_master(a, b);
}
