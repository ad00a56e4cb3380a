/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/runtimes.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/json.h"
#include "ctl/examine.h"
#include "ctl/progress.h"
#include "netavark/network.h"

#define PATIENCE_S 5
#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DRIVER "ipvlan-netavark"
#define CONTAINERD_CONFIG "/etc/containerd/config.toml"

/* The newest CNI of a runtime's versions, oldest first. A version after the last row knows that of the last.
 */
struct spoken {
	unsigned int major, minor; /* from this version on */
	int newest;		   /* enum cni_version, or RUNTIME_NO_CNI */
};

static const struct kind {
	const char *program, *name;
	struct spoken spoken[4];
	size_t n;
} kinds[] = {
	{ "containerd", "containerd", { { 0, 0, CNI_0_4_0 }, { 1, 6, CNI_1_0_0 }, { 2, 0, CNI_1_1_0 } }, 3 },
	{ "crio", "CRI-O", { { 0, 0, CNI_0_4_0 }, { 1, 23, CNI_1_0_0 }, { 1, 31, CNI_1_1_0 } }, 3 },
	{ "k3s", "k3s", { { 0, 0, CNI_0_4_0 }, { 1, 24, CNI_1_0_0 }, { 1, 33, CNI_1_1_0 } }, 3 },
	{ "podman", "Podman", { { 0, 0, CNI_0_4_0 }, { 4, 0, CNI_1_0_0 }, { 5, 0, RUNTIME_NO_CNI } }, 3 },
	{ "nerdctl", "nerdctl", { { 0, 0, CNI_1_0_0 }, { 2, 0, CNI_1_1_0 } }, 2 },
};

#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

static struct runtime founds[N_KINDS];
static size_t n_founds;
static bool looked;

static bool runtimes_find_in(const char *path, const char *name, char *ret, size_t size)
{
	for (const char *dir = path; *dir; dir += strcspn(dir, ":"), dir += *dir == ':') {
		snprintf(ret, size, "%.*s/%s", (int)strcspn(dir, ":"), dir, name);
		if (*ret == '/' && access(ret, X_OK) == 0)
			return true;
	}
	return false;
}

static bool runtimes_find_program(const char *name, char *ret, size_t size)
{
	const char *path = getenv("PATH");

	return (path && runtimes_find_in(path, name, ret, size)) ||
	       runtimes_find_in(USUAL_PATH, name, ret, size);
}

/* Finds the first version in "containerd github.com/… 1.6.20~ds1 1.6.20~ds1-1", "v2.0.0". */
static const char *runtimes_version_in(const char *text)
{
	for (const char *c = text; *c; c++) {
		const bool begins =
			c == text || c[-1] == ' ' || (c[-1] == 'v' && (c - 1 == text || c[-2] == ' '));
		size_t digits = strspn(c, "0123456789");

		if (begins && digits && c[digits] == '.' && isdigit((unsigned char)c[digits + 1]))
			return c;
	}
	return NULL;
}

static int runtimes_newest_of(const struct kind *kind, unsigned long major, unsigned long minor)
{
	int newest = kind->spoken[0].newest;

	for (size_t i = 0; i < kind->n; i++)
		if (major > kind->spoken[i].major ||
		    (major == kind->spoken[i].major && minor >= kind->spoken[i].minor))
			newest = kind->spoken[i].newest;
	return newest;
}

static json_t *runtimes_output_of(const char *program, const char *first, const char *second)
{
	const struct child child = { .what = "",
				     .argv = { program, first, second },
				     .env = environ,
				     .input = "",
				     .patience_s = PATIENCE_S,
				     .quiet = true };
	struct outcome o;

	return child_run(&child, &o, NULL) < 0 || o.status ? NULL : json_read(o.output, o.output_len, NULL);
}

/* Asks Podman for its backend and its directories of drivers. */
static void runtimes_ask_backend(const char *program, struct runtime *ret)
{
	json_auto_t *info = runtimes_output_of(program, "info", "--format=json");
	const char *backend = json_string_value(json_field(json_field(info, "host"), "networkBackend"));
	const json_t *drivers = json_field(json_field(info, "plugins"), "network"), *driver;
	size_t i;

	if (!backend || strcmp(backend, "netavark") != 0)
		return;
	ret->newest = RUNTIME_NO_CNI;
	json_array_foreach(drivers, i, driver)
		ret->driver |= json_is_string(driver) && !strcmp(json_string_value(driver), DRIVER);
}

/* If the program prints no version, it stays "", and counts as the oldest. */
static void runtimes_ask(const struct kind *kind, const char *program, struct runtime *ret)
{
	struct child child = { .what = "",
			       .argv = { program, "--version" },
			       .env = environ,
			       .input = "",
			       .patience_s = PATIENCE_S,
			       .quiet = true };
	unsigned long major;
	const char *version;
	struct outcome o;
	char *rest;

	*ret = (struct runtime){ .program = kind->program,
				 .name = kind->name,
				 .newest = kind->spoken[0].newest };
	if (child_run(&child, &o, NULL) < 0 || o.status)
		return;
	version = runtimes_version_in(o.output);
	if (!version)
		return;
	major = strtoul(version, &rest, 10);
	ret->newest = runtimes_newest_of(kind, major, strtoul(rest + 1, NULL, 10));
	snprintf(ret->version, sizeof(ret->version), "%.*s", (int)strspn(version, "0123456789."), version);
	if (!strcmp(kind->program, "podman"))
		runtimes_ask_backend(program, ret);
}

