/* SPDX-License-Identifier: Apache-2.0 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/conflist.h"
#include "cni/json.h"
#include "cni/own.h"
#include "cni/result.h"
#include "ctl/call.h"
#include "ctl/commands.h"
#include "ctl/definitions.h"
#include "ctl/guest.h"
#include "ctl/ping.h"
#include "ctl/places.h"
#include "ctl/podman.h"
#include "ctl/progress.h"
#include "ctl/proposal.h"
#include "ctl/report.h"
#include "ctl/scan.h"
#include "ctl/text.h"
#include "net/addr.h"
#include "net/link.h"
#include "net/netns.h"

#define IFNAME "eth0"
#define OTHERS_MAX 16

/* A trial pod, and the results of its calls. */
struct trial {
	struct report report;
	struct call call;
	const json_t *plugins;
	json_t *result; /* of ADD */
	struct result given;
	struct guest pod;
	unsigned int mtu;
};

static void try_headline(const char *step, const char *what)
{
	text_put(BOLD, "%s", step);
	text_put(DIM, "  %s", what);
	text_end();
}

static int try_make_pod(struct trial *trial, struct cni_error *err)
{
	if (guest_open(&trial->pod, "try", err) < 0)
		return -1;
	trial->call = (struct call){ .container = trial->pod.container,
				     .netns = trial->pod.path,
				     .ifname = IFNAME };
	return 0;
}

static int try_find_link(void *arg, struct cni_error *err)
{
	(void)err;
	*(unsigned int *)arg = if_nametoindex(IFNAME);
	return 0;
}

/* Returns 0 if the interface does not exist. */
static unsigned int try_pod_mtu(const struct trial *trial)
{
	struct link link;
	struct rtnl pod;
	unsigned int mtu = 0;

	if (rtnl_open(&pod, trial->pod.netns, NULL) < 0)
		return 0;
	if (link_find(&pod, IFNAME, &link, NULL) == FOUND)
		mtu = link.mtu;
	rtnl_close(&pod);
	return mtu;
}

static bool try_is_on_host(const struct ip *ip)
{
	struct rtnl host;
	bool local;

	if (rtnl_open(&host, -1, NULL) < 0)
		return false;
	local = addr_is_local(&host, 0, ip, NULL) == FOUND;
	rtnl_close(&host);
	return local;
}

static bool try_has_host_access(const struct trial *trial)
{
	bool access = false;
	const json_t *plugin;
	size_t i;

	json_array_foreach(trial->plugins, i, plugin)
		own_bool(plugin, "", "hostAccess", &access);
	return access;
}

/* Reports the likely cause for an address that does not answer. */
static void try_explain_silence(struct trial *trial, const struct ip *to, const char *what)
{
	const struct ip_str text = ip_text(to);

	if (try_is_on_host(to) && try_has_host_access(trial))
		report(&trial->report, WARNING, what,
		       "hostAccess is on: the firewall of this machine may drop packets from pods (nft list "
		       "ruleset)",
		       "%s, this machine itself, does not answer", text.s);
	else if (try_is_on_host(to))
		report(&trial->report, WARNING, what,
		       "add \"hostAccess\": true to the configuration: without it pods do not reach their "
		       "host",
		       "%s, this machine itself, does not answer", text.s);
	else if (ping_is_neighbour(trial->pod.netns, to))
		report(&trial->report, OK, what, NULL,
		       "%s does not answer echo requests, but exists: it answers %s", text.s,
		       to->family == AF_INET ? "ARP" : "neighbour solicitations");
	else
		report(&trial->report, WARNING, what,
		       "check that it is up and on this LAN; ipvlanctl doctor asks it from this machine, and "
		       "examines master and mode",
		       "%s does not answer", text.s);
}

/* Tries sizes that pass tunnels and PPPoE. */
static void try_large(struct trial *trial, const struct ip *to, const char *what)
{
	static const unsigned int sizes[] = { 1492, 1480, 1450, 1400, 1280, 576 };
	struct cni_error err = { 0 };

	progress("waiting for an answer of %s to %u bytes", ip_text(to).s, trial->mtu);
	if (!trial->mtu || ping_large(trial->pod.netns, to, trial->mtu, &err) == FOUND)
		return;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		if (sizes[i] >= trial->mtu)
			continue;
		progress("waiting for an answer of %s to %u bytes", ip_text(to).s, sizes[i]);
		if (ping_large(trial->pod.netns, to, sizes[i], &err) != FOUND)
			continue;
		report(&trial->report, WARNING, what,
		       "add \"mtu\" to the configuration, with the smaller size",
		       "%s answers packets of %u bytes, but not of %u, the pod's MTU: a device on "
		       "the path drops large packets",
		       ip_text(to).s, sizes[i], trial->mtu);
		return;
	}
}

