#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cni/conflist.h"
#include "cni/json.h"
#include "cni/result.h"
#include "ctl/call.h"
#include "ctl/commands.h"
#include "ctl/ping.h"
#include "ctl/report.h"
#include "ctl/text.h"
#include "net/netns.h"

#define IFNAME "eth0"
#define OTHERS_MAX 16

/* A pod that there is for as long as it is tried. */
struct trial {
	struct report report;
	struct call call;
	const json_t *plugins;
	json_t *result; /* of ADD */
	struct result given;
	char container[40], path[40];
	pid_t pid;
	int netns;
};

static void headline(const char *step, const char *what)
{
	text_put(BOLD, "%s", step);
	text_put(DIM, "  %s", what);
	text_end();
}

static int open_own_netns(struct trial *trial, struct cni_error *err)
{
	if (netns_open(trial->path, false, &trial->netns, err) != NETNS_OPEN)
		return -1;
	trial->call = (struct call){ .container = trial->container, .netns = trial->path, .ifname = IFNAME };
	return 0;
}

/* A process in a namespace of its own, which dies with us. */
static int make_pod(struct trial *trial, struct cni_error *err)
{
	int ready[2];
	char byte = 0;
	ssize_t len;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return cni_fail(err, CNI_RETRY, "cannot make a pipe: %s", errno_text(errno));
	fflush(stdout);
	trial->pid = fork();
	if (trial->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) < 0 || write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	len = trial->pid < 0 ? -1 : read(ready[0], &byte, 1);
	close(ready[0]);
	if (len != 1)
		return cni_fail(err, CNI_IO, "cannot make a network namespace");
	snprintf(trial->container, sizeof(trial->container), "ipvlanctl-try-%d", (int)getpid());
	snprintf(trial->path, sizeof(trial->path), "/proc/%d/ns/net", (int)trial->pid);
	return open_own_netns(trial, err);
}

static void end_pod(struct trial *trial)
{
	if (trial->netns >= 0)
		close(trial->netns);
	if (trial->pid > 0 && kill(trial->pid, SIGKILL) == 0)
		waitpid(trial->pid, NULL, 0);
}

static int find_link(void *arg, struct cni_error *err)
{
	(void)err;
	*(unsigned int *)arg = if_nametoindex(IFNAME);
	return 0;
}

static void try_to_reach(struct trial *trial, const struct ip *to, const char *what)
{
	struct cni_error err = { 0 };
	double ms = 0;

	switch (ping(trial->netns, to, &ms, &err)) {
	case FOUND:
		report(&trial->report, OK, what, NULL, "%s answers after %.1f ms", ip_text(to).s, ms);
		break;
	case FOUND_NOT:
		report(&trial->report, WARNING, what,
		       "does it answer this machine? ipvlanctl doctor looks at master, mode and gateway. A "
		       "pod "
		       "reaches its own machine with hostAccess alone",
		       "%s does not answer", ip_text(to).s);
		break;
	default:
		report(&trial->report, WARNING, what,
		       "the pod needs a route there: \"routes\" in ipam or beside it", "%s", err.msg);
	}
}

/* Its gateways, and what the user names. */
static void reach(struct trial *trial, const struct ip *others, int n)
{
	size_t asked = 0;

	headline("reach", "echo requests from inside the pod");
	for (size_t i = 0; i < trial->given.n_ips; i++)
		if (trial->given.ips[i].gateway.family && ++asked)
			try_to_reach(trial, &trial->given.ips[i].gateway, "gateway");
	for (int i = 0; i < n && ++asked; i++)
		try_to_reach(trial, &others[i], "address");
	if (!asked)
		report(&trial->report, OK, "gateway", NULL,
		       "there is none to ask; others are, with ipvlanctl try CONF ADDRESS...");
}

