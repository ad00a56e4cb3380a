/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults: ipvlan and what it starts, stopped or failed at each system call in turn, and
 * what is left of it.
 *
 *	matrix.c     which cases there are, and what must be true after each
 *	weave.c      one call stopped at each of its system calls, and another one meanwhile
 *	trace.c      one call of a plugin, with a fault at a certain system call
 *	call.c       one call as a runtime makes it
 *	podman.c     and as Podman does, where the configuration's type is ipvlan-netavark
 *	inventory.c  everything on this machine that a plugin could leave behind
 *	dump.c       what of it the kernel has in one network namespace
 *	state.c      the inventory, without what differs from one run to the next
 *	ping.c       who reaches whom
 *
 * It must run in a kernel of its own, or in a network namespace, with the network of
 * test/lib/cni.bash: pods a and b, and whatever other namespaces there are. The first process, where the
 * plugin starts, is number 0, the first that it starts number 1, and so on. The n-th openat() of one, say,
 * counted from the first that is not the dynamic loader's, or the n-th RTM_NEWROUTE is the same in each run;
 * how many system calls of any kind there are is not, since /proc is looked through, and some things are
 * waited for.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define TEXT_MAX 65536
#define POINTS_MAX 4096

enum blow {
	NO_BLOW,
	KILL_ONE,  /* that process alone */
	KILL_ROOT, /* the plugin itself, with its child at that call */
	FAIL,	   /* the call fails, with error, and is not carried out */
	REFUSE,	   /* one of the rtnetlink requests that it sends is none that the kernel knows */
	HAPPEN,	   /* before the call, event happens */
};

struct point {
	int process;
	long call;    /* its number in the kernel */
	int nth;      /* of that number and message, from 1 */
	bool changes; /* something outside the process */
	int requests; /* of rtnetlink that it sends, */
	int message;  /* and the type of the first */
};

struct fault {
	enum blow blow;
	struct point at;
	int error;
	int request;	     /* which of those that are sent together, from 0 */
	bool (*event)(void); /* could it be done? */
};

/* What a call did. */
struct outcome {
	int status; /* as wait(2) tells */
	char out[TEXT_MAX], err[TEXT_MAX];
	bool struck; /* it came to the point, and the event could be carried out */
	bool hung;   /* it had to be killed */
	bool orphan; /* the plugin was killed, and what it had started goes on */
	struct point points[POINTS_MAX];
	size_t n;
};

struct runtime {
	const char *build;    /* the directory with the plugins, */
	const char *others;   /* those with others' plugins, as in CNI_PATH, */
	const char *confs;    /* and that with the configurations that ipvlanctl reads, or NULL */
	const char *conf;     /* the configuration's text, */
	const char *type;     /* the program that it names, */
	const char *collect;  /* and one for GC that knows no attachment */
	char store[PATH_MAX]; /* where addrpool keeps the leases */
	bool nft;	      /* has it a rule set? */
};

extern struct runtime runtime;

/* A call of a plugin; or, with "gc" as the verb, of ipvlanctl. */
struct invocation {
	const char *program, *verb, *container;
	const char *netns; /* its name below /run/netns */
	const char *conf;
};

/* What was begun. Two at most at once. */
struct running {
	pid_t pid;
	int fds[3];
	int status;
	bool podman, ended, hung;
};

/* Reads what all modes need of a configuration; no name is a usage error. */
void read_conf(const char *text);

/* A configuration for GC: these attachments of eth0 are known, "a,b". To be freed. */
char *collecting(const char *text, const char *containers);

/*
 * Calls ipvlan for the container that has the pod's name, and waits until all that it has
 * started has ended. All points that it passes are in ret.
 */
void call(const char *verb, const char *pod, const struct fault *fault, struct outcome *ret);

/* The same for any call. */
void call_this(const struct invocation *what, const struct fault *fault, struct outcome *ret);

/* Begins a call; whether it is over, for which so long is waited; and what it did, after it was. */
void begin(const struct invocation *what, bool traced, struct running *ret);
bool over(struct running *running, int milliseconds);
void finish(struct running *running, struct outcome *ret);

/* For who waits for processes: pid has ended; all that was begun is to be killed. */
void note_end(pid_t pid, int status);
void stop_calls(void);

/* Runs any program, with input on its standard input. */
void run(char *const argv[], char *const env[], const char *input, const struct fault *fault,
	 struct outcome *ret);

/* Is it no more than a question to rtnetlink? */
bool point_asks(const struct point *point);

/* Has the shell carry the command out, and succeed? May be called while others are traced. */
bool happens(const char *command);

/* Follows the process that waits to be traced, until nothing is left of it. */
void trace(pid_t root, const struct fault *fault, struct outcome *ret);

/* The links, addresses, routes, rules, neighbours, of the host and of each pod, the rules of nft, settings
 * and files with their content; to be freed. */
char *inventory(void);

/* What the kernel has in the network namespace of this process, a line each. */
void dump(FILE *paper, const char *where);

/* Enters each network namespace in turn that a name below /run/netns stands for or a process is in, but
 * this process' and the LAN's. One without a name has the number of a process. */
void each_pod(void (*each)(const char *pod, void *arg), void *arg);

/* Does one that has ended hold a lock still? */
bool lock_held(void);

/*
 * The addresses that pod has on links, and which are leased to nobody or to another one:
 * how many of the latter. *own, *leased: how many it has, and are leased to it.
 */
int addresses(const char *pod, int *own, int *leased);

/* The inventory and more lines in a form that does not tell in which order things were made: addresses
 * by who has leased them, no numbers that the kernel gives, lines in alphabetical order. Of lines of the
 * ledger, and those that begin with "result", no figures are left. To be freed. */
char *state(const char *more);

/* Says of a state what is wrong with it whatever has happened: an address without a lease, a lease without
 * an address. NULL: nothing. */
const char *state_fault(const char *state);

/* Who reaches whom: the host and the pods, the host, the LAN's host and the pods. */
#define REACH_MAX 16
struct reach {
	bool from[REACH_MAX][REACH_MAX][2]; /* one to another, by IPv4, by IPv6 */
};

/* With wanted, waits until all of that is so, for some seconds; else for a moment. */
void reach(const struct reach *wanted, struct reach *ret);

/* What of wanted is not so, in words; NULL: nothing. */
const char *reach_missing(const struct reach *wanted, const struct reach *is);

#define PODMAN_PROGRAM "ipvlan-netavark"

/* Of a configuration with that type Podman makes ADD and DEL, as setup and teardown; whatever else a CNI
 * runtime makes by ipvlan, of podman_conf(). */
bool podman_makes(const struct invocation *what);

/* What Podman passes, each key being an option of the network; what ipvlan receives. To be freed. */
char *podman_input(const struct invocation *what);
char *podman_conf(const char *conf);

/* An answer of the program's in the words of CNI; an error has the code 1. */
void podman_translate(struct outcome *ret);

int weave_main(int argc, char **argv);

#endif
