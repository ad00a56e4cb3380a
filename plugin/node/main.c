/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipvlan-node: makes again, within a second, what running pods lose to what happens to the host. In a cluster
 * it also places on its node what pods require: programs, a kubeconfig, a network configuration.
 *
 * It has no state of its own: killed at any moment it loses nothing, and when it starts it looks at
 * everything. Each repair and each pass is a child, so that what it needs of memory goes with it, and so that
 * it may be waited for without being deaf.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cni/about.h"
#include "cni/log.h"
#include "cni/process.h"
#include "node/capabilities.h"
#include "node/notify.h"
#include "node/repairs.h"
#include "node/serve.h"
#include "node/upkeep.h"

static const struct about about = {
	.name = "ipvlan-node",
	.what = "makes again what running pods lose to what happens to the host",
	.usage =
		"usage: ipvlan-node [OPTION]...\n"
		"       ipvlan-node uninstall [--keep-dir DIRECTORY]\n"
		"       ipvlan-node is-ready FILE\n"
		"       ipvlan-node --help | --version\n"
		"\n"
		"A service that runs until it is terminated. It requires root. Without options it repairs.\n"
		"\n"
		"  --install-from DIRECTORY    installs ipvlan, addrpool and addrpool-claim from there\n"
		"  --bin-dir DIRECTORY         where to (/opt/cni/bin)\n"
		"  --conf-template FILE        writes the network configuration of this node from it\n"
		"  --conf-dir DIRECTORY        where to (/etc/cni/net.d)\n"
		"  --node NAME                 the node's name ($NODE_NAME, or the host's name)\n"
		"  --account-dir DIRECTORY     writes a kubeconfig with the token and ca.crt that are there\n"
		"  --kubeconfig FILE           where to\n"
		"  --server URL                of the API ($KUBERNETES_SERVICE_HOST and _PORT)\n"
		"  --keep-dir DIRECTORY        copies of what it replaced (/var/lib/ipvlan-node)\n"
		"  --uninstall-last            at its end undoes all this, unless another instance runs\n"
		"  --ready-file FILE           exists while all is in place\n"
		"  --gc SECONDS                calls ipvlanctl gc --yes so often\n"
		"  --listen [ADDRESS:]PORT     serves /metrics and /healthz (127.0.0.1)\n"
		"  --host-mounts               repairs with the files of process 1, from a container\n"
		"  --no-repair, --repair       repairs nothing; repairs, which is the default\n",
	.page = "ipvlan-node",
};

struct node {
	struct host host;
	struct repairs repairs;
	struct upkeep upkeep;
	struct serve serve;
	int signals;
	bool over; /* a signal has asked it to end */
};

static int node_open_signals(struct node *node, struct cni_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	node->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return node->signals < 0 ? cni_fail(err, CNI_IO, "signalfd: %s", errno_text(errno)) : 0;
}

static int node_open(struct node *node, const struct options *options, struct cni_error *err)
{
	if (node_open_signals(node, err) < 0 || host_open(&node->host, options, err) < 0 ||
	    repairs_open(&node->repairs, &node->host, err) < 0 ||
	    upkeep_open(&node->upkeep, &node->host, err) < 0 ||
	    serve_open(&node->serve, &node->host, options, err) < 0)
		return -1;
	return capabilities_drop(options, err);
}

static int node_close(struct node *node, struct cni_error *err)
{
	serve_close(&node->serve);
	repairs_close(&node->repairs);
	host_close(&node->host);
	return upkeep_close(&node->upkeep, node->over, err);
}

static void node_read_signals(struct node *node)
{
	struct signalfd_siginfo info;

	while (read(node->signals, &info, sizeof(info)) == sizeof(info))
		node->over |= info.ssi_signo != SIGCHLD;
}

/* *timeout: -1 is never. */
static void node_at(long long at, long long now, int *timeout)
{
	const int left = at > now ? (int)(at - now) : 0;

	if (at >= 0 && (*timeout < 0 || left < *timeout))
		*timeout = left;
}

