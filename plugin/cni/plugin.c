/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/plugin.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/counters.h"
#include "cni/file.h"
#include "cni/json.h"
#include "cni/log.h"
#include "cni/process.h"
#include "cni/stderr.h"

/* Even with the results of a long chain a configuration has only some kilobytes. */
#define CONFIG_MAX (4 << 20)
#define PATIENCE_MS 30000

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* musl does not define it */
#endif

/* More than the deepest calls require, with their paths and messages. */
#define STACK_WANTED (56 << 10)

enum verb { ADD, DEL, CHECK, GC, STATUS, VERSION, VERBS };

/* one line for each */
/* clang-format off */
static const struct {
	const char *name;
	enum cni_version since;
} verbs[VERBS] = {
	[ADD] = { "ADD", CNI_0_1_0 },
	[DEL] = { "DEL", CNI_0_1_0 },
	[CHECK] = { "CHECK", CNI_0_4_0 },
	[GC] = { "GC", CNI_1_1_0 },
	[STATUS] = { "STATUS", CNI_1_1_0 },
	[VERSION] = { "VERSION", CNI_0_1_0 },
};
/* clang-format on */

static enum verb plugin_find_verb(const char *name)
{
	enum verb verb;

	for (verb = 0; verb < VERBS; verb++)
		if (!strcmp(name, verbs[verb].name))
			break;
	return verb;
}

bool is_identifier(const char *text)
{
	if (!isalnum((unsigned char)*text))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("_.-", *text))
			return false;
	return true;
}

/* White space as in Go; the kernel refuses only white space of ASCII. */
static bool plugin_has_space(const char *text)
{
	static const char *const wide[] = {
		"\xc2\x85", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
		"\u2004",   "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
		"\u2028",   "\u2029", "\u202f", "\u205f", "\u3000",
	};

	if (strpbrk(text, " \t\n\v\f\r"))
		return true;
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
		if (strstr(text, wide[i]))
			return true;
	return false;
}

static int plugin_check_container(const char *text, struct cni_error *err)
{
	if (is_identifier(text))
		return 0;
	cni_fail(err, CNI_ENVIRONMENT, "invalid characters in containerID");
	return cni_hint(err, "%s", text);
}

static int plugin_check_ifname(const char *text, struct cni_error *err)
{
	if (strlen(text) >= IFNAMSIZ) {
		cni_fail(err, CNI_ENVIRONMENT, "interface name is too long");
		return cni_hint(err, "interface name should be less than %d characters", IFNAMSIZ);
	}
	if (!strcmp(text, ".") || !strcmp(text, ".."))
		return cni_fail(err, CNI_ENVIRONMENT, "interface name is . or ..");
	if (strpbrk(text, "/:") || plugin_has_space(text))
		return cni_fail(err, CNI_ENVIRONMENT,
				"interface name contains / or : or whitespace characters");
	return 0;
}

#define NEEDS(verb) (1U << (verb))

/* Reads the variables in the order of Go's skeleton, which reports them in that order. A wrong
 * value is reported before a missing variable. */
int request_read_env(struct request *req, struct cni_error *err)
{
	const struct {
		const char *name;
		const char **value;
		unsigned int needed_by;
		int (*check)(const char *text, struct cni_error *err);
	} vars[] = {
		{ "CNI_COMMAND", &req->command, ~0U, NULL },
		{ "CNI_CONTAINERID", &req->container, NEEDS(ADD) | NEEDS(CHECK) | NEEDS(DEL),
		  plugin_check_container },
		{ "CNI_NETNS", &req->netns, NEEDS(ADD) | NEEDS(CHECK), NULL },
		{ "CNI_IFNAME", &req->ifname, NEEDS(ADD) | NEEDS(CHECK) | NEEDS(DEL), plugin_check_ifname },
		{ "CNI_ARGS", &req->args, 0, NULL },
		{ "CNI_PATH", &req->path, NEEDS(ADD) | NEEDS(CHECK) | NEEDS(DEL) | NEEDS(GC) | NEEDS(STATUS),
		  NULL },
	};
	const char *command = getenv("CNI_COMMAND"), *override = getenv("CNI_NETNS_OVERRIDE");
	enum verb verb = plugin_find_verb(command ? command : "");
	char missing[128] = ""; /* has room for all names */
	size_t listed = 0;

	for (size_t i = 0; i < sizeof(vars) / sizeof(*vars); i++) {
		const char *value = getenv(vars[i].name);
		bool needed = vars[i].needed_by & NEEDS(verb);

		*vars[i].value = value ? value : "";
		if (needed && !**vars[i].value) {
			listed += (size_t)snprintf(missing + listed, sizeof(missing) - listed, "%s%s",
						   listed ? "," : "", vars[i].name);
		} else if (needed && vars[i].check && vars[i].check(value, err) < 0) {
			return -1;
		}
	}
	if (*missing)
		return cni_fail(err, CNI_ENVIRONMENT, "required env variables [%s] missing", missing);
	req->our_netns_allowed = override && (!strcmp(override, "1") || !strcasecmp(override, "true"));
	req->only_gone = getenv("IPVLANCTL_GC");
	return 0;
}

