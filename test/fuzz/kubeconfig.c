/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any kubeconfig, which an administrator wrote, or a program.
 */
#include <limits.h>
#include <stdint.h>

#include "claim/kubeconfig.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Instead of claim/http.c. */
int http_add_endpoint(struct http *http, const char *url, struct cni_error *err)
{
	(void)err;
	must(*url);
	http->n++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_error err = { 0 };
	struct http http = { .n = 0 };
	json_auto_t *doc = NULL;
	char *namespace = NULL, path[PATH_MAX];

	file_of(data, size, path);
	if (kubeconfig_read(&http, &namespace, &doc, path, &err) < 0)
		must(*err.msg);
	else
		must(http.n == 1);
	free(namespace);
	free(http.token);
	free(http.ca.data);
	free(http.cert.data);
	free(http.key.data);
	return 0;
}
