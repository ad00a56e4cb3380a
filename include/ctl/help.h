/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help for people, from the table of commands.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include "ctl/commands.h"

void help_overview(FILE *out);
void help_usage(FILE *out, const struct command *command);
void help_command(const struct command *command); /* all its help, on standard output */

#endif
