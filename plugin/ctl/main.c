/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/process.h"
#include "ctl/commands.h"
#include "ctl/help.h"
#include "ctl/progress.h"
#include "ctl/text.h"

static bool ctl_asks_for(int argc, char **argv, const char *brief, const char *name)
{
	for (int i = 0; i < argc; i++)
		if (!strcmp(argv[i], brief) || !strcmp(argv[i], name))
			return true;
	return false;
}

static int ctl_run_command(const struct command *command, int argc, char **argv)
{
	if (ctl_asks_for(argc, argv, "-h", "--help")) {
		help_command(command);
		return 0;
	}
	if (!command_accepts(command, argc, argv))
		return command_misuse(command->name);
	if (!command->for_everybody && geteuid() != 0) {
		fprintf(stderr, "ipvlanctl: %s requires root: no other user sees all network namespaces\n",
			argv[0]);
		return EXIT_USAGE;
	}
	text_begin();
	return command->main(argc, argv);
}

/* Finds the command or option in the first argument, and runs it. */
static int ctl_start(int argc, char **argv)
{
	const struct command *command = argc > 0 ? command_find(argv[0]) : NULL;

	if (command)
		return ctl_run_command(command, argc, argv);
	if (argc > 0 && ctl_asks_for(1, argv, "-h", "--help")) {
		help_overview(stdout);
		return 0;
	}
	if (argc > 0 && ctl_asks_for(1, argv, "-V", "--version"))
		return version_main(argc, argv);
	if (argc > 0)
		fprintf(stderr, "ipvlanctl: there is no command \"%s\"\n", argv[0]);
	help_overview(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int status;

	if (process_begin() < 0)
		return EXIT_USAGE;
	status = ctl_start(argc - 1, argv + 1);
	progress_end();
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE) /* the reader has stopped reading, which is not an error */
		fprintf(stderr, "ipvlanctl: cannot write: %m\n");
	return EXIT_USAGE;
}