static void try_to_reach(struct trial *trial, const struct ip *to, const char *what)
{
	struct cni_error err = { 0 };
	double ms = 0;

	progress("waiting for an answer of %s", ip_text(to).s);
	switch (ping(trial->pod.netns, to, &ms, &err)) {
	case FOUND:
		report(&trial->report, OK, what, NULL, "%s answers after %.1f ms", ip_text(to).s, ms);
		try_large(trial, to, what);
		break;
	case FOUND_NOT:
		try_explain_silence(trial, to, what);
		break;
	default:
		report(&trial->report, WARNING, what,
		       "the pod requires a route to it: \"routes\" in ipam or beside it", "%s", err.msg);
	}
}

/* Pings the gateways, and the user's addresses. */
static void try_reach(struct trial *trial, const struct ip *others, int n)
{
	size_t asked = 0;

	trial->mtu = try_pod_mtu(trial);
	try_headline("reach", "echo requests from inside the pod");
	for (size_t i = 0; i < trial->given.n_ips; i++)
		if (trial->given.ips[i].gateway.family && ++asked)
			try_to_reach(trial, &trial->given.ips[i].gateway, "gateway");
	for (int i = 0; i < n && ++asked; i++)
		try_to_reach(trial, &others[i], "address");
	if (!asked)
		report(&trial->report, OK, "gateway", NULL,
		       "the pod has no gateway; ipvlanctl try CONF ADDRESS... asks other addresses");
}

static void try_report_given(struct trial *trial)
{
	const struct result *given = &trial->given;
	bool has_default = false;

	for (size_t i = 0; i < given->n_ips; i++) {
		const struct ip *gateway = &given->ips[i].gateway;

		report(&trial->report, OK, "address", NULL, "%s%s%s", prefix_text(&given->ips[i].address).s,
		       gateway->family ? ", gateway " : "", gateway->family ? ip_text(gateway).s : "");
	}
	for (size_t i = 0; i < given->n_routes; i++) {
		const struct ip *gw = &given->routes[i].gw;

		report(&trial->report, OK, "route", NULL, "%s%s%s", prefix_text(&given->routes[i].dst).s,
		       gw->family ? " via " : "", gw->family ? ip_text(gw).s : "");
		has_default |= !given->routes[i].dst.len;
	}
	if (!has_default)
		report(&trial->report, OK, "route",
		       "add { \"dst\": \"0.0.0.0/0\" } to \"routes\" of ipam; \"gateway\" alone makes no "
		       "default route",
		       "no default route: the pod reaches only its own subnet");
}

static int try_read_given(struct trial *trial, struct cni_error *err)
{
	const char *text = json_string_value(json_field(trial->result, "cniVersion"));
	const int version = version_find(text ? text : "");

	if (version < 0)
		return cni_fail(err, CNI_VERSION, "the version of the result is unknown");
	return result_read(&trial->given, trial->result, (enum cni_version)version, err);
}

static int try_add(struct trial *trial)
{
	struct cni_error err = { 0 };

	try_headline("ADD", "as a runtime calls it for a new pod; here for a trial pod");
	trial->result = call_add(&trial->call, trial->plugins, &err);
	if (trial->result && try_read_given(trial, &err) == 0) {
		try_report_given(trial);
		return 0;
	}
	report_error(&trial->report, ERROR, "ADD", &err);
	return -1;
}

static void try_check(struct trial *trial)
{
	struct cni_error err = { 0 };

	try_headline("CHECK", "is everything still as ADD made it?");
	if (call_check(&trial->call, trial->plugins, trial->result, &err) == 0)
		report(&trial->report, OK, "CHECK", NULL, "nothing is missing");
	else
		report_error(&trial->report, ERROR, "CHECK", &err);
}

/* Calls DEL twice, also after a failed ADD, as a runtime may. */
static void try_del(struct trial *trial)
{
	struct cni_error err = { 0 };
	unsigned int index = 0;

	try_headline("DEL", "twice, as a runtime may call it");
	for (int i = 0; i < 2 && !err.code; i++)
		call_del(&trial->call, trial->plugins, trial->result, &err);
	if (err.code)
		report_error(&trial->report, ERROR, "DEL", &err);
	else if (netns_run(trial->pod.netns, try_find_link, &index, &err) < 0 || index)
		report(&trial->report, ERROR, "DEL", NULL, IFNAME " still exists in the pod");
	else
		report(&trial->report, OK, "DEL", NULL,
		       "the interface is removed, and the addresses are released");
}

