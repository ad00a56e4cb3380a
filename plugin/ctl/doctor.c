/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/conflist.h"
#include "cni/json.h"
#include "ctl/cache.h"
#include "ctl/commands.h"
#include "ctl/definitions.h"
#include "ctl/examine.h"
#include "ctl/files.h"
#include "ctl/places.h"
#include "ctl/podman.h"
#include "ctl/pods.h"
#include "ctl/scan.h"
#include "ctl/text.h"

#define FROM_CACHE "networks of libcni's cache"

struct doctor {
	struct report report;
	json_t *files; /* paths */
	bool named;    /* by the user */
	json_t *cache;
	json_t *podmans; /* as podman_networks() has them */
	struct exam **exams;
	size_t n;
};

/* Adds an exam of the plugin, and runs it. */
static void doctor_examine_plugin(struct doctor *doctor, const char *file, json_t *plugins,
				  const json_t *plugin, json_t *podman)
{
	struct exam **more = realloc(doctor->exams, (doctor->n + 1) * sizeof(struct exam *));
	struct exam *exam;

	if (!more)
		abort();
	doctor->exams = more;
	report_section(&doctor->report, file, scan_text(plugin, "name"));
	exam = exam_open(&doctor->report, file, plugins, plugin, podman);
	exam_run(exam);
	for (size_t i = 0; i < doctor->n; i++)
		examine_pair(doctor->exams[i], exam);
	doctor->exams[doctor->n++] = exam;
}

/* podman: the network of Podman whose configuration they are, or NULL. */
static void doctor_examine_plugins(struct doctor *doctor, const char *file, json_t *plugins, json_t *podman)
{
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin)
		if (!strcmp(scan_text(plugin, "type"), "ipvlan"))
			doctor_examine_plugin(doctor, file, plugins, plugin, podman);
}

static void doctor_examine_file(struct doctor *doctor, const char *file)
{
	struct cni_error err = { 0 };
	json_auto_t *doc = definitions_load(file, &err),
		    *plugins = doc ? definitions_plugins(doc, &err) : NULL;
	const bool podmans = podman_is_network(doc);

	report_section(&doctor->report, file, "");
	if (!plugins)
		report_error(&doctor->report, ERROR, "file", &err);
	else if (!podmans)
		examine_content(&doctor->report, file, doc);
	doctor_examine_plugins(doctor, file, plugins, podmans ? doc : NULL);
}

static bool doctor_is_known(const struct doctor *doctor, const char *network)
{
	for (size_t i = 0; i < doctor->n; i++)
		if (!strcmp(exam_network(doctor->exams[i]), network))
			return true;
	return false;
}

/* Multus, for instance, has configurations without files. */
static void doctor_examine_cached(struct doctor *doctor)
{
	json_t *entry;
	size_t i;

	json_array_foreach(doctor->cache, i, entry) {
		const char *network = scan_text(entry, "network");

		if (*network && !doctor_is_known(doctor, network))
			doctor_examine_plugins(doctor, FROM_CACHE, json_object_get(entry, "plugins"), NULL);
	}
}

static void doctor_examine_podmans(struct doctor *doctor)
{
	json_t *entry;
	size_t i;

	json_array_foreach(doctor->podmans, i, entry)
		doctor_examine_file(doctor, scan_text(entry, "file"));
}

static void doctor_add_path(struct doctor *doctor, const char *path)
{
	json_array_append_new(doctor->files, json_stringn_nocheck(path, strlen(path)));
}

/* A directory stands for the configurations in it. */
static void doctor_add_argument(struct doctor *doctor, const char *argument)
{
	struct cni_error err = { 0 };
	struct stat st;
	json_t *list;

	if (stat(argument, &st) < 0 || !S_ISDIR(st.st_mode)) {
		doctor_add_path(doctor, argument);
		return;
	}
	list = places_list_in(argument, &err);
	report_section(&doctor->report, argument, "");
	if (!list)
		report_error(&doctor->report, ERROR, "configuration", &err);
	else if (!json_array_size(list))
		report(&doctor->report, WARNING, "configuration", "",
		       "there is no .conf, .conflist or .json in %s", argument);
	json_array_extend(doctor->files, list);
	json_decref(list);
}

static void doctor_examine_files(struct doctor *doctor)
{
	const size_t faults = doctor->report.n[WARNING] + doctor->report.n[ERROR];
	const json_t *file;
	size_t i;

	json_array_foreach(doctor->files, i, file)
		doctor_examine_file(doctor, json_string_value(file));
	if (!doctor->named) {
		doctor_examine_podmans(doctor);
		doctor_examine_cached(doctor);
		examine_directory_of_files(&doctor->report, doctor->files,
					   doctor->n || doctor->report.n[ERROR]);
	} else if (!doctor->n && faults == doctor->report.n[WARNING] + doctor->report.n[ERROR]) {
		report_section(&doctor->report, "files", "");
		report(&doctor->report, WARNING, "configuration", "",
		       "there is no network of type ipvlan in these files");
	}
}

/* False: an argument is neither an option nor a file. */
static bool doctor_read_arguments(struct doctor *doctor, int argc, char **argv)
{
	bool json = false, quiet = false;

	for (int i = 1; i < argc; i++) {
		json |= !strcmp(argv[i], "--json");
		quiet |= !strcmp(argv[i], "--quiet");
		if (*argv[i] == '-' && strcmp(argv[i], "--json") != 0 && strcmp(argv[i], "--quiet") != 0)
			return false;
		doctor->named |= *argv[i] != '-';
	}
	report_begin(&doctor->report, json, quiet);
	doctor->files = json_array();
	for (int i = 1; i < argc; i++)
		if (*argv[i] != '-')
			doctor_add_argument(doctor, argv[i]);
	return true;
}

int doctor_main(int argc, char **argv)
{
	struct doctor doctor = { .named = false };
	struct cni_error err = { 0 };
	json_t *list;

	if (!doctor_read_arguments(&doctor, argc, argv))
		return command_misuse("doctor");
	doctor.cache = cache_read();
	doctor.podmans = podman_networks();
	list = doctor.named ? NULL : places_list(&err);
	if (!doctor.named && !list)
		report_error(&doctor.report, ERROR, "configuration", &err);
	json_array_extend(doctor.files, list);
	doctor_examine_files(&doctor);
	examine_pods(&doctor.report, doctor.exams, doctor.n, doctor.cache);
	if (!doctor.named)
		examine_stores(&doctor.report);
	report_end(&doctor.report);
	for (size_t i = 0; i < doctor.n; i++)
		exam_close(doctor.exams[i]);
	free(doctor.exams);
	json_decref(list);
	json_decref(doctor.files);
	json_decref(doctor.cache);
	json_decref(doctor.podmans);
	return (int)doctor.report.worst;
}