/* Until something must be done without an event; -1: never. */
static int node_timeout(const struct node *node)
{
	const long long now = process_now_ms();
	int timeout = serve_timeout(&node->serve);

	node_at(repairs_next(&node->repairs), now, &timeout);
	node_at(upkeep_next(&node->upkeep), now, &timeout);
	return timeout;
}

static void node_act(struct node *node)
{
	repairs_act(&node->repairs, process_now_ms());
	upkeep_act(&node->upkeep, process_now_ms());
	node->serve.ill = !node->upkeep.ready ? "not everything is in place; the log has the reason\n"
			  : repairs_failed(&node->repairs)
				  ? "the last repair failed; the log has the reason\n"
				  : NULL;
	serve_run(&node->serve);
}

/* A descriptor of -1 is passed over. */
static int node_turn(struct node *node)
{
	enum { SIGNALS, CHANGES, SERVE, WATCH };
	struct pollfd fds[WATCH + WATCH_SOURCES] = {
		[SIGNALS] = { .fd = node->signals, .events = POLLIN },
		[CHANGES] = { .fd = node->upkeep.changes, .events = POLLIN },
		[SERVE] = { .fd = serve_descriptor(&node->serve), .events = POLLIN },
	};

	for (int i = 0; i < WATCH_SOURCES; i++)
		fds[WATCH + i] =
			(struct pollfd){ .fd = watch_descriptor(&node->repairs.watch, i), .events = POLLIN };
	if (poll(fds, WATCH + WATCH_SOURCES, node_timeout(node)) < 0 && errno != EINTR)
		return -1;
	if (fds[SIGNALS].revents)
		node_read_signals(node);
	if (fds[CHANGES].revents)
		upkeep_read(&node->upkeep);
	for (int i = 0; i < WATCH_SOURCES; i++)
		if (fds[WATCH + i].revents)
			repairs_read(&node->repairs, i);
	node_act(node);
	return 0;
}

static int node_run(const struct options *options, struct cni_error *err)
{
	struct node node = {
		.signals = -1,
		.host = { .mounts = -1, .ipvlanctl = -1 },
		.upkeep = { .changes = -1,
			    .pass = { .options = options, .place = { .instances = -1, .running = -1 } } },
	};
	int rc = node_open(&node, options, err);

	if (rc == 0)
		notify("READY=1");
	while (rc == 0 && !node.over)
		if (node_turn(&node) < 0)
			rc = cni_fail(err, CNI_IO, "poll: %s", errno_text(errno));
	return node_close(&node, err) < 0 ? -1 : rc;
}

static int node_uninstall(const struct options *options, struct cni_error *err)
{
	struct place place;
	int rc = place_open(&place, options->keep_dir, err);

	if (rc == 0 && !place_is_last(&place)) {
		rc = cni_fail(err, CNI_RETRY, "another ipvlan-node runs on this node");
		cni_hint(err, "it would install everything again: end it first");
	} else if (rc == 0) {
		rc = place_undo(&place, err);
	}
	place_close(&place);
	return rc;
}

static int node_main(int argc, char **argv)
{
	const bool uninstall = argc > 1 && !strcmp(argv[1], "uninstall");
	struct cni_error err = { 0 };
	struct options options;

	if (options_read(&options, argc - uninstall, argv + uninstall) < 0)
		return about_refuse(&about);
	if (geteuid() != 0) {
		fputs("ipvlan-node: requires root\n", stderr);
		return EXIT_USAGE;
	}
	if ((uninstall ? node_uninstall(&options, &err) : node_run(&options, &err)) == 0)
		return 0;
	cni_log("ipvlan-node: %s%s%s", err.msg, err.details[0] ? "; " : "", err.details);
	return 1;
}

int main(int argc, char **argv)
{
	int status;

	if (process_begin() < 0)
		return 2;
	if (about_answers(&about, argc, argv, &status))
		return status;
	/* for a probe of the kubelet: the image has no shell */
	if (argc == 3 && !strcmp(argv[1], "is-ready"))
		return pass_is_ready(argv[2]);
	return node_main(argc, argv);
}
