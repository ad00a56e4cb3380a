#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/text.h"

static const char usage[] =
	"usage: ipvlanctl show [--json | --dot]     ipvlan interfaces, who has them, pools\n"
	"       ipvlanctl doctor [CONF...]          what is wrong, and what to do about it\n"
	"       ipvlanctl try CONF [ADDRESS...]     ADD, pings, CHECK, DEL with a pod made for it\n"
	"       ipvlanctl gc [--yes]                give back what is held for pods that are gone\n"
	"       ipvlanctl --help | --version\n"
	"\n"
	"CONF is a network configuration (.conf) or a list (.conflist); doctor looks at all\n"
	"of /etc/cni/net.d by itself. Needs root. More: man ipvlanctl\n";

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "show", show_main },
	{ "doctor", doctor_main },
	{ "try", try_main },
	{ "gc", gc_main },
};

static int run(int (*command)(int argc, char **argv), int argc, char **argv)
{
	int status;

	if (geteuid() != 0) {
		fprintf(stderr, "ipvlanctl: %s needs root, who alone sees all network namespaces\n", argv[0]);
		return EXIT_USAGE;
	}
	text_begin();
	status = command(argc, argv);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "ipvlanctl: cannot write: %m\n");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return fputs(usage, stdout) < 0;
	if (!strcmp(command, "--version")) {
		puts("ipvlanctl " PROJECT_VERSION " (ipvlan-cni)");
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(command, commands[i].name))
			return run(commands[i].main, argc - 1, argv + 1);
	if (*command)
		fprintf(stderr, "ipvlanctl: there is no command \"%s\"\n", command);
	fputs(usage, stderr);
	return EXIT_USAGE;
}