char *plugin_read(size_t *len, struct cni_error *err)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t room = 4096, used = 0;
	autofree char *text = malloc(room);
	char *whole;

	while (text) {
		int ready = poll(&in, 1, PATIENCE_MS);
		ssize_t got = ready > 0 ? read(in.fd, text + used, room - used) : -1;

		if (ready == 0) {
			cni_fail(err, CNI_IO, "error reading from stdin: nothing came for %d s",
				 PATIENCE_MS / 1000);
			return NULL;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			cni_fail(err, CNI_IO, "error reading from stdin: %s", errno_text(errno));
			return NULL;
		}
		if (!got) {
			*len = used;
			whole = text;
			text = NULL;
			return whole;
		}
		used += (size_t)got;
		if (used < room)
			continue;
		if (room >= CONFIG_MAX) {
			cni_fail(err, CNI_IO, "error reading from stdin: more than %d bytes", CONFIG_MAX);
			return NULL;
		}
		room *= 2;
		whole = realloc(text, room);
		if (!whole)
			break;
		text = whole;
	}
	cni_fail(err, CNI_RETRY, "out of memory");
	return NULL;
}

int request_read_conf(struct request *req, json_t *conf, struct cni_error *err)
{
	struct cni_error why = { 0 };
	enum verb verb = plugin_find_verb(req->command);

	if (!json_is_object(conf) && !json_is_null(conf))
		return cni_fail(err, CNI_DECODE, "error unmarshall network config: not an object");
	if (json_is_array(json_field(conf, "plugins"))) {
		cni_fail(err, CNI_CONFIG, "this is a list of plugins; a runtime passes one of them");
		return cni_hint(err, "ipvlanctl try FILE does with the list in FILE what a runtime does");
	}
	req->conf = conf;
	req->name = "";
	if (field_string(conf, "", "name", &req->name, &why) < 0)
		return cni_fail(err, CNI_DECODE, "error unmarshall network config: %s", why.msg);
	if (!*req->name)
		return cni_fail(err, CNI_CONFIG, "missing network name");
	if (!is_identifier(req->name)) {
		cni_fail(err, CNI_CONFIG, "invalid characters found in network name");
		return cni_hint(err, "%s", req->name);
	}
	if (verb >= VERSION)
		return cni_fail(err, CNI_ENVIRONMENT, "unknown CNI_COMMAND: %s", req->command);
	return version_negotiate(conf, verbs[verb].name, verbs[verb].since, &req->version, err);
}

int plugin_run(const struct plugin *plugin, const struct request *req, json_t **result, struct cni_error *err)
{
	switch (plugin_find_verb(req->command)) {
	case ADD:
		return plugin->add(req, result, err);
	case DEL:
		return plugin->del(req, err);
	case CHECK:
		return plugin->check(req, err);
	case GC:
		return plugin->gc(req, err);
	default:
		return plugin->status(req, err);
	}
}

