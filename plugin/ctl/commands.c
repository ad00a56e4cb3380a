/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "ctl/help.h"

const struct command commands[] = {
	{
		.name = "doctor",
		.arguments = "[CONF...]",
		.what = "what is wrong, and what to do about it",
		.more = "CONF is a network configuration (.conf), a list (.conflist), a directory, or a\n"
			"NetworkAttachmentDefinition as JSON; without one, all of /etc/cni/net.d, and what "
			"running\n"
			"pods have from elsewhere. Exit status: 0 ok, 1 warnings, 2 errors. Nothing is "
			"changed.\n",
		.main = doctor_main,
		.options = { { "--json", NULL, "print the findings as one JSON document" },
			     { "--quiet", NULL, "print warnings and errors alone" } },
		.operands = OPERANDS_FILES,
		.max = ANY_NUMBER,
	},
	{
		.name = "show",
		.arguments = "[POD | NETWORK | ADDRESS | MASTER]",
		.what = "networks and pods, and what is wrong with them",
		.main = show_main,
		.options = { { "-v", NULL, "print a tree with all that is known" },
			     { "--verbose", NULL, "the same" },
			     { "--json", NULL, "print one JSON document" },
			     { "--dot", NULL, "print a drawing for graphviz" } },
		.operands = OPERANDS_NETWORKS,
		.max = 1,
	},
	{
		.name = "status",
		.what = "is all well? a line for each concern, for monitoring",
		.more = "Sends nothing and asks no engine. Exit status: 0 ok, 1 warnings or errors.\n",
		.main = status_main,
		.options = { { "--json", NULL, "print one JSON document" },
			     { "--prometheus", NULL,
			       "print metrics for the textfile collector of node_exporter" } },
	},
	{
		.name = "init",
		.what = "propose a network for this machine's LAN",
		.more = "It asks the LAN for a range that nobody uses, prints a configuration, and says on "
			"standard\n"
			"error what it chose and why. \"ipvlanctl init && ipvlanctl try\" tries it before "
			"anything is\n"
			"written. l3s gives pods a subnet of their own and the address of this machine "
			"outside.\n",
		.main = init_main,
		.options = { { "--master", "LINK", "the interface; default: that of the default route" },
			     { "--mode", "MODE", "l2 (default), l3 or l3s" },
			     { "--name", "NAME", "of the network; default: lan" },
			     { "--range", "FIRST-LAST", "addresses for pods; default: a free block" },
			     { "--write", NULL, "write it to /etc/cni/net.d, where it is new" } },
	},
	{
		.name = "try",
		.arguments = "[CONF] [ADDRESS...]",
		.what = "ADD, pings, CHECK and DEL, with a pod that is made for it",
		.more = "Without CONF, a network or a file, it tries what \"ipvlanctl init\" proposed last, "
			"or else\n"
			"each network of ipvlan in /etc/cni/net.d. The pod sends echo requests to its "
			"gateways\n"
			"and to each ADDRESS.\n"
			"Exit status: 0 ok, 1 warnings, 2 errors. Nothing is left.\n",
		.main = try_main,
		.operands = OPERANDS_NETWORKS | OPERANDS_FILES,
		.max = ANY_NUMBER,
	},
	{
		.name = "pools",
		.forms = { "[--json] [NETWORK | FILE]...",
			   "release [--force] [--network NAME] ADDRESS | CONTAINER",
			   "release-node [--yes] NETWORK | FILE NODE" },
		.what = "address pools and leases: list them, release what was left",
		.more = "NETWORK is a name in /etc/cni/net.d; without one, all networks there are listed.\n"
			"release is for an address whose pod is gone, or for all of a container; it refuses\n"
			"while the pod lives. release-node shows the blocks that a node which is gone for "
			"good\n"
			"has of a shared pool, and releases them with --yes.\n",
		.main = pools_main,
		.options = { { "--json", NULL, "print one JSON document" },
			     { "--force", NULL, "release although the pod lives, or may live" },
			     { "--network", "NAME", "of this network alone" },
			     { "--yes", NULL, "take the blocks from the node" } },
		.operands = OPERANDS_NETWORKS | OPERANDS_FILES,
		.max = ANY_NUMBER,
		.words = { "release", "release-node" },
	},
	{
		.name = "gc",
		.what = "release what is held for pods that are gone",
		.more = "Without --yes it lists what it would release.\n",
		.main = gc_main,
		.options = { { "--yes", NULL, "release it" } },
	},
	{
		.name = "repair",
		.arguments = "[NETWORK | CONTAINER]",
		.what = "make again what running pods lack on the host",
		.main = repair_main,
		.options = { { "--dry-run", NULL, "list it, and change nothing" } },
		.operands = OPERANDS_NETWORKS,
		.max = 1,
	},
	{
		.name = "report",
		.arguments = "[FILE]",
		.what = "one archive with all that helps to find a fault",
		.more = "Makes FILE, by itself ipvlanctl-report-HOST-DATE.tar, which root alone may read; "
			"\"-\" is\n"
			"standard output. It has versions, configurations without their secrets, what doctor "
			"and\n"
			"show say, leases, and links, addresses and routes of the host and of pods.\n",
		.main = report_main,
		.operands = OPERANDS_FILES,
		.max = 1,
	},
	{
		.name = "completion",
		.arguments = "bash | zsh | fish",
		.what = "print the completion script for a shell",
		.more = "It is installed already where the package or make install put it. For this shell "
			"alone:\n"
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
		.what = "what a command does, and its options",
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

int command_refuse(const char *name)
{
	help_usage(stderr, command_find(name));
	return EXIT_USAGE;
}

/* Does arg begin with the option? Then *value is what comes after "=", or NULL. */
static bool option_matches(const char *arg, const char *name, const char **value)
{
	const size_t len = strlen(name);

	if (strncmp(arg, name, len) != 0 || (arg[len] && arg[len] != '='))
		return false;
	*value = arg[len] ? arg + len + 1 : NULL;
	return true;
}

/* That of the table which takes a value as argv[i] does. */
static const struct option *option_find(const struct command *command, int argc, char **argv, int i,
					int *used)
{
	const char *value;

	for (const struct option *option = command->options;
	     option < command->options + COMMAND_OPTIONS && option->name; option++) {
		if (!option_matches(argv[i], option->name, &value))
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
		const struct option *option = option_find(command, *argc, argv, i, &used);
		const char *value = NULL;

		if (!option)
			used = 1;
		if (option && !strcmp(option->name, name)) {
			option_matches(argv[i], name, &value);
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
		if (!option_find(command, argc, argv, i, &used)) {
			fprintf(stderr, "ipvlanctl: %s has no option \"%s\", or it lacks its value\n",
				argv[0], argv[i]);
			return false;
		}
	}
	return operands >= command->min && (operands <= command->max || command->max == ANY_NUMBER);
}
