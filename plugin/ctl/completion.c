/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cni/conflist.h"
#include "cni/json.h"
#include "ctl/commands.h"
#include "ctl/places.h"

/* The directory that is offered before anything is typed. */
#define CONFS "/etc/cni/net.d/"

/* Calls each() for the possible words of an operand; of "help" they are the names of all commands. */
static void completion_each_word(const struct command *command,
				 void (*each)(const struct command *command, const char *word,
					      const char *what))
{
	for (size_t i = 0; i < COMMAND_WORDS && command->words[i]; i++)
		each(command, command->words[i], "");
	for (size_t i = 0; command->main == help_main && i < n_commands; i++)
		each(command, commands[i].name, commands[i].what);
}

/* Prints text within single quotes. The escape of a quote depends on the shell. */
static void completion_put_quoted(const char *text, const char *escaped_quote)
{
	for (; *text; text++)
		if (*text == '\'')
			fputs(escaped_quote, stdout);
		else
			putchar(*text);
}

static void completion_bash_word(const struct command *command, const char *word, const char *what)
{
	(void)command;
	(void)what;
	printf("%s ", word);
}

static void completion_bash_command(const struct command *command)
{
	printf("\t%s)\n\t\twords='", command->name);
	for (const struct option *option = command->options; option->name; option++)
		printf("%s ", option->name);
	completion_each_word(command, completion_bash_word);
	puts("'");
	if (command->operands & OPERANDS_NETWORKS)
		puts("\t\twords+=$(ipvlanctl completion networks 2>/dev/null)");
	if (command->operands & OPERANDS_FILES)
		puts("\t\tfiles=yes");
	puts("\t\t;;");
}

