/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/workload.h"

#include <stdio.h>
#include <string.h>

#include "tap.h"

static void test_names(void)
{
	static const struct {
		const char *name, *args, *namespace, *workload;
	} cases[] = {
		{ "Kubernetes", "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1;K8S_POD_UID=7",
		  "shop", "web-1" },
		{ "Podman, which has no namespaces", "IgnoreUnknown=1;K8S_POD_NAME=web", "", "web" },
		{ "Nomad", "NOMAD_ALLOC_ID=1;NOMAD_JOB_ID=api;NOMAD_NAMESPACE=default", "default", "api" },
		{ "nerdctl", "NERDCTL_CNI_DHCP_HOSTNAME=box;IgnoreUnknown=1", "", "box" },
		{ "Kubernetes before others", "NOMAD_JOB_ID=api;K8S_POD_NAME=web", "", "web" },
		{ "no arguments", "", "", "" },
		{ "a namespace without a name", "K8S_POD_NAMESPACE=shop", "", "" },
		{ "an empty name", "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=", "", "" },
		{ "a key that begins like ours", "K8S_POD_NAME_2=a;XK8S_POD_NAME=b", "", "" },
		{ "no equals sign, empty pairs", ";;K8S_POD_NAME;;", "", "" },
		{ "the last of two", "K8S_POD_NAME=a;K8S_POD_NAME=b", "", "b" },
		{ "a value with an equals sign", "K8S_POD_NAME=a=b", "", "a=b" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct workload got = workload_read(cases[i].args);

		ok(!strcmp(got.namespace, cases[i].namespace) && !strcmp(got.name, cases[i].workload),
		   "%s: \"%s\" \"%s\"", cases[i].name, got.namespace, got.name);
	}
}

static void test_length(void)
{
	char args[WORKLOAD_NAME_MAX + 64];

	snprintf(args, sizeof(args), "K8S_POD_NAME=%0*d", WORKLOAD_NAME_MAX, 0);
	is_int(strlen(workload_read(args).name), WORKLOAD_NAME_MAX,
	       "the longest name that Kubernetes allows is read");
	snprintf(args, sizeof(args), "K8S_POD_NAME=%0*d", WORKLOAD_NAME_MAX + 1, 0);
	ok(!*workload_read(args).name, "a longer name counts as unknown");
}

int main(void)
{
	test_names();
	test_length();
	return done();
}
