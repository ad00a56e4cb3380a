/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

#define TRACEES 32
#define CALLS 512
#define MESSAGES 128 /* of rtnetlink: RTM_MAX and some */
#define LOADER_SIZE 0x80000
#define REGISTER(r) ((void *)(uintptr_t)((r) * sizeof(long)))
#define OPTIONS \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

struct tracee {
	pid_t pid;
	int leader;		/* the leader of its threads, which counts for all */
	int calls[CALLS];	/* how many calls of each number, except those that send */
	int messages[MESSAGES]; /* how many messages to rtnetlink */
	bool paused;		/* it has slept, and repeats a request */
	unsigned long loader;	/* its address */
	bool foreign; /* not one of our programs: its changes of the kernel's tables and of files count */
	bool inside;  /* a system call */
	bool failing;
	bool begun;
};

struct trace {
	const struct fault *fault;
	struct outcome *outcome;
	struct tracee tracees[TRACEES]; /* by number of process */
	int n, alive;
	pid_t root;
	bool root_killed, happened;
};

static bool is_known(const struct trace *t, pid_t pid)
{
	for (int i = 0; i < t->n; i++)
		if (t->tracees[i].pid == pid)
			return true;
	return false;
}

/* In each run another thread of the program may make a call. */
static void find_leader(const struct trace *t, struct tracee *tracee)
{
	char path[64], line[128];
	pid_t leader = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", tracee->pid);
	file = fopen(path, "re");
	while (file && !leader && fgets(line, sizeof(line), file))
		if (!strncmp(line, "Tgid:", 5))
			leader = (pid_t)strtol(line + 5, NULL, 10);
	if (file)
		fclose(file);
	for (int i = 0; i < t->n; i++)
		if (t->tracees[i].pid == leader) {
			tracee->leader = i;
			tracee->foreign = t->tracees[i].foreign;
		}
}

static struct tracee *find(struct trace *t, pid_t pid)
{
	for (int i = 0; i < t->n; i++)
		if (t->tracees[i].pid == pid)
			return &t->tracees[i];
	if (t->n == TRACEES)
		return NULL;
	t->alive++;
	t->tracees[t->n] = (struct tracee){ .pid = pid, .leader = t->n };
	/* until its exec it has its parent's */
	if (t->n) {
		t->tracees[t->n].loader = t->tracees[0].loader;
		find_leader(t, &t->tracees[t->n]);
	}
	return &t->tracees[t->n++];
}

/* The address of the loader of the program that pid has started. */
static unsigned long find_loader(pid_t pid)
{
	Elf64_auxv_t entry;
	char path[64];
	unsigned long base = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	file = fopen(path, "re");
	while (file && fread(&entry, sizeof(entry), 1, file) == 1)
		if (entry.a_type == AT_BASE)
			base = entry.a_un.a_val;
	if (file)
		fclose(file);
	return base;
}

static bool is_foreign(pid_t pid)
{
	char path[64], program[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	len = readlink(path, program, sizeof(program) - 1);
	program[len > 0 ? len : 0] = '\0';
	return strncmp(program, runtime.build, strlen(runtime.build)) != 0;
}

/* Calls that change something, or might: a file that is opened with O_CREAT, a message, another
 * process, the end. */
static bool changes(pid_t pid, long number)
{
	static const long calls[] = {
		SYS_write,  SYS_linkat,	  SYS_symlinkat, SYS_mkdir,	 SYS_mkdirat,	SYS_rename,
		SYS_unlink, SYS_renameat, SYS_unlinkat,	 SYS_rmdir,	 SYS_utimensat, SYS_flock,
		SYS_sendto, SYS_sendmsg,  SYS_clone,	 SYS_clone3,	 SYS_vfork,	SYS_execve,
		SYS_setns,  SYS_fchmod,	  SYS_ftruncate, SYS_exit_group, SYS_renameat2, SYS_prctl,
	};

	if (number == SYS_openat)
		return ptrace(PTRACE_PEEKUSER, pid, REGISTER(RDX), NULL) & O_CREAT;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i] == number)
			return true;
	return false;
}

