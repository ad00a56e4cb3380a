/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipvlan-node: makes again, within a second, what running pods lose to what happens to the host.
 *
 * It hears of it from the kernel, and does what `ipvlanctl repair` does. It has no state: killed at any
 * moment it loses nothing, and when it starts it looks at everything. A repair is a child of its own, so that
 * what it needs of memory goes with it, and so that it may be waited for without being deaf.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cni/about.h"
#include "cni/log.h"
#include "cni/process.h"
#include "node/capabilities.h"
#include "node/notify.h"
#include "node/watch.h"
#include "plugin/repair.h"

/* What happens together is repaired together: a repair begins so long after the first event, ... */
#define GATHER_MS 100
/* ... and so long after the one before has ended. */
#define REST_MS 400
/* One that takes longer hangs. */
#define PATIENCE_MS 120000
/* One that failed is tried again: first after so long, then after twice as long, up to the last. */
#define RETRY_MS 2000
#define RETRY_MAX_MS 300000

static const struct about about = {
	.name = "ipvlan-node",
	.what = "makes again what running pods lose to what happens to the host",
	.usage = "usage: ipvlan-node\n"
		 "       ipvlan-node --help | --version\n"
		 "\n"
		 "A service that runs until it is terminated. It requires root.\n",
	.page = "ipvlan-node",
};

struct node {
	struct rtnl host;
	struct watch watch;
	int signals;
	struct watch_due due;
	long long gathered, rested; /* a repair that is due begins after both */
	long long retry;	    /* milliseconds */
	pid_t child;		    /* the repair that runs, 0: none */
	long long limit;	    /* when it is killed */
	bool over;
};

static int node_open(struct node *node, struct cni_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	node->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (node->signals < 0)
		return cni_fail(err, CNI_IO, "signalfd: %s", errno_text(errno));
	if (rtnl_open(&node->host, -1, err) < 0 || watch_open(&node->watch, &node->host, err) < 0)
		return -1;
	return capabilities_drop(err);
}

/* In the child, with a conversation of its own. Returns its exit status. */
static int node_repair(int master)
{
	struct rtnl host;
	struct repair repair = { .host = &host, .master = master, .by = COUNTERS_NODE, .each = repair_log };
	struct cni_error err = { 0 };
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	process_begin();
	rc = rtnl_open(&host, -1, &err);
	if (rc == 0)
		rc = repair_run(&repair, &err);
	if (rc < 0)
		cni_log("repair: %s", err.msg);
	return rc < 0 ? 1 : 0;
}

static void node_try_later(struct node *node, long long now)
{
	node->due = (struct watch_due){ .any = true };
	node->rested = now + node->retry;
	node->retry = node->retry * 2 < RETRY_MAX_MS ? node->retry * 2 : RETRY_MAX_MS;
}

static void node_begin_repair(struct node *node, long long now)
{
	const int master = node->due.master;
	const pid_t child = fork();

	if (child == 0)
		_exit(node_repair(master));
	if (child < 0) {
		cni_log("cannot start a repair: %s", errno_text(errno));
		node_try_later(node, now);
		return;
	}
	node->child = child;
	node->limit = now + PATIENCE_MS;
	node->due = (struct watch_due){ .any = false };
}

static void node_end_repair(struct node *node, long long now)
{
	int status;

	if (!node->child || waitpid(node->child, &status, WNOHANG) != node->child)
		return;
	node->child = 0;
	node->rested = now + REST_MS;
	if (status == 0)
		node->retry = RETRY_MS;
	else
		node_try_later(node, now);
}

static void node_read_signals(struct node *node)
{
	struct signalfd_siginfo info;

	while (read(node->signals, &info, sizeof(info)) == sizeof(info))
		node->over |= info.ssi_signo != SIGCHLD;
}

static void node_read_events(struct node *node, int source)
{
	const bool due = node->due.any;

	watch_read(&node->watch, source, &node->due);
	if (!due)
		node->gathered = process_now_ms() + GATHER_MS;
}

/* Until something must be done without an event; -1: never. */
static int node_timeout(const struct node *node, long long now)
{
	long long at = node->gathered > node->rested ? node->gathered : node->rested;

	if (node->child)
		at = node->limit;
	else if (!node->due.any)
		return -1;
	return at > now ? (int)(at - now) : 0;
}

static void node_act(struct node *node)
{
	const long long now = process_now_ms();

	node_end_repair(node, now);
	if (node_timeout(node, now) != 0)
		return;
	if (node->child)
		kill(node->child, SIGKILL);
	else
		node_begin_repair(node, now);
}

static int node_turn(struct node *node)
{
	struct pollfd fds[WATCH_SOURCES + 1] = { { .fd = node->signals, .events = POLLIN } };

	for (int i = 0; i < WATCH_SOURCES; i++)
		fds[i + 1] = (struct pollfd){ .fd = watch_descriptor(&node->watch, i), .events = POLLIN };
	if (poll(fds, WATCH_SOURCES + 1, node_timeout(node, process_now_ms())) < 0 && errno != EINTR)
		return -1;
	if (fds[0].revents)
		node_read_signals(node);
	for (int i = 0; i < WATCH_SOURCES; i++)
		if (fds[i + 1].revents)
			node_read_events(node, i);
	node_act(node);
	return 0;
}

static int node_run(struct cni_error *err)
{
	/* what happened before we listened */
	struct node node = { .due = { .any = true }, .retry = RETRY_MS };
	int rc = node_open(&node, err);

	if (rc == 0)
		notify("READY=1");
	while (rc == 0 && !node.over)
		if (node_turn(&node) < 0)
			rc = cni_fail(err, CNI_IO, "poll: %s", errno_text(errno));
	if (node.child)
		kill(node.child, SIGKILL);
	watch_close(&node.watch);
	rtnl_close(&node.host);
	return rc;
}

int main(int argc, char **argv)
{
	struct cni_error err = { 0 };
	int status;

	if (process_begin() < 0)
		return 2;
	if (about_answers(&about, argc, argv, &status))
		return status;
	if (argc > 1)
		return about_refuse(&about);
	if (geteuid() != 0) {
		fputs("ipvlan-node: requires root\n", stderr);
		return EXIT_USAGE;
	}
	if (node_run(&err) < 0) {
		cni_log("ipvlan-node: %s", err.msg);
		return 1;
	}
	return 0;
}
