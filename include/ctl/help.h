/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the table of commands says to people.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include "ctl/commands.h"

void help_overview(FILE *out);
void help_usage(FILE *out, const struct command *command);
void help_command(const struct command *command); /* all of it, on standard output */

#endif