static void tell_given(struct trial *trial)
{
	const struct result *given = &trial->given;

	for (size_t i = 0; i < given->n_ips; i++) {
		const struct ip *gateway = &given->ips[i].gateway;

		report(&trial->report, OK, "address", NULL, "%s%s%s", prefix_text(&given->ips[i].address).s,
		       gateway->family ? ", gateway " : "", gateway->family ? ip_text(gateway).s : "");
	}
	for (size_t i = 0; i < given->n_routes; i++) {
		const struct ip *gw = &given->routes[i].gw;

		report(&trial->report, OK, "route", NULL, "%s%s%s", prefix_text(&given->routes[i].dst).s,
		       gw->family ? " via " : "", gw->family ? ip_text(gw).s : "");
	}
}

static int read_given(struct trial *trial, struct cni_error *err)
{
	const char *text = json_string_value(json_field(trial->result, "cniVersion"));
	const int version = version_find(text ? text : "");

	if (version < 0)
		return cni_fail(err, CNI_VERSION, "the result has no version that is known");
	return result_read(&trial->given, trial->result, (enum cni_version)version, err);
}

static int add(struct trial *trial)
{
	struct cni_error err = { 0 };

	headline("ADD", "what a runtime calls for a new pod; here its namespace is made for the trial");
	trial->result = call_add(&trial->call, trial->plugins, &err);
	if (trial->result && read_given(trial, &err) == 0) {
		tell_given(trial);
		return 0;
	}
	report_error(&trial->report, ERROR, "ADD", &err);
	return -1;
}

static void check(struct trial *trial)
{
	struct cni_error err = { 0 };

	headline("CHECK", "is everything still as ADD has left it?");
	if (call_check(&trial->call, trial->plugins, trial->result, &err) == 0)
		report(&trial->report, OK, "CHECK", NULL, "it is");
	else
		report_error(&trial->report, ERROR, "CHECK", &err);
}

/* A runtime may call it more than once, and after an ADD that has failed. */
static void del(struct trial *trial)
{
	struct cni_error err = { 0 };
	unsigned int index = 0;

	headline("DEL", "twice, as a runtime may: the second time nothing is there any more");
	for (int i = 0; i < 2 && !err.code; i++)
		call_del(&trial->call, trial->plugins, trial->result, &err);
	if (err.code)
		report_error(&trial->report, ERROR, "DEL", &err);
	else if (netns_run(trial->netns, find_link, &index, &err) < 0 || index)
		report(&trial->report, ERROR, "DEL", NULL, "it has left " IFNAME " in the pod");
	else
		report(&trial->report, OK, "DEL", NULL, "the interface is gone, and the addresses are free");
}

static void run(struct trial *trial, const struct ip *others, int n)
{
	if (add(trial) == 0) {
		reach(trial, others, n);
		check(trial);
	}
	del(trial);
	result_free(&trial->given);
	json_decref(trial->result);
}

static int try_file(const char *file, const struct ip *others, int n)
{
	struct trial trial = { .report.worst = OK, .netns = -1 };
	struct cni_error err = { 0 };
	json_auto_t *plugins = conflist_read(file, &err);

	trial.plugins = plugins;
	if (plugins && make_pod(&trial, &err) == 0)
		run(&trial, others, n);
	else
		report_error(&trial.report, ERROR, plugins ? "pod" : file, &err);
	end_pod(&trial);
	return (int)trial.report.worst;
}

int try_main(int argc, char **argv)
{
	struct ip others[OTHERS_MAX];

	for (int i = 2; i < argc; i++)
		if (i - 2 == OTHERS_MAX || !ip_parse(argv[i], &others[i - 2])) {
			fprintf(stderr, "ipvlanctl: \"%s\" is no address, or one too many\n", argv[i]);
			return EXIT_USAGE;
		}
	if (argc < 2) {
		fputs("usage: ipvlanctl try CONF [ADDRESS...]\n", stderr);
		return EXIT_USAGE;
	}
	return try_file(argv[1], others, argc - 2);
}
