/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/help.h"

#include <string.h>

/* Width of a column, with the two blanks after it. */
#define OPTION_WIDTH 20
#define COMMAND_WIDTH 12

void help_overview(FILE *out)
{
	fputs("ipvlanctl: the ipvlan networks of this machine, for people\n"
	      "\n"
	      "usage: ipvlanctl COMMAND [ARGUMENT...]\n"
	      "\n",
	      out);
	for (size_t i = 0; i < n_commands; i++)
		fprintf(out, "  %-*s%s\n", COMMAND_WIDTH, commands[i].name, commands[i].what);
	fputs("\n"
	      "\"ipvlanctl help COMMAND\" explains one. Most require root.\n"
	      "More: man ipvlanctl\n",
	      out);
}

static void help_put_forms(FILE *out, const struct command *command)
{
	for (size_t i = 0; i < COMMAND_FORMS && command->forms[i]; i++)
		fprintf(out, "%s ipvlanctl %s %s\n", i ? "      " : "usage:", command->name,
			command->forms[i]);
}

void help_usage(FILE *out, const struct command *command)
{
	if (command->forms[0]) {
		help_put_forms(out, command);
		return;
	}
	fprintf(out, "usage: ipvlanctl %s", command->name);
	for (const struct option *option = command->options; option->name; option++)
		fprintf(out, " [%s%s%s]", option->name, option->value ? " " : "",
			option->value ? option->value : "");
	fprintf(out, "%s%s\n", command->arguments ? " " : "", command->arguments ? command->arguments : "");
}

void help_command(const struct command *command)
{
	char name[64];

	help_usage(stdout, command);
	printf("\n%s: %s.\n", command->name, command->what);
	if (command->more)
		printf("\n%s", command->more);
	if (command->options[0].name)
		putchar('\n');
	for (const struct option *option = command->options; option->name; option++) {
		snprintf(name, sizeof(name), "%s %s", option->name, option->value ? option->value : "");
		printf("  %-*s%s\n", OPTION_WIDTH, name, option->what);
	}
	puts("\nMore: man ipvlanctl");
}

int help_main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;

	if (command) {
		help_command(command);
		return 0;
	}
	if (argc == 1) {
		help_overview(stdout);
		return 0;
	}
	fprintf(stderr, "ipvlanctl: there is no command \"%s\"\n", argv[1]);
	help_overview(stderr);
	return EXIT_USAGE;
}

int version_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	about_print_version("ipvlanctl");
	return 0;
}
