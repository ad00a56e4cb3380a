#include "plugin/delegate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/json.h"

/* The Go dhcp plugin may try for 208 s; a runtime gives up on us after 240 s, and
 * by then a DEL after a failed ADD must be over as well. */
#define PATIENCE_S 215
#define UNDO_PATIENCE_S 20

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

/* Our environment with another CNI_COMMAND. The strings are borrowed. */
static char **environment(char *command)
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

/* Returns the delegate's output, good until the next one runs, or NULL. */
static const char *run(const struct request *req, const char *type, const char *verb, int patience_s,
		       size_t *len, struct cni_error *err)
{
	autofree char **env = NULL;
	char program[4096], command[32];
	struct child child = {
		.what = "netplugin failed with no error message: ",
		.argv = { program },
		.input = req->config,
		.input_len = req->config_len,
		.patience_s = patience_s,
	};
	struct outcome o;

	snprintf(command, sizeof(command), "CNI_COMMAND=%s", verb);
	child.env = env = environment(command);
	if (!env) {
		cni_fail(err, CNI_RETRY, "out of memory");
		return NULL;
	}
	if (delegate_find(type, req->path, program, sizeof(program), err) < 0 ||
	    child_run(&child, &o, err) < 0)
		return NULL;
	if (o.status) {
		outcome_explain(&o, err);
		return NULL;
	}
	*len = o.output_len;
	return o.output;
}

bool delegate_uses_link(const char *type)
{
	return type && !strcmp(type, "dhcp");
}

json_t *delegate_add(const struct request *req, const char *type, struct cni_error *err)
{
	struct cni_error why = { 0 };
	json_t *doc;
	size_t len;
	const char *output = run(req, type, "ADD", PATIENCE_S, &len, err);
	if (!output) {
		if (delegate_uses_link(type) && !*err->details)
			cni_hint(err,
				 "all interfaces of a master have one MAC address: the DHCP server has to "
				 "tell clients apart by their client identifier, and to answer by broadcast");
		return NULL;
	}
	doc = json_read(output, len, &why);
	if (!doc)
		cni_fail(err, CNI_DECODE, "failed to unmarshal raw result: %s", why.msg);
	return doc;
}

int delegate_run(const struct request *req, const char *type, const char *verb, struct cni_error *err)
{
	bool optional = !strcmp(verb, "GC") || !strcmp(verb, "STATUS");
	bool undo = !strcmp(verb, "DEL") && !strcmp(req->command, "ADD");
	struct cni_error why = { 0 };
	size_t len;

	if (run(req, type, verb, undo ? UNDO_PATIENCE_S : PATIENCE_S, &len, &why))
		return 0;
	/* one from before CNI 1.1.0 */
	if (optional && (why.code == CNI_VERSION || why.code == CNI_ENVIRONMENT)) {
		cni_log("ipam %s does not know %s: %s", type, verb, why.msg);
		return 0;
	}
	cni_fail(err, (enum cni_code)why.code, "%s", why.msg);
	return cni_hint(err, "%s", why.details);
}

void delegate_release_by_link(const struct request *req, const char *type)
{
	struct cni_error why = { 0 };

	if (delegate_uses_link(type) && delegate_run(req, type, "DEL", &why) < 0)
		cni_log("ipam %s, while the interface is there: %s", type, why.msg);
}