/* Writes all at once, which wakes the reader only once. */
int plugin_print(const json_t *doc, size_t flags, bool line)
{
	autofree char *text = json_dumps(doc, flags);
	size_t len = text ? strlen(text) : 0, done = 0;

	if (!text)
		return -1;
	if (line)
		text[len++] = '\n';
	while (done < len) {
		struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
		ssize_t n = write(out.fd, text + done, len - done);

		/* the caller may have made stdout non-blocking */
		if (n < 0 && (errno != EAGAIN || poll(&out, 1, PATIENCE_MS) <= 0))
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* From 1.0.0 on the Go library prints keys in alphabetical order. */
static int plugin_print_result(const struct request *req, const json_t *result)
{
	return plugin_print(result, JSON_INDENT(4) | (req->version >= CNI_1_0_0 ? JSON_SORT_KEYS : 0), false);
}

/* If the runtime did not receive the result, the ADD has failed and is undone. */
static int plugin_deliver(const struct plugin *plugin, const struct request *req, const json_t *result,
			  plugin_answer answer, struct cni_error *err)
{
	struct cni_error why = { 0 };

	if (answer(req, result) == 0)
		return 0;
	cni_fail(err, CNI_IO, "cannot write the result: %s", errno_text(errno));
	cni_log("cannot write to stdout: %s", errno_text(errno));
	plugin->del(req, &why);
	return -1;
}

static void plugin_log_end(int rc, const struct cni_error *err)
{
	const size_t lost = stderr_lost();

	if (lost)
		cni_log("%zu bytes for standard error are lost: its reader does not read", lost);
	if (rc == 0)
		log_done();
	else
		log_line(LOG_ERROR, "error %d: %s%s%s", err->code, err->msg, err->details[0] ? "; " : "",
			 err->details);
}

int plugin_serve(const struct plugin *plugin, struct request *req, plugin_answer answer,
		 struct cni_error *err)
{
	json_auto_t *conf = NULL, *result = NULL;
	struct cni_error why = { 0 };
	int rc;

	conf = json_read(req->config, req->config_len, &why);
	if (!conf)
		return cni_fail(err, why.code, "error unmarshall network config: %s", why.msg);
	if (request_read_conf(req, conf, err) < 0)
		return -1;
	log_begin(req);
	rc = plugin_run(plugin, req, &result, err);
	if (rc == 0 && result)
		rc = plugin_deliver(plugin, req, result, answer, err);
	plugin_log_end(rc, err);
	log_end();
	return rc;
}

static int plugin_serve_process(const struct plugin *plugin, struct request *req, struct cni_error *err)
{
	autofree char *text = NULL;

	if (request_read_env(req, err) < 0)
		return -1;
	text = plugin_read(&req->config_len, err);
	if (!text)
		return -1;
	req->config = text;
	return plugin_serve(plugin, req, plugin_print_result, err);
}

json_t *error_json(const struct cni_error *error, enum cni_version version)
{
	json_t *doc = json_object();

	json_object_set_new(doc, "cniVersion", json_string(cni_versions[version]));
	json_object_set_new(doc, "code", json_integer(error->code));
	json_object_set_new(doc, "msg", json_text(error->msg));
	if (error->details[0])
		json_object_set_new(doc, "details", json_text(error->details));
	return doc;
}

static int plugin_print_versions(void)
{
	json_auto_t *doc = json_object();
	json_t *list = json_array();

	for (int v = 0; v < CNI_VERSIONS; v++)
		json_array_append_new(list, json_string(cni_versions[v]));
	json_object_set_new(doc, "cniVersion", json_string(cni_versions[CNI_VERSIONS - 1]));
	json_object_set_new(doc, "supportedVersions", list);
	return plugin_print(doc, JSON_COMPACT, true) < 0;
}

static int plugin_print_about(const char *about)
{
	fprintf(stderr, "%s\nCNI protocol versions supported: ", about);
	for (int v = 0; v < CNI_VERSIONS; v++)
		fprintf(stderr, "%s%s", v ? ", " : "", cni_versions[v]);
	fputc('\n', stderr);
	return 0;
}

/*
 * In a process of one millisecond the page faults of the stack matter: one for each page takes ten
 * times as long as all pages at once. Before Linux 5.14 madvise() fails, which does no harm. The
 * seed of jansson comes from the kernel's AT_RANDOM; else jansson would read a file.
 */
static void plugin_start_quickly(void)
{
	const unsigned long page = getauxval(AT_PAGESZ), random = getauxval(AT_RANDOM);
	size_t seed = 0;
	char *top = (char *)__builtin_frame_address(0);

	top -= (unsigned long)top % page;
	madvise(top - STACK_WANTED, STACK_WANTED, MADV_POPULATE_WRITE);
	if (random)
		memcpy(&seed, (const void *)random, sizeof(seed));
	json_object_seed(seed); /* 0: jansson reads a seed itself */
}

int plugin_main(const struct plugin *plugin)
{
	struct request req = { .version = CNI_1_1_0 };
	struct cni_error err = { 0 };
	json_auto_t *answer = NULL;
	const char *command = getenv("CNI_COMMAND");
	int rc = -1;

	if (!command || !*command)
		return plugin_print_about(plugin->about);
	plugin_start_quickly();
	if (!strcmp(command, verbs[VERSION].name))
		return plugin_print_versions();

	if (process_begin() < 0)
		cni_fail(&err, CNI_IO, "cannot open /dev/null: %s", errno_text(errno));
	else
		rc = plugin_serve_process(plugin, &req, &err);
	counters_add_call(plugin->name, command, rc == 0 ? 0 : err.code ? err.code : -1);
	if (rc == 0)
		return 0;
	answer = error_json(&err, req.version);
	plugin_print(answer, JSON_INDENT(4), false);
	return 1;
}
