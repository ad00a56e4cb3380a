/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of ipvlanctl. Each has a file in plugin/ctl/ and a row in one table, from which usage,
 * help and completion are made. ipvlanctl rejects arguments that the row does not have before it calls
 * the command.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/about.h"

struct option {
	const char *name;  /* "--json" */
	const char *value; /* the name of its value, "MODE"; NULL: it has none */
	const char *what;  /* in a few words, without a full stop */
};

/* Kinds of operands that the completion offers beside the words of the row. */
#define OPERANDS_FILES 1
#define OPERANDS_NETWORKS 2

#define COMMAND_OPTIONS 8
#define COMMAND_WORDS 12
#define COMMAND_FORMS 8
#define ANY_NUMBER (-1)

struct command {
	const char *name;
	const char *arguments;		  /* operands in the usage, after all options */
	const char *forms[COMMAND_FORMS]; /* usages of a command that has several */
	const char *what;		  /* in a few words, without a full stop */
	const char *more;		  /* paragraphs of its help, or NULL */
	int (*main)(int argc, char **argv);
	struct option options[COMMAND_OPTIONS];
	int min, max;			  /* number of operands; max ANY_NUMBER: any */
	int operands;			  /* OPERANDS_* */
	bool for_everybody;		  /* requires no root */
	const char *words[COMMAND_WORDS]; /* possible operands */
};

extern const struct command commands[];
extern const size_t n_commands;

const struct command *command_find(const char *name); /* NULL: there is none */

/* Checks the arguments against the row. Names an unknown option on standard error. */
bool command_accepts(const struct command *command, int argc, char **argv);

/* Prints the usage of the command on standard error. Returns EXIT_USAGE. */
int command_misuse(const char *name);

/* Removes an option from the arguments. Returns its value: "" if it takes none, NULL if it was not given,
 * the last one if it was given twice. */
const char *option_take(int *argc, char **argv, const char *name);

/* argv[0] is the command. All return main()'s exit status. */
int show_main(int argc, char **argv);
int status_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int try_main(int argc, char **argv);
int repair_main(int argc, char **argv);
int gc_main(int argc, char **argv);
int pools_main(int argc, char **argv);
int init_main(int argc, char **argv);
int report_main(int argc, char **argv);
int completion_main(int argc, char **argv);
int help_main(int argc, char **argv);
int version_main(int argc, char **argv);

#endif
