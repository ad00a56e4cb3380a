/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cni/about.h"
#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "ctl/examine.h"
#include "ctl/places.h"
#include "ctl/runtimes.h"
#include "plugin/delegate.h"

#define PATIENCE_S 5
#define DHCP_SOCKET "/run/cni/dhcp.sock"

/* The project that has a plugin of that name, for the remedy. */
static const struct {
	const char *type, *project;
} origins[] = {
	{ "ipvlan", "ipvlan-cni" },
	{ "addrpool", "ipvlan-cni" },
	{ "bandwidth", "the CNI plugins (containernetworking-plugins)" },
	{ "dhcp", "the CNI plugins (containernetworking-plugins)" },
	{ "firewall", "the CNI plugins (containernetworking-plugins)" },
	{ "host-local", "the CNI plugins (containernetworking-plugins)" },
	{ "portmap", "the CNI plugins (containernetworking-plugins)" },
	{ "sbr", "the CNI plugins (containernetworking-plugins)" },
	{ "static", "the CNI plugins (containernetworking-plugins)" },
	{ "tuning", "the CNI plugins (containernetworking-plugins)" },
	{ "vrf", "the CNI plugins (containernetworking-plugins)" },
	{ "whereabouts", "whereabouts" },
};

static const char *programs_origin_of(const char *type)
{
	for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++)
		if (!strcmp(origins[i].type, type))
			return origins[i].project;
	return NULL;
}

static bool programs_is_of_this_project(const char *type)
{
	return !strcmp(type, "ipvlan") || !strcmp(type, "addrpool");
}

/* The first existing directory of the path, or else its first. */
static void programs_first_directory(const char *path, char *ret, size_t size)
{
	struct stat st;

	snprintf(ret, size, "%.*s", (int)strcspn(path, ":"), path);
	for (const char *dir = path; *dir; dir += strcspn(dir, ":"), dir += *dir == ':') {
		char name[PATH_MAX];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(dir, ":"), dir);
		if (stat(name, &st) == 0 && S_ISDIR(st.st_mode)) {
			snprintf(ret, size, "%s", name);
			return;
		}
	}
}

/* Prints "install -m 755 /usr/local/sbin/ipvlan /opt/cni/bin/ipvlan" if the source exists, or else an
 * instruction. at: the path that the program should have. */
static void programs_remedy_for(const char *type, const char *at, char *ret, size_t size)
{
	const char *project = programs_origin_of(type);
	char source[PATH_MAX];

	places_beside(type, source, sizeof(source));
	if (programs_is_of_this_project(type) && access(source, X_OK) == 0 && strcmp(source, at) != 0)
		snprintf(ret, size, "install -m 755 %s %s", source, at);
	else if (project)
		snprintf(ret, size, "install %s, with the plugin as %s", project, at);
	else
		snprintf(ret, size, "install the plugin as %s, or correct \"type\"", at);
}

/* Reads the first line that a plugin prints without CNI_COMMAND; "": none. argument: may be NULL. Without
 * one, plugins with Go's library print "CNI ipvlan plugin v1.9.1". */
