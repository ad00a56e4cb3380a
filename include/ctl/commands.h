/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ipvlanctl does: a file of plugin/ctl/ each, and a row of one table, of which usage, help and
 * completion are made. Arguments that the row does not have are refused before the command is called.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/about.h"

struct option {
	const char *name;  /* "--json" */
	const char *value; /* what comes after it, "MODE"; NULL: nothing */
	const char *what;  /* in a few words, without a full stop */
};

/* What operands may be, for the completion, beside the words of the row. */
#define OPERANDS_FILES 1
#define OPERANDS_NETWORKS 2

#define COMMAND_OPTIONS 8
#define COMMAND_WORDS 12
#define COMMAND_FORMS 4
#define ANY_NUMBER (-1)

struct command {
	const char *name;
	const char *arguments;		  /* operands as the usage shows them, behind all options */
	const char *forms[COMMAND_FORMS]; /* in their place, if it can be called in several ways */
	const char *what;		  /* in a few words, without a full stop */
	const char *more;		  /* paragraphs of its help, or NULL */
	int (*main)(int argc, char **argv);
	struct option options[COMMAND_OPTIONS];
	int min, max;			  /* number of operands; max ANY_NUMBER: any */
	int operands;			  /* OPERANDS_* */
	bool for_everybody;		  /* it does not require root */
	const char *words[COMMAND_WORDS]; /* that an operand may be */
};

extern const struct command commands[];
extern const size_t n_commands;

const struct command *command_find(const char *name); /* NULL: there is none */

/* Do the arguments fit to the row? If an option does not, standard error says which. */
bool command_accepts(const struct command *command, int argc, char **argv);

/* Prints the usage of the command on standard error. Returns EXIT_USAGE. */
int command_refuse(const char *name);

/* Takes an option out of the arguments. The value is "" where it has none; NULL: it was not given. The
 * last one counts. */
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