static bool counts(const struct tracee *tracee, long number)
{
	const unsigned long at = (unsigned long)ptrace(PTRACE_PEEKUSER, tracee->pid, REGISTER(RIP), NULL);

	if (tracee->foreign)
		return number == SYS_sendmsg || number == SYS_sendto || number == SYS_flock ||
		       number == SYS_unlinkat || number == SYS_mkdirat || number == SYS_renameat ||
		       (number == SYS_openat && changes(tracee->pid, number));
	return !tracee->loader || at < tracee->loader || at >= tracee->loader + LOADER_SIZE;
}

/* Each kind of thing has four: NEW, DEL, GET, SET. */
bool point_asks(const struct point *point)
{
	return point->requests == 1 && point->message % 4 == RTM_GETLINK % 4;
}

/* The kernel answers EOPNOTSUPP (rtnetlink_rcv_msg()). */
#define NO_REQUEST 0x7ff0

/* How many rtnetlink requests pid will send by its sendto(), and the type of the first. The request
 * with this number, from 0, becomes one that the kernel does not know. */
static int requests(pid_t pid, int spoilt, int *type)
{
	const unsigned long to = (unsigned long)ptrace(PTRACE_PEEKUSER, pid, REGISTER(R8), NULL);
	unsigned long at = (unsigned long)ptrace(PTRACE_PEEKUSER, pid, REGISTER(RSI), NULL);
	const unsigned long end = at + (unsigned long)ptrace(PTRACE_PEEKUSER, pid, REGISTER(RDX), NULL);
	int n = 0;

	if (!to || (ptrace(PTRACE_PEEKDATA, pid, (void *)to, NULL) & 0xffff) != AF_NETLINK)
		return 0;
	for (; at + sizeof(struct nlmsghdr) <= end; n++) {
		const long head = ptrace(PTRACE_PEEKDATA, pid, (void *)at, NULL);
		const unsigned int len = (unsigned int)head;

		if (n == 0)
			*type = (int)(head >> 32 & (MESSAGES - 1));
		if (n == spoilt)
			ptrace(PTRACE_POKEDATA, pid, (void *)at,
			       (head & ~(0xffffL << 32)) | (long)NO_REQUEST << 32);
		if (len < sizeof(struct nlmsghdr))
			break;
		at += NLMSG_ALIGN(len);
	}
	return n;
}

/* Holds the child at its system call until the root has ended. */
static void kill_root(struct trace *t)
{
	siginfo_t info;

	kill(t->root, SIGKILL);
	waitid(P_PID, (id_t)t->root, &info, WEXITED | WNOWAIT | __WALL);
	t->root_killed = true;
}

/* A child that goes on may notice that it is alone, and end; it must not do anything else. */
static bool is_orphans(const struct trace *t, pid_t pid, long number)
{
	return t->root_killed && number != SYS_prctl && number != SYS_exit_group && changes(pid, number);
}

static void strike(struct trace *t, struct tracee *tracee)
{
	int type;

	t->outcome->struck = true;
	switch (t->fault->blow) {
	case KILL_ONE:
		kill(tracee->pid, SIGKILL);
		break;
	case KILL_ROOT:
		kill_root(t);
		break;
	case FAIL:
		/* close(2) closes even if it fails */
		if (t->fault->at.call != SYS_close)
			ptrace(PTRACE_POKEUSER, tracee->pid, REGISTER(ORIG_RAX), -1L);
		tracee->failing = true;
		break;
	case REFUSE:
		requests(tracee->pid, t->fault->request, &type);
		break;
	case HAPPEN:
		/* such as a remount of a disk that a process writes to */
		t->outcome->struck = t->fault->event();
		t->happened = true;
		break;
	default:
		break;
	}
}