static void programs_first_line(const char *program, const char *argument, char *ret, size_t size)
{
	static char *const env[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	const struct child child = { .what = "",
				     .argv = { program, argument },
				     .env = env,
				     .input = "",
				     .patience_s = PATIENCE_S,
				     .quiet = true };
	struct outcome o;
	const char *said;

	*ret = '\0';
	if (child_run(&child, &o, NULL) < 0)
		return;
	said = *o.stderr_end ? o.stderr_end : o.output;
	snprintf(ret, size, "%.*s", (int)strcspn(said, "\n"), said);
}

/* Reads version and commit from "ipvlan 1.2.3 (git abc1234)". */
static void programs_read_version(const char *program, char *ret, size_t size)
{
	char line[256];

	programs_first_line(program, "--version", line, sizeof(line));
	snprintf(ret, size, "%s", line + strcspn(line, " "));
}

static void programs_examine_ours(struct exam *exam, const char *type, const char *program)
{
	char about[256], version[64], remedy[3 * PATH_MAX];
	bool same;

	programs_first_line(program, NULL, about, sizeof(about));
	if (strstr(about, " (ipvlan-cni)")) {
		programs_read_version(program, version, sizeof(version));
		same = !strcmp(version + (*version == ' '), about_version());
		report(exam->report, OK, "plugin", NULL, "%s: %s,%s%s%s", type, program, version,
		       same ? "" : ", while ipvlanctl is ", same ? "" : about_version());
		return;
	}
	programs_remedy_for(type, program, remedy, sizeof(remedy));
	report(exam->report, ERROR, "plugin", remedy,
	       "%s is not of ipvlan-cni%s%s%s: it ignores keys that it does not know", program,
	       *about ? " (\"" : "", about, *about ? "\")" : "");
}

static void programs_report_absent(struct exam *exam, const char *type, const char *path,
				   const struct cni_error *err)
{
	char dir[PATH_MAX], at[PATH_MAX + NAME_MAX + 2], remedy[3 * PATH_MAX] = "";

	programs_first_directory(path, dir, sizeof(dir));
	snprintf(at, sizeof(at), "%s/%.*s", dir, NAME_MAX, type);
	if (!strchr(type, '/'))
		programs_remedy_for(type, at, remedy, sizeof(remedy));
	report(exam->report, ERROR, "plugin", remedy, "%s", err->msg);
}

static void programs_examine_one(struct exam *exam, const char *type, const char *path)
{
	struct cni_error err = { 0 };
	char program[PATH_MAX], remedy[PATH_MAX + 16];

	if (delegate_find(type, path, program, sizeof(program), &err) < 0) {
		programs_report_absent(exam, type, path, &err);
	} else if (access(program, X_OK) < 0) {
		snprintf(remedy, sizeof(remedy), "chmod +x %s", program);
		report(exam->report, ERROR, "plugin", remedy, "%s is not executable", program);
	} else if (programs_is_of_this_project(type)) {
		programs_examine_ours(exam, type, program);
	} else {
		report(exam->report, OK, "plugin", NULL, "%s: %s", type, program);
	}
}

static void programs_examine(struct exam *exam, const char *path)
{
	const json_t *plugin;
	size_t i;

	json_array_foreach(exam->plugins, i, plugin) {
		const char *type = json_string_value(json_field(plugin, "type"));
		const char *ipam = json_string_value(json_field(json_field(plugin, "ipam"), "type"));

		if (type && *type)
			programs_examine_one(exam, type, path);
		if (ipam && *ipam)
			programs_examine_one(exam, ipam, path);
	}
}

static bool programs_has_rate(const json_t *plugin)
{
	return json_integer_value(json_field(plugin, "ingressRate")) > 0 ||
	       json_integer_value(json_field(plugin, "egressRate")) > 0;
}

#define REPLACE_BANDWIDTH \
	"remove it from \"plugins\", and move its keys into ipvlan's key \"bandwidth\", or its " \
	"capability to ipvlan"

/* The plugin bandwidth requires a host link for each pod. */
static void programs_examine_neighbour_of_ours(struct exam *exam, const char *type, const json_t *plugin)
{
	if (!strcmp(type, "bandwidth") && programs_has_rate(plugin))
		report(exam->report, ERROR, "chain", REPLACE_BANDWIDTH,
		       "bandwidth shapes a link of the host for each pod, which ipvlan does not have: ADD "
		       "fails");
	else if (!strcmp(type, "bandwidth"))
		report(exam->report, WARNING, "chain", REPLACE_BANDWIDTH,
		       "bandwidth shapes a link of the host for each pod, which ipvlan does not have: ADD "
		       "of a pod with a bandwidth fails");
}

void examine_chain(struct exam *exam)
{
	const json_t *plugin;
	char dir[PATH_MAX];
	size_t i;

	programs_examine(exam, places_plugins());
	if (runtimes_bin_dir(dir, sizeof(dir)))
		programs_examine(exam, dir);
	json_array_foreach(exam->plugins, i, plugin) {
		const char *type = json_string_value(json_field(plugin, "type"));

		if (type && *type)
			programs_examine_neighbour_of_ours(exam, type, plugin);
		else
			report(exam->report, ERROR, "chain", "set \"type\" to the name of its program",
			       "plugin %zu of the list has no \"type\"", i + 1);
	}
	if (exam->sound & SOUND_CONF && !exam->conf.ipam)
		report(exam->report, OK, "ipam", NULL, "none: interfaces have no address");
}

static bool programs_listens(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (strlen(path) >= sizeof(to.sun_path))
		return true; /* not tested: STATUS of dhcp reports more */
	memcpy(to.sun_path, path, strlen(path));
	return fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 || errno == EAGAIN;
}

/* The plugin dhcp requires a daemon, which keeps the leases. */
void examine_dhcp(struct exam *exam)
{
	const json_t *ipam = json_field(exam->plugin, "ipam");
	const char *type = json_string_value(json_field(ipam, "type")),
		   *path = json_string_value(json_field(ipam, "daemonSocketPath"));
	char program[PATH_MAX], remedy[PATH_MAX + 64];

	if (!type || strcmp(type, "dhcp") != 0)
		return;
	path = path && *path ? path : DHCP_SOCKET;
	if (programs_listens(path)) {
		report(exam->report, OK, "dhcp", NULL, "its daemon listens on %s", path);
		return;
	}
	if (delegate_find(type, places_plugins(), program, sizeof(program), NULL) < 0)
		return; /* programs_examine() reports it */
	snprintf(remedy, sizeof(remedy), "start it, as a service: %s daemon", program);
	report(exam->report, ERROR, "dhcp", remedy, "no daemon of the plugin dhcp listens on %s: %s", path,
	       errno_text(errno));
}
