/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "ctl/help.h"

const struct command commands[] = {
	{
		.name = "doctor",
		.arguments = "[CONF...]",
		.what = "find faults, and name their remedies",
		.more = "CONF is a network configuration (.conf), a list (.conflist), a directory, or a\n"
			"NetworkAttachmentDefinition as JSON or YAML. Default: all networks. Changes "
			"nothing.\n"
			"Exit status: 0 ok, 1 warnings, 2 errors.\n",
		.main = doctor_main,
		.options = { { "--json", NULL, "print the findings as one JSON document" },
			     { "--quiet", NULL, "print only warnings and errors" } },
		.operands = OPERANDS_FILES,
		.max = ANY_NUMBER,
	},
	{
		.name = "show",
		.arguments = "[POD | NETWORK | ADDRESS | MASTER]",
		.what = "list networks and pods with their faults",
		.main = show_main,
		.options = { { "-v", NULL, "print a tree with all details" },
			     { "--verbose", NULL, "the same" },
			     { "--json", NULL, "print one JSON document" },
			     { "--dot", NULL, "print a drawing for graphviz" } },
		.operands = OPERANDS_NETWORKS,
		.max = 1,
	},
	{
		.name = "status",
		.what = "print a line for each concern, for monitoring",
		.more = "Sends no packet and asks no engine of a cluster. Exit status: 0 ok, 1 warnings or "
			"errors.\n",
		.main = status_main,
		.options = { { "--json", NULL, "print one JSON document" },
			     { "--prometheus", NULL,
			       "print metrics for the textfile collector of node_exporter" } },
	},
	{
		.name = "init",
		.what = "propose a network for this machine's LAN",
		.more = "Asks the LAN for a range in which no host answers. Prints a configuration, and on\n"
			"standard error its choices with their reasons. \"ipvlanctl init && ipvlanctl try\"\n"
			"tries it before anything is written. In l3s pods have a subnet of their own, and\n"
			"outside the address of this machine.\n",
		.main = init_main,
		.options = { { "--master", "LINK", "the interface; default: that of the default route" },
			     { "--mode", "MODE", "l2 (default), l3 or l3s" },
			     { "--name", "NAME", "of the network; default: lan" },
			     { "--range", "FIRST-LAST", "addresses for pods; default: a free block" },
			     { "--write", NULL, "write it to a new file in /etc/cni/net.d" } },
	},
	{
		.name = "try",
		.arguments = "[CONF] [ADDRESS...]",
		.what = "try ADD, pings, CHECK and DEL with a trial pod",
		.more = "CONF is a network or a file. Default: the last proposal of \"ipvlanctl init\", or "
			"else\n"
			"each network of ipvlan in /etc/cni/net.d. The pod sends echo requests to its\n"
			"gateways and to each ADDRESS. DEL removes everything again.\n"
			"Exit status: 0 ok, 1 warnings, 2 errors.\n",
		.main = try_main,
		.operands = OPERANDS_NETWORKS | OPERANDS_FILES,
		.max = ANY_NUMBER,
	},
	{
		.name = "pools",
		.forms = { "[--json] [NETWORK | FILE]...",
			   "release [--force] [--network NAME] ADDRESS | CONTAINER",
			   "release-node [--yes] NETWORK | FILE NODE", "confirm NETWORK | FILE",
			   "identities [--json] NETWORK | FILE",
			   "reserve NETWORK | FILE IDENTITY ADDRESS[,ADDRESS]",
			   "release-identity [--forget] NETWORK | FILE IDENTITY" },
		.what = "list address pools and leases, release leases",
		.more = "NETWORK is a network's name. Default: all networks.\n"
			"release releases an address, or all addresses of a container. It fails while the\n"
			"pod exists. release-node lists the blocks of a shared pool that belong to a node\n"
			"which will not return, and releases them with --yes. confirm asks the engine of a\n"
			"shared pool at once whether it has this node's blocks and identities: call it on\n"
			"each node after the engine was restored from a backup.\n"
			"identities lists workloads that keep their addresses on each node; reserve keeps\n"
			"addresses for one; release-identity lets another node have it: its pod must not "
			"run.\n",
		.main = pools_main,
		.options = { { "--json", NULL, "print one JSON document" },
			     { "--force", NULL, "release although the pod exists, or may exist" },
			     { "--network", "NAME", "release only in this network" },
			     { "--yes", NULL, "release the blocks" },
			     { "--forget", NULL, "the identity loses its addresses as well" } },
		.operands = OPERANDS_NETWORKS | OPERANDS_FILES,
		.max = ANY_NUMBER,
		.words = { "release", "release-node", "confirm", "identities", "reserve",
			   "release-identity" },
	},
	{
		.name = "gc",
		.what = "release addresses and objects of pods that are gone",
		.more = "Without --yes it lists them. It also returns blocks of a shared pool, and "
			"identities,\n"
			"that no pod of this node uses.\n",
		.main = gc_main,
		.options = { { "--yes", NULL, "release them" },
			     { "--quiet", NULL, "with --yes, print nothing if there is nothing" } },
	},
	{
		.name = "repair",
		.arguments = "[NETWORK | CONTAINER]",
		.what = "restore objects on the host that running pods lack",
		.main = repair_main,
		.options = { { "--dry-run", NULL, "list them, and change nothing" } },
		.operands = OPERANDS_NETWORKS,
		.max = 1,
	},
	{
		.name = "report",
		.arguments = "[FILE]",
		.what = "make one archive for a bug report",
		.more = "Makes FILE, which only root may read. Default: ipvlanctl-report-HOST-DATE.tar; "
			"\"-\" is\n"
			"standard output. It has versions, configurations without secrets, the output of\n"
			"doctor and show, leases, and links, addresses and routes of the host and of pods.\n",
		.main = report_main,
		.operands = OPERANDS_FILES,
		.max = 1,
	},
	{
		.name = "completion",
		.arguments = "bash | zsh | fish",
		.what = "print the completion script for a shell",
		.more = "The package and make install install it. For this shell alone:\n"
			"  source <(ipvlanctl completion bash)\n"
			"\"ipvlanctl completion networks\" prints the names of the networks in "
			"/etc/cni/net.d.\n",
		.main = completion_main,
		.min = 1,
		.max = 1,
		.for_everybody = true,
		.words = { "bash", "zsh", "fish" },
	},
	{
		.name = "help",
		.arguments = "[COMMAND]",
		.what = "print help for a command",
		.main = help_main,
		.max = 1,
		.for_everybody = true,
	},
	{
		.name = "version",
		.what = "print the version",
		.main = version_main,
		.for_everybody = true,
	},
};