static void try_pod(struct trial *trial, const struct ip *others, int n)
{
	if (try_add(trial) == 0) {
		try_reach(trial, others, n);
		try_check(trial);
	}
	try_del(trial);
	result_free(&trial->given);
	json_decref(trial->result);
}

/* Fails for a network whose addresses Podman assigns. */
static json_t *try_plugins(json_t *doc, struct cni_error *err)
{
	if (!podman_is_network(doc))
		return conflist_plugins(doc);
	cni_fail(err, CNI_CONFIG, "it is a network of Podman");
	cni_hint(err, "podman run --rm --network %s IMAGE tries it", scan_text(doc, "name"));
	return NULL;
}

static int try_file(const char *file, const struct ip *others, int n)
{
	struct trial trial = { .report.worst = OK, .pod = { .pid = -1, .netns = -1 } };
	struct cni_error err = { 0 };
	json_auto_t *doc = definitions_load(file, &err), *plugins = doc ? try_plugins(doc, &err) : NULL;

	trial.plugins = plugins;
	if (plugins && try_make_pod(&trial, &err) == 0)
		try_pod(&trial, others, n);
	else
		report_error(&trial.report, ERROR, plugins ? "pod" : file, &err);
	guest_close(&trial.pod);
	return (int)trial.report.worst;
}

/* Is there a proposal, and no network of its name? */
static bool try_is_proposed(void)
{
	json_auto_t *plugins = conflist_read(PROPOSAL, NULL), *files = NULL;
	const char *name = json_string_value(json_field(json_array_get(plugins, 0), "name"));

	if (!name)
		return false;
	files = places_named(name, NULL);
	return !files;
}

static bool try_is_ipvlan(const char *file)
{
	json_auto_t *plugins = conflist_read(file, NULL);
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		const char *type = json_string_value(json_field(plugin, "type"));

		if (type && !strcmp(type, "ipvlan"))
			return true;
	}
	return false;
}

/* The files to try if the user names none. */
static json_t *try_usual_files(struct cni_error *err)
{
	json_auto_t *all = NULL;
	json_t *files, *file;
	size_t i;

	if (try_is_proposed())
		return json_pack("[s]", PROPOSAL);
	all = places_list(err);
	files = all ? json_array() : NULL;
	json_array_foreach(all, i, file)
		if (try_is_ipvlan(json_string_value(file)))
			json_array_append(files, file);
	if (!files || json_array_size(files))
		return files;
	json_decref(files);
	cni_fail(err, CNI_CONFIG, "there is no network of type ipvlan in %s", places_confs());
	cni_hint(err, "ipvlanctl init proposes one for this machine");
	return NULL;
}

static json_t *try_files_named(const char *name, struct cni_error *err)
{
	if (!strcmp(name, "-"))
		return json_pack("[s]", "/dev/stdin");
	return strchr(name, '/') ? json_pack("[o]", json_stringn_nocheck(name, strlen(name)))
				 : places_named(name, err);
}

static int try_files(const json_t *files, const struct ip *others, int n)
{
	int worst = 0, status;
	const json_t *file;
	size_t i;

	json_array_foreach(files, i, file) {
		text_put(BOLD, "%s", json_string_value(file));
		text_end();
		status = try_file(json_string_value(file), others, n);
		if (status > worst)
			worst = status;
	}
	return worst;
}

int try_main(int argc, char **argv)
{
	struct ip others[OTHERS_MAX];
	struct report none = { .worst = OK };
	struct cni_error err = { 0 };
	json_auto_t *files = NULL;
	const bool named = argc > 1 && !ip_parse(argv[1], &others[0]);
	int n = 0;

	for (int i = named ? 2 : 1; i < argc; i++)
		if (n == OTHERS_MAX || !ip_parse(argv[i], &others[n++])) {
			fprintf(stderr, "ipvlanctl: \"%s\" is not an address, or there are too many\n",
				argv[i]);
			return EXIT_USAGE;
		}
	files = named ? try_files_named(argv[1], &err) : try_usual_files(&err);
	if (files)
		return try_files(files, others, n);
	report_error(&none, ERROR, "configuration", &err);
	return (int)none.worst;
}