/* The number of requests for something that the kernel does later, with a pause before each,
 * differs in each run. */
static bool asks_again(struct tracee *tracee, const struct point *here)
{
	if (here->call == SYS_nanosleep || here->call == SYS_clock_nanosleep)
		tracee->paused = true;
	else if (here->call != SYS_recvmsg && !point_asks(here))
		tracee->paused = false;
	return tracee->paused;
}

static bool is_same(const struct point *a, const struct point *b)
{
	return a->process == b->process && a->call == b->call && a->message == b->message && a->nth == b->nth;
}

static void at_call(struct trace *t, struct tracee *tracee)
{
	const struct fault *fault = t->fault;
	struct outcome *o = t->outcome;
	struct point here;
	long number;

	tracee->inside = !tracee->inside;
	if (!tracee->inside) {
		if (tracee->failing)
			ptrace(PTRACE_POKEUSER, tracee->pid, REGISTER(RAX), -(long)fault->error);
		tracee->failing = false;
		return;
	}
	number = ptrace(PTRACE_PEEKUSER, tracee->pid, REGISTER(ORIG_RAX), NULL);
	if (number < 0 || number >= CALLS || !counts(tracee, number))
		return;
	if (is_orphans(t, tracee->pid, number)) {
		t->outcome->orphan = true;
		kill(tracee->pid, SIGKILL);
	}
	here = (struct point){ .process = tracee->leader,
			       .call = number,
			       .changes = changes(tracee->pid, number) };
	if (number == SYS_sendto)
		here.requests = requests(tracee->pid, -1, &here.message);
	if (asks_again(tracee, &here))
		return;
	here.nth = here.requests ? ++t->tracees[tracee->leader].messages[here.message]
				 : ++t->tracees[tracee->leader].calls[number];
	if (o->n < POINTS_MAX)
		o->points[o->n++] = here;
	if (fault && fault->blow && !o->struck && !t->happened && is_same(&here, &fault->at))
		strike(t, tracee);
}

/* Returns the signal for the tracee. */
static int at_stop(struct trace *t, struct tracee *tracee, int status)
{
	const int signal = WSTOPSIG(status);

	if (signal == (SIGTRAP | 0x80)) {
		at_call(t, tracee);
		return 0;
	}
	if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
		tracee->loader = find_loader(tracee->pid);
		tracee->foreign = is_foreign(tracee->pid);
	}
	if (status >> 16)
		return 0;
	if (signal == SIGSTOP && !tracee->begun) {
		tracee->begun = true;
		if (tracee->pid == t->root)
			ptrace(PTRACE_SETOPTIONS, t->root, NULL, OPTIONS);
		return 0;
	}
	return signal;
}

static void stop_all(struct trace *t)
{
	for (int i = 0; i < t->n; i++)
		if (t->tracees[i].pid)
			kill(t->tracees[i].pid, SIGKILL);
	stop_calls();
	t->outcome->hung = true;
}

void trace(pid_t root, const struct fault *fault, struct outcome *ret)
{
	struct trace t = { .fault = fault, .outcome = ret, .root = root };
	int status;
	pid_t pid;

	find(&t, root);
	while (t.alive > 0) {
		struct tracee *tracee;

		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR) {
			stop_all(&t);
			continue;
		}
		/* another call that was begun meanwhile, and its remains */
		if (pid > 0 && !WIFSTOPPED(status) && !is_known(&t, pid)) {
			note_end(pid, status);
			continue;
		}
		tracee = pid < 0 ? NULL : find(&t, pid);
		if (!tracee)
			break;
		if (WIFSTOPPED(status)) {
			const long signal = at_stop(&t, tracee, status);

			ptrace(PTRACE_SYSCALL, pid, NULL, signal);
			continue;
		}
		note_end(pid, status);
		tracee->pid = 0;
		t.alive--;
	}
}
