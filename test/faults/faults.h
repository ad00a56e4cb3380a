/*
 * faults: ipvlan and what it starts, stopped or failed at each system call in turn, and
 * what is left of it.
 *
 *	matrix.c     which cases there are, and what must be true after each
 *	trace.c      one call of a plugin, with a fault at a certain system call
 *	call.c       one call as a runtime makes it
 *	inventory.c  everything on this machine that a plugin could leave behind
 *
 * It must run in a kernel of its own, or in a network namespace, with the network of
 * test/lib/cni.bash: pods a and b. The first process, where the plugin starts, is number
 * 0, the first that it starts number 1, and so on. The n-th openat() of one, say, counted from
 * the first that is not the dynamic loader's, is the same in each run; how many system calls
 * of any kind there are is not, since /proc is looked through.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TEXT_MAX 65536
#define POINTS_MAX 4096

enum blow {
	NO_BLOW,
	KILL_ONE,  /* that process alone */
	KILL_ROOT, /* the plugin itself, with its child at that call */
	FAIL,	   /* the call fails, with error, and is not carried out */
	REFUSE,	   /* one of the rtnetlink requests that it sends is none that the kernel knows */
	HAPPEN,	   /* before the call, command happens to the machine */
};

struct point {
	int process;
	long call;    /* its number in the kernel */
	int nth;      /* of that number, from 1 */
	bool changes; /* something outside the process */
	int requests; /* of rtnetlink that it sends */
};

struct fault {
	enum blow blow;
	struct point at;
	int error;
	int request;	     /* which of those that are sent together, from 0 */
	const char *command; /* of the shell */
};

/* What a call did. */
struct outcome {
	int status; /* as wait(2) tells */
	char out[TEXT_MAX], err[TEXT_MAX];
	bool struck; /* it came to the point, and the command could be carried out */
	bool hung;   /* it had to be killed */
	bool orphan; /* the plugin was killed, and what it had started goes on */
	struct point points[POINTS_MAX];
	size_t n;
};

struct runtime {
	const char *build;    /* the directory with the plugins */
	const char *conf;     /* the configuration's text, */
	const char *collect;  /* and one for GC that knows no attachment */
	char store[PATH_MAX]; /* where addrpool keeps the leases */
	bool nft;	      /* has it a rule set? */
};

extern struct runtime runtime;

/*
 * Calls ipvlan for the container that has the pod's name, and waits until all that it has
 * started has ended. All points that it passes are in ret.
 */
void call(const char *verb, const char *pod, const struct fault *fault, struct outcome *ret);

/* Runs any program, with input on its standard input. */
void run(char *const argv[], char *const env[], const char *input, const struct fault *fault,
	 struct outcome *ret);

/* Has the shell carry the command out, and succeed? May be called while others are traced. */
bool happens(const char *command);

/* Follows the process that waits to be traced, until nothing is left of it. */
void trace(pid_t root, const struct fault *fault, struct outcome *ret);

/* The links, addresses, routes, rules, neighbours, rules of nft, settings and files; to be freed. */
char *inventory(void);

/* Does one that has ended hold a lock still? Says which. */
bool lock_held(void);

/*
 * The addresses that pod has on links, and which are leased to nobody or to another one:
 * how many of the latter. *own, *leased: how many it has, and are leased to it.
 */
int addresses(const char *pod, int *own, int *leased);

#endif
