/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/delegate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/file.h"
#include "cni/json.h"

/* The Go dhcp plugin may try for 208 s. A runtime kills us after 240 s; by then the DEL after a
 * failed ADD must have ended too. */
#define PATIENCE_S 215
#define UNDO_PATIENCE_S 20

const char *delegate_path(void)
{
	const char *path = getenv("CNI_PATH");

	return path && *path ? path : "/opt/cni/bin:/usr/lib/cni";
}

int delegate_find(const char *type, const char *path, char *ret, size_t size, struct cni_error *err)
{
	char list[256] = "";
	size_t listed = 0;

	if (strchr(type, '/'))
		return cni_fail(err, CNI_CONFIG, "invalid plugin name: %s", type);
	for (const char *dir = path, *end; dir; dir = *end ? end + 1 : NULL) {
		int len = (int)strcspn(dir, ":");
		struct stat st;

		end = dir + len;
		if (listed < sizeof(list))
			listed += (size_t)snprintf(list + listed, sizeof(list) - listed, "%s%.*s",
						   listed ? " " : "", len, dir);
		if ((size_t)snprintf(ret, size, "%.*s%s%s", len, dir, len ? "/" : "", type) < size &&
		    stat(ret, &st) == 0 && S_ISREG(st.st_mode))
			return 0;
	}
	cni_fail(err, CNI_CONFIG, "failed to find plugin \"%s\" in path [%s]", type, list);
	return cni_hint(err, "install the IPAM plugin that ipam.type names into a directory of CNI_PATH");
}

/* A copy of our environment with another CNI_COMMAND. The strings are borrowed. */
static char **delegate_environment(char *command)
{
	size_t n = 0, used = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	for (size_t i = 0; env && i < n; i++)
		if (strncmp(environ[i], "CNI_COMMAND=", strlen("CNI_COMMAND=")) != 0)
			env[used++] = environ[i];
	if (env)
		env[used] = command;
	return env;
}

/* Is it the DEL that undoes a failed ADD? Then there is little time. */
static bool delegate_is_undo(const struct request *req, const char *verb)
{
	return !strcmp(verb, "DEL") && !strcmp(req->command, "ADD");
}

/* Ignores the output of the program if answer is NULL. */
static int delegate_start(const struct request *req, const char *program, const char *verb, json_t **answer,
			  struct cni_error *err)
{
	struct cni_error why = { 0 };
	autofree char **env = NULL;
	char command[32];
	struct child child = {
		.what = "netplugin failed with no error message: ",
		.argv = { program },
		.input = req->config,
		.input_len = req->config_len,
		.patience_s = delegate_is_undo(req, verb) ? UNDO_PATIENCE_S : PATIENCE_S,
	};
	struct outcome o;

	snprintf(command, sizeof(command), "CNI_COMMAND=%s", verb);
	child.env = env = delegate_environment(command);
	if (!env)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (child_run(&child, &o, err) < 0)
		return -1;
	if (o.status)
		return outcome_explain(&o, err);
	if (!answer)
		return 0;
	*answer = json_read(o.output, o.output_len, &why);
	return *answer ? 0 : cni_fail(err, CNI_DECODE, "failed to unmarshal raw result: %s", why.msg);
}

static const struct delegate_builtin *builtin;

void delegate_use_builtin(const struct delegate_builtin *plugin)
{
	builtin = plugin;
}

/* Is the program the same build? The linker writes the note with the build ID before all code. */
static bool delegate_is_same_build(const char *program)
{
	autoclose int fd = file_open(program, O_RDONLY | O_NONBLOCK);
	char head[1024];
	ssize_t len = fd >= 0 ? read(fd, head, sizeof(head)) : 0;

	return len > 0 && memmem(head, (size_t)len, builtin->build_id, sizeof(builtin->build_id));
}

static int delegate_call(const struct request *req, const char *type, const char *verb, json_t **answer,
			 struct cni_error *err)
{
	struct request same = *req;
	char program[4096];

	same.command = verb;
	if (delegate_find(type, req->path, program, sizeof(program), err) < 0)
		return -1;
	if (builtin && !delegate_is_undo(req, verb) && builtin->serves(req) &&
	    delegate_is_same_build(program))
		return plugin_run(builtin->plugin, &same, answer, err);
	return delegate_start(req, program, verb, answer, err);
}

bool delegate_uses_link(const char *type)
{
	return type && !strcmp(type, "dhcp");
}

json_t *delegate_add(const struct request *req, const char *type, struct cni_error *err)
{
	json_t *answer = NULL;

	if (delegate_call(req, type, "ADD", &answer, err) == 0)
		return answer;
	if (!delegate_uses_link(type) || err->code == CNI_DECODE || *err->details)
		return NULL;
	if (strstr(err->msg, "dialing DHCP daemon"))
		cni_hint(err, "the daemon of the dhcp plugin is not running: as root start `dhcp daemon`, "
			      "with the path of the plugin, or the unit cni-dhcp");
	else
		cni_hint(err, "all interfaces of a master have one MAC address: the DHCP server must "
			      "distinguish clients by their client identifier, and answer by broadcast");
	return NULL;
}

int delegate_run(const struct request *req, const char *type, const char *verb, struct cni_error *err)
{
	bool optional = !strcmp(verb, "GC") || !strcmp(verb, "STATUS");
	struct cni_error why = { 0 };

	if (delegate_call(req, type, verb, NULL, &why) == 0)
		return 0;
	/* a plugin from before CNI 1.1.0 */
	if (optional && (why.code == CNI_VERSION || why.code == CNI_ENVIRONMENT)) {
		cni_log("ipam %s does not know %s: %s", type, verb, why.msg);
		return 0;
	}
	return cni_fail_as(err, &why);
}

void delegate_release_by_link(const struct request *req, const char *type)
{
	struct cni_error why = { 0 };

	if (delegate_uses_link(type) && delegate_run(req, type, "DEL", &why) < 0)
		cni_log("ipam %s, while the interface is there: %s", type, why.msg);
}