const size_t n_commands = sizeof(commands) / sizeof(*commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < n_commands; i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

int command_misuse(const char *name)
{
	help_usage(stderr, command_find(name));
	return EXIT_USAGE;
}

/* Is arg the option? *value is the text after "=", or NULL. */
static bool commands_option_matches(const char *arg, const char *name, const char **value)
{
	const size_t len = strlen(name);

	if (strncmp(arg, name, len) != 0 || (arg[len] && arg[len] != '='))
		return false;
	*value = arg[len] ? arg + len + 1 : NULL;
	return true;
}

/* Finds the option argv[i] in the table, if its value is given as the table has it. used: arguments with it.
 */
static const struct option *commands_option_find(const struct command *command, int argc, char **argv, int i,
						 int *used)
{
	const char *value;

	for (const struct option *option = command->options;
	     option < command->options + COMMAND_OPTIONS && option->name; option++) {
		if (!commands_option_matches(argv[i], option->name, &value))
			continue;
		*used = option->value && !value ? 2 : 1;
		return (value && !option->value) || i + *used > argc ? NULL : option;
	}
	return NULL;
}

const char *option_take(int *argc, char **argv, const char *name)
{
	const struct command *command = command_find(argv[0]);
	const char *found = NULL;
	int kept = 1, used = 1;

	for (int i = 1; i < *argc; i += used) {
		const struct option *option = commands_option_find(command, *argc, argv, i, &used);
		const char *value = NULL;

		if (!option)
			used = 1;
		if (option && !strcmp(option->name, name)) {
			commands_option_matches(argv[i], name, &value);
			found = used == 2 ? argv[i + 1] : value ? value : "";
			continue;
		}
		for (int k = 0; k < used; k++)
			argv[kept++] = argv[i + k];
	}
	*argc = kept;
	return found;
}

bool command_accepts(const struct command *command, int argc, char **argv)
{
	int used, operands = 0;

	for (int i = 1; i < argc; i += used) {
		used = 1;
		if (*argv[i] != '-' || !argv[i][1]) {
			operands++;
			continue;
		}
		if (!commands_option_find(command, argc, argv, i, &used)) {
			fprintf(stderr, "ipvlanctl: %s has no option \"%s\", or the option lacks its value\n",
				argv[0], argv[i]);
			return false;
		}
	}
	return operands >= command->min && (operands <= command->max || command->max == ANY_NUMBER);
}
