/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any environment: the input is the values of the variables in the order below,
 * each ended by a NUL byte.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/json.h"
#include "cni/plugin.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const variables[] = {
	"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS",		"CNI_IFNAME",
	"CNI_ARGS",    "CNI_PATH",	  "CNI_NETNS_OVERRIDE",
};

#define VARIABLES (sizeof(variables) / sizeof(*variables))

/* An environment of our own: that of setenv() only ever grows. */
static char *entries[VARIABLES + 1];

static void set_environment(const char *text, const char *end)
{
	size_t n = 0;

	for (size_t i = 0; i < VARIABLES && text < end; i++) {
		must(asprintf(&entries[n++], "%s=%s", variables[i], text) > 0);
		text += strlen(text) + 1;
	}
	entries[n] = NULL;
	environ = entries;
}

static void free_environment(void)
{
	for (size_t i = 0; entries[i]; i++)
		free(entries[i]);
	entries[0] = NULL;
}

/* What the kernel and the file system may rely on once the environment was taken. */
static void check_request(const struct request *req)
{
	bool attaches = !strcmp(req->command, "ADD") || !strcmp(req->command, "CHECK");

	must(*req->command && req->container && req->netns && req->ifname && req->args && req->path);
	if (!attaches && strcmp(req->command, "DEL") != 0)
		return;
	must(*req->path && (*req->netns || !attaches));
	must(*req->container && !strpbrk(req->container, "/ \n\r:") && *req->container != '.');
	must(*req->ifname && strlen(req->ifname) < 16 && !strpbrk(req->ifname, "/: \n\t"));
	must(strcmp(req->ifname, ".") != 0 && strcmp(req->ifname, "..") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct request req = { .version = CNI_1_1_0 };
	struct cni_error err = { 0 };

	memcpy(text, data, size);
	text[size] = '\0';
	set_environment(text, text + size);
	free(text);
	if (request_read_env(&req, &err) == 0) {
		check_request(&req);
	} else {
		json_auto_t *msg = json_text(err.msg), *details = json_text(err.details);

		must(err.code == CNI_ENVIRONMENT && *err.msg);
		must(msg && details); /* or there would be nothing to print */
	}
	free_environment();
	return 0;
}