static void completion_print_bash(void)
{
	fputs("# shellcheck shell=bash\n"
	      "# Completion of ipvlanctl for bash, as \"ipvlanctl completion bash\" prints it.\n"
	      "_ipvlanctl() {\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words='' files=''\n"
	      "\tCOMPREPLY=()\n"
	      "\t[ \"$COMP_CWORD\" != 1 ] || command=''\n"
	      "\tcase $command in\n"
	      "\t'')\n\t\twords='",
	      stdout);
	for (size_t i = 0; i < n_commands; i++)
		printf("%s ", commands[i].name);
	puts("--help --version'\n\t\t;;");
	for (size_t i = 0; i < n_commands; i++)
		completion_bash_command(&commands[i]);
	fputs("\tesac\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	      "\t[ -z \"$files\" ] || mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < "
	      "<(compgen -f -- \"${word:-" CONFS "}\")\n"
	      "}\n"
	      "complete -o filenames -F _ipvlanctl ipvlanctl\n",
	      stdout);
}

static void completion_zsh_word(const struct command *command, const char *word, const char *what)
{
	(void)command;
	(void)what;
	printf("%s ", word);
}

static void completion_zsh_command(const struct command *command)
{
	printf("\t%s)\n\t\t_arguments", command->name);
	for (const struct option *option = command->options; option->name; option++) {
		printf(" '%s[", option->name);
		completion_put_quoted(option->what, "'\\''");
		printf("]%s%s%s'", option->value ? ":" : "", option->value ? option->value : "",
		       option->value ? ": " : "");
	}
	printf(" '*: :_ipvlanctl_operands \"%s%s\" ", command->operands & OPERANDS_FILES ? "f" : "",
	       command->operands & OPERANDS_NETWORKS ? "n" : "");
	completion_each_word(command, completion_zsh_word);
	puts("'\n\t\t;;");
}

static void completion_print_zsh(void)
{
	fputs("#compdef ipvlanctl\n"
	      "# Completion of ipvlanctl for zsh, as \"ipvlanctl completion zsh\" prints it.\n"
	      "_ipvlanctl_operands() {\n"
	      "\tlocal kinds=$1\n"
	      "\tshift\n"
	      "\t(( ! $# )) || compadd -- $@\n"
	      "\t[[ $kinds != *n* ]] || compadd -- ${(f)\"$(ipvlanctl completion networks 2>/dev/null)\"}\n"
	      "\t[[ $kinds != *f* ]] || _files\n"
	      "}\n"
	      "_ipvlanctl() {\n"
	      "\tlocal -a commands=(\n",
	      stdout);
	for (size_t i = 0; i < n_commands; i++) {
		printf("\t\t'%s:", commands[i].name);
		completion_put_quoted(commands[i].what, "'\\''");
		puts("'");
	}
	fputs("\t)\n"
	      "\tif (( CURRENT == 2 )); then\n"
	      "\t\t_describe command commands\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tshift words\n"
	      "\t(( CURRENT-- ))\n"
	      "\tcase $words[1] in\n",
	      stdout);
	for (size_t i = 0; i < n_commands; i++)
		completion_zsh_command(&commands[i]);
	fputs("\tesac\n"
	      "}\n"
	      "if [ \"$funcstack[1]\" = _ipvlanctl ]; then\n"
	      "\t_ipvlanctl \"$@\"\n"
	      "else\n"
	      "\tcompdef _ipvlanctl ipvlanctl\n"
	      "fi\n",
	      stdout);
}

static void completion_fish_word(const struct command *command, const char *word, const char *what)
{
	printf("complete -c ipvlanctl -n '__fish_seen_subcommand_from %s' -a %s -d '", command->name, word);
	completion_put_quoted(what, "\\'");
	puts("'");
}

static void completion_fish_command(const struct command *command)
{
	printf("complete -c ipvlanctl -n __fish_use_subcommand -a %s -d '", command->name);
	completion_put_quoted(command->what, "\\'");
	puts("'");
	for (const struct option *option = command->options; option->name; option++) {
		printf("complete -c ipvlanctl -n '__fish_seen_subcommand_from %s' -%c %s%s -d '",
		       command->name, option->name[1] == '-' ? 'l' : 's',
		       option->name + (option->name[1] == '-' ? 2 : 1), option->value ? " -r" : "");
		completion_put_quoted(option->what, "\\'");
		puts("'");
	}
	if (command->operands & OPERANDS_FILES)
		printf("complete -c ipvlanctl -n '__fish_seen_subcommand_from %s' -F\n", command->name);
	if (command->operands & OPERANDS_NETWORKS)
		printf("complete -c ipvlanctl -n '__fish_seen_subcommand_from %s' -a '(ipvlanctl completion "
		       "networks 2>/dev/null)'\n",
		       command->name);
	completion_each_word(command, completion_fish_word);
}

static void completion_print_fish(void)
{
	puts("# Completion of ipvlanctl for fish, as \"ipvlanctl completion fish\" prints it.\n"
	     "complete -c ipvlanctl -f");
	for (size_t i = 0; i < n_commands; i++)
		completion_fish_command(&commands[i]);
}

/* A shell expands the words that it offers. So a name with other characters is not offered. */
static bool completion_is_network_name(const char *name)
{
	if (!isalnum((unsigned char)*name))
		return false;
	while (isalnum((unsigned char)*name) || (*name && strchr("_.-", *name)))
		name++;
	return !*name;
}

static void completion_print_networks(void)
{
	json_auto_t *files = places_list(NULL);
	const json_t *file;
	size_t i;

	json_array_foreach(files, i, file) {
		json_auto_t *plugins = conflist_read(json_string_value(file), NULL);
		const char *name = json_string_value(json_field(json_array_get(plugins, 0), "name"));

		if (name && completion_is_network_name(name))
			puts(name);
	}
}

int completion_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} kinds[] = { { "bash", completion_print_bash },
		      { "zsh", completion_print_zsh },
		      { "fish", completion_print_fish },
		      { "networks", completion_print_networks } };

	(void)argc;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(argv[1], kinds[i].name)) {
			kinds[i].print();
			return 0;
		}
	return command_misuse("completion");
}
