/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/workload.h"

#include <stdbool.h>
#include <string.h>

/* The keys of the runtimes; the first that is present counts. */
static const struct {
	const char *namespace, *name;
} runtimes[] = {
	{ "K8S_POD_NAMESPACE", "K8S_POD_NAME" },
	{ "NOMAD_NAMESPACE", "NOMAD_JOB_ID" },
	{ "", "NERDCTL_CNI_DHCP_HOSTNAME" },
};

/* The value of key. "": there is none, or it is longer than WORKLOAD_NAME_MAX bytes. */
static void workload_argument(const char *args, const char *key, char *ret)
{
	const size_t len = strlen(key);

	*ret = '\0';
	for (const char *pair = args; len && *pair; pair += *pair == ';') {
		const size_t n = strcspn(pair, ";");

		if (n > len && pair[len] == '=' && !strncmp(pair, key, len) &&
		    n - len - 1 <= WORKLOAD_NAME_MAX) {
			memcpy(ret, pair + len + 1, n - len - 1);
			ret[n - len - 1] = '\0';
		}
		pair += n;
	}
}

struct workload workload_read(const char *args)
{
	struct workload workload = { "", "" };

	for (size_t i = 0; !*workload.name && i < sizeof(runtimes) / sizeof(*runtimes); i++) {
		workload_argument(args, runtimes[i].name, workload.name);
		workload_argument(args, runtimes[i].namespace, workload.namespace);
	}
	return workload;
}
