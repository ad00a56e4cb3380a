/*
 * Any kubeconfig, which an administrator wrote, or a program.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
	static int fd = -1;
	struct cni_error err = { 0 };
	struct http http = { .n = 0 };
	json_auto_t *doc = NULL;
	char *namespace = NULL, path[PATH_MAX];

	if (fd < 0)
		fd = memfd_create("kubeconfig", MFD_CLOEXEC);
	must(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
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
