/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/prctl.h>

#include "cni/process.h"
#include "ipam/verbs.h"

int main(int argc, char **argv)
{
	const char *command = getenv("CNI_COMMAND");

	/* neither addrpool nor addrpool-claim runs a setuid program */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (argc > 1 && (!command || !*command))
		return process_begin() < 0 ? 1 : list_main(argc, argv);
	return plugin_main(&addrpool);
}
