/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "cni/about.h"
#include "cni/plugin.h"
#include "ipam/verbs.h"
#include "plugin/delegate.h"
#include "plugin/verbs.h"

_Static_assert(sizeof((const unsigned char[]){ ADDRPOOL_BUILD_ID }) == BUILD_ID_SIZE, "no SHA1 of addrpool");

static const struct about about = {
	.name = "ipvlan",
	.what = "CNI plugin that gives pods interfaces of type ipvlan",
	.usage = "usage: CNI_COMMAND=ADD | DEL | CHECK | GC | STATUS | VERSION ipvlan <CONFIGURATION\n"
		 "       ipvlan --help | --version\n"
		 "\n"
		 "A container runtime calls it. For people there is ipvlanctl.\n",
	.page = "ipvlan-cni",
};

/* Only people pass arguments; runtimes pass none. */
static int main_answer(int argc, char **argv)
{
	int status;

	return about_answers(&about, argc, argv, &status) ? status : about_refuse(&about);
}

int main(int argc, char **argv)
{
	const char *command = getenv("CNI_COMMAND");

	static const struct delegate_builtin builtin = {
		.build_id = { ADDRPOOL_BUILD_ID },
		.plugin = &addrpool,
		.serves = addrpool_is_alone,
	};

	if (argc > 1 && (!command || !*command))
		return main_answer(argc, argv);
	delegate_use_builtin(&builtin);
	return plugin_main(&ipvlan);
}
