/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults: stops, kills or fails ipvlan and its children at each system call in turn, and compares
 * what is left.
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
 * It must run in its own kernel, or in a network namespace, with the network of test/lib/cni.bash:
 * pods a and b, and other namespaces. The first process, the plugin, has number 0, the first that
 * it starts number 1, and so on. The n-th openat() of a process, counted after those of the dynamic
 * loader, or its n-th RTM_NEWROUTE, is the same in each run. The number of all system calls is not,
 * since the plugin reads /proc, and waits for some things.
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
	KILL_ROOT, /* the plugin, while its child is at that call */
	FAIL,	   /* the call fails, with error, and is not carried out */
	REFUSE,	   /* the kernel does not know one of the rtnetlink requests that it sends */
	HAPPEN,	   /* before the call, event happens */
};

struct point {
	int process;
	long call;    /* its number in the kernel */
	int nth;      /* of that number and message, from 1 */
	bool changes; /* it changes something outside the process */
	int requests; /* of rtnetlink that it sends, */
	int message;  /* and the type of the first */
};

struct fault {
	enum blow blow;
	struct point at;
	int error;
	int request;	     /* which of those that are sent together, from 0 */
	bool (*event)(void); /* returns whether it succeeded */
};

/* The result of a call. */
struct outcome {
	int status; /* of wait(2) */
	char out[TEXT_MAX], err[TEXT_MAX];
	bool struck; /* the call reached the point, and the event succeeded */
	bool hung;   /* it had to be killed */
	bool orphan; /* the plugin was killed, and its child goes on */
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
	bool nft;	      /* does it use nftables? */
};

extern struct runtime runtime;

/* A call of a plugin; or, with "gc" as the verb, of ipvlanctl. */
struct invocation {
	const char *program, *verb, *container;
	const char *netns; /* its name below /run/netns */
	const char *conf;
};

/* A call that was begun. At most two run at once. */
struct running {
	pid_t pid;
	int fds[3];
	int status;
	bool podman, ended, hung;
};

/* Reads the keys of a configuration that all modes require; a missing name is a usage error. */
void read_conf(const char *text);

/* A configuration for GC: these attachments of eth0 are known, "a,b". To be freed. */
char *collecting(const char *text, const char *containers);

/*
 * Calls ipvlan for the container with the pod's name, and waits until all its children have ended.
 * ret has all points that it passes.
 */
void call(const char *verb, const char *pod, const struct fault *fault, struct outcome *ret);

/* The same for any call. */
void call_this(const struct invocation *what, const struct fault *fault, struct outcome *ret);

/* Begin a call; wait so long for its end, and return whether it has ended; return its result after
 * that. */
void begin(const struct invocation *what, bool traced, struct running *ret);
bool over(struct running *running, int milliseconds);
void finish(struct running *running, struct outcome *ret);

/* For callers that wait for processes: pid has ended; kill all that was begun. */
void note_end(pid_t pid, int status);
void stop_calls(void);

/* Runs any program, with input on its standard input. */
void run(char *const argv[], char *const env[], const char *input, const struct fault *fault,
	 struct outcome *ret);

/* Does the request change nothing? */
bool point_asks(const struct point *point);

/* Runs the command in a shell. Returns whether it succeeded. May be called while others are traced. */
bool happens(const char *command);

/* Traces the process, which waits for that, until it and its children have ended. */
void trace(pid_t root, const struct fault *fault, struct outcome *ret);

/* The links, addresses, routes, rules, neighbours, of the host and of each pod, the rules of nft, settings
 * and files with their content; to be freed. */
char *inventory(void);

/* The kernel's objects in the network namespace of this process, one for each line. */
void dump(FILE *paper, const char *where);

/* Enters in turn each network namespace with a name below /run/netns or with a process, except this
 * process's and the LAN's. One without a name gets the number of a process. */
void each_pod(void (*each)(const char *pod, void *arg), void *arg);

/* Does a process that has ended still hold a lock? */
bool lock_held(void);

/*
 * How many addresses on the pod's links are leased to another pod or to none. *own: how many
 * addresses it has; *leased: how many are leased to it.
 */
int addresses(const char *pod, int *own, int *leased);

/* The inventory and more lines in a form without the order of calls: addresses are replaced by
 * their holder, numbers of the kernel are removed, and lines are sorted. Lines of the ledger, and
 * those that begin with "result", have no figures. To be freed. */
char *state(const char *more);

/* What is wrong with a state after any events: an address without a lease, or a lease without an
 * address. NULL: nothing. */
const char *state_fault(const char *state);

/* Who reaches whom: the host and the pods, the host, the LAN's host and the pods. */
#define REACH_MAX 16
struct reach {
	bool from[REACH_MAX][REACH_MAX][2]; /* one to another, by IPv4, by IPv6 */
};

/* With wanted, waits some seconds until all of it is reached; else for a moment. */
void reach(const struct reach *wanted, struct reach *ret);

/* The first difference from wanted, as text; NULL: none. */
const char *reach_missing(const struct reach *wanted, const struct reach *is);

#define PODMAN_PROGRAM "ipvlan-netavark"

/* With a configuration of this type Podman calls setup and teardown for ADD and DEL; a CNI runtime
 * makes all other calls with ipvlan, with podman_conf(). */
bool podman_makes(const struct invocation *what);

/* The input from Podman, in which each key is an option of the network, and the input that ipvlan
 * receives. To be freed. */
char *podman_input(const struct invocation *what);
char *podman_conf(const char *conf);

/* The program's answer in the form of CNI; an error has the code 1. */
void podman_translate(struct outcome *ret);

int weave_main(int argc, char **argv);

#endif