size_t runtimes_found(const struct runtime **ret)
{
	char program[PATH_MAX];

	if (!looked)
		progress("looking for container runtimes");
	for (size_t i = 0; !looked && i < N_KINDS; i++)
		if (runtimes_find_program(kinds[i].program, program, sizeof(program)))
			runtimes_ask(&kinds[i], program, &founds[n_founds++]);
	looked = true;
	*ret = founds;
	return n_founds;
}

const struct runtime *runtimes_with_driver(void)
{
	const struct runtime *runtimes;
	const size_t n = runtimes_found(&runtimes);

	for (const struct runtime *r = runtimes; r < runtimes + n; r++)
		if (r->driver)
			return r;
	return NULL;
}

json_t *runtimes_json(void)
{
	const struct runtime *runtimes;
	const size_t n = runtimes_found(&runtimes);
	json_t *all = json_array();

	for (const struct runtime *r = runtimes; r < runtimes + n; r++)
		json_array_append_new(all,
				      json_pack("{s:s, s:s, s:s?}", "name", r->name, "version", r->version,
						"cni", r->newest < 0 ? NULL : cni_versions[r->newest]));
	return all;
}

int runtimes_cni_version(void)
{
	const struct runtime *runtimes;
	const size_t n = runtimes_found(&runtimes);
	int oldest = RUNTIME_NO_CNI;

	for (const struct runtime *r = runtimes; r < runtimes + n; r++)
		if (r->newest >= 0 && (oldest < 0 || r->newest < oldest))
			oldest = r->newest;
	return oldest < 0 ? CNI_1_0_0 : oldest;
}

bool runtimes_take_by_name(void)
{
	const struct runtime *runtimes;
	const size_t n = runtimes_found(&runtimes);

	for (const struct runtime *r = runtimes; r < runtimes + n; r++)
		if (strcmp(r->program, "podman") != 0 && strcmp(r->program, "nerdctl") != 0)
			return false;
	return n > 0;
}

bool runtimes_bin_dir(char *ret, size_t size)
{
	char line[PATH_MAX + 32], dir[PATH_MAX], program[PATH_MAX];
	FILE *config;
	bool found = false;

	if (!runtimes_find_program("containerd", program, sizeof(program)) ||
	    !runtimes_find_program("kubelet", program, sizeof(program)))
		return false;
	config = fopen(CONTAINERD_CONFIG, "re");
	while (config && !found && fgets(line, sizeof(line), config))
		found = sscanf(line, " bin_dir = %*1['\"]%4095[^'\"]", dir) == 1 ||
			sscanf(line, " bin_dirs = [ %*1['\"]%4095[^'\"]", dir) == 1;
	if (config)
		fclose(config);
	if (found)
		snprintf(ret, size, "%s", dir);
	return found;
}

/* version: the list's. able: the number of runtimes of this machine that know it. */
static void runtimes_examine_one(struct exam *exam, const struct runtime *runtime, int version, size_t able)
{
	const char *name = runtime->name;
	char remedy[64];

	if (!*runtime->version)
		return;
	if (runtime->newest == RUNTIME_NO_CNI) {
		report(exam->report, able ? OK : WARNING, "runtime",
		       able		 ? NULL
		       : runtime->driver ? "podman network create -d " DRIVER " makes its networks"
					 : "install " DRIVER
					   " into /usr/local/libexec/netavark, and make Podman's "
					   "networks with that driver",
		       "%s %s uses netavark instead of CNI, and does not read this file", name,
		       runtime->version);
		return;
	}
	if (version <= runtime->newest) {
		report(exam->report, OK, "runtime", NULL, "%s %s knows CNI up to %s", name, runtime->version,
		       cni_versions[runtime->newest]);
		return;
	}
	snprintf(remedy, sizeof(remedy), "\"cniVersion\": \"%s\"", cni_versions[runtime->newest]);
	report(exam->report, able ? WARNING : ERROR, "runtime", remedy,
	       "%s %s knows CNI up to %s, and network \"%s\" has cniVersion %s: its ADD fails", name,
	       runtime->version, cni_versions[runtime->newest], exam_network(exam), cni_versions[version]);
}

void examine_podman(struct exam *exam)
{
	const struct runtime *runtimes, *podman = NULL;
	const size_t n = runtimes_found(&runtimes);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(runtimes[i].program, "podman"))
			podman = &runtimes[i];
	if (!podman)
		report(exam->report, WARNING, "runtime", "",
		       "this machine has no Podman, and no other program reads this file");
	else if (podman->driver)
		report(exam->report, OK, "runtime", NULL, "%s %s uses netavark and finds the driver " DRIVER,
		       podman->name, podman->version);
	else if (podman->newest == RUNTIME_NO_CNI)
		report(exam->report, ERROR, "runtime", "install the driver into /usr/local/libexec/netavark",
		       "%s %s does not find the driver " DRIVER, podman->name, podman->version);
	else
		report(exam->report, WARNING, "runtime", "", "%s %s uses CNI, and does not read this file",
		       podman->name, podman->version);
	if (exam->podman && network_is_podmans(exam->podman))
		report(exam->report, OK, "ipam", NULL, "Podman assigns the addresses");
}

void examine_runtimes(struct exam *exam)
{
	const char *text = json_string_value(json_field(exam->plugin, "cniVersion"));
	const int version = text && *text ? version_find(text) : CNI_0_1_0;
	const struct runtime *runtimes;
	const size_t n = runtimes_found(&runtimes);
	size_t able = 0;

	for (size_t i = 0; i < n; i++)
		able += *runtimes[i].version && runtimes[i].newest >= version;
	for (size_t i = 0; version >= 0 && i < n; i++)
		runtimes_examine_one(exam, &runtimes[i], version, able);
}
