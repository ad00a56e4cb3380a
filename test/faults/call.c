/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

#define PATIENCE_S 100
#define CALLS_MAX 2 /* at once */

static struct running *calls[CALLS_MAX];

static void give_up(int signal)
{
	(void)signal;
}

static int file_of(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || lseek(fd, 0, SEEK_SET) < 0) {
		perror("memfd");
		exit(2);
	}
	return fd;
}

static void read_back(int fd, char text[TEXT_MAX])
{
	ssize_t len = pread(fd, text, TEXT_MAX - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	close(fd);
}

static void become(char *const argv[], char *const env[], const int fds[3], bool traced)
{
	for (int i = 0; i < 3; i++)
		dup2(fds[i], i);
	if (traced) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
	}
	execve(argv[0], argv, env);
	_exit(127);
}

static void start(struct running *ret, char *const argv[], char *const env[], const char *input, bool traced)
{
	*ret = (struct running){ .fds = { file_of(input), file_of(""), file_of("") }, .status = -1 };
	fflush(NULL);
	ret->pid = fork();
	if (ret->pid == 0)
		become(argv, env, ret->fds, traced);
	for (int i = 0; i < CALLS_MAX; i++) {
		if (calls[i])
			continue;
		calls[i] = ret;
		return;
	}
}

void note_end(pid_t pid, int status)
{
	for (int i = 0; i < CALLS_MAX; i++) {
		if (!calls[i] || calls[i]->pid != pid)
			continue;
		calls[i]->status = status;
		calls[i]->ended = true;
	}
}

void stop_calls(void)
{
	for (int i = 0; i < CALLS_MAX; i++) {
		if (!calls[i] || calls[i]->ended)
			continue;
		calls[i]->hung = true;
		kill(calls[i]->pid, SIGKILL);
	}
}

/* Waits until no process is left: we are the parent of orphans. */
static void wait_for_all(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid > 0)
			note_end(pid, status);
		else
			stop_calls();
	}
}

static void be_patient(time_t seconds)
{
	const struct sigaction wake = { .sa_handler = give_up };
	/* repeats, since another process may hang after one was killed */
	const struct itimerval timer = { .it_value = { .tv_sec = seconds }, .it_interval = { .tv_sec = 5 } };

	sigaction(SIGALRM, &wake, NULL);
	setitimer(ITIMER_REAL, seconds ? &timer : &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL);
}

void finish(struct running *running, struct outcome *ret)
{
	for (int i = 0; i < CALLS_MAX; i++)
		if (calls[i] == running)
			calls[i] = NULL;
	ret->status = running->status;
	ret->hung |= running->hung;
	close(running->fds[0]);
	read_back(running->fds[1], ret->out);
	read_back(running->fds[2], ret->err);
	if (running->podman)
		podman_translate(ret);
}

static void follow(struct running *running, const struct fault *fault, struct outcome *ret)
{
	ret->struck = ret->hung = ret->orphan = false;
	ret->n = 0;
	be_patient(PATIENCE_S);
	if (fault)
		trace(running->pid, fault, ret);
	wait_for_all();
	be_patient(0);
	finish(running, ret);
}

void run(char *const argv[], char *const env[], const char *input, const struct fault *fault,
	 struct outcome *ret)
{
	struct running running;

	start(&running, argv, env, input, fault != NULL);
	follow(&running, fault, ret);
}

bool over(struct running *running, int milliseconds)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, running->pid, 0), .events = POLLIN };
	int status;

	poll(&end, 1, milliseconds);
	close(end.fd);
	if (!running->ended && waitpid(running->pid, &status, WNOHANG) == running->pid)
		note_end(running->pid, status);
	return running->ended;
}

bool happens(const char *command)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

/* The first directory of a path, with colons between, that has the program. */
static void find_program(const char *name, const char *path, char ret[PATH_MAX])
{
	for (; *path; path += strcspn(path, ":"), path += *path == ':') {
		snprintf(ret, PATH_MAX, "%.*s/%s", (int)strcspn(path, ":"), path, name);
		if (access(ret, X_OK) == 0)
			return;
	}
}

/* setup NETNS, or teardown NETNS */
static void begin_podman(const struct invocation *what, char *path, bool traced, struct running *ret)
{
	char program[PATH_MAX], netns[64], setup[] = "setup", teardown[] = "teardown";
	char *argv[] = { program, strcmp(what->verb, "ADD") ? teardown : setup, netns, NULL };
	char *env[] = { path, NULL }, *input = podman_input(what);

	find_program(PODMAN_PROGRAM, path + strlen("CNI_PATH="), program);
	snprintf(netns, sizeof(netns), "/run/netns/%s", what->netns);
	start(ret, argv, env, input, traced);
	ret->podman = true;
	free(input);
}

static void begin_cni(const struct invocation *what, char *path, bool traced, struct running *ret)
{
	char program[PATH_MAX], command[32], container[64], netns[64];
	char ifname[] = "CNI_IFNAME=eth0", confs[PATH_MAX + 16], gc[] = "gc", yes[] = "--yes";
	char *argv[] = { program, NULL, NULL, NULL };
	char *env[] = { command, container, netns, ifname, path, confs, NULL };

	find_program(what->program, path + strlen("CNI_PATH="), program);
	if (!strcmp(what->verb, "gc")) {
		argv[1] = gc;
		argv[2] = yes;
	}
	snprintf(command, sizeof(command), "CNI_COMMAND=%s", what->verb);
	snprintf(container, sizeof(container), "CNI_CONTAINERID=%s", what->container);
	snprintf(netns, sizeof(netns), "CNI_NETNS=/run/netns/%s", what->netns);
	snprintf(confs, sizeof(confs), "NETCONFPATH=%s", runtime.confs ? runtime.confs : "/nowhere");
	start(ret, argv, env, what->conf, traced);
}

void begin(const struct invocation *what, bool traced, struct running *ret)
{
	struct invocation ours = *what;
	char path[2 * PATH_MAX], *conf;

	snprintf(path, sizeof(path), "CNI_PATH=%s%s%s", runtime.build, runtime.others ? ":" : "",
		 runtime.others ? runtime.others : "");
	if (strcmp(what->program, PODMAN_PROGRAM) != 0) {
		begin_cni(what, path, traced, ret);
	} else if (podman_makes(what)) {
		begin_podman(what, path, traced, ret);
	} else {
		ours.program = "ipvlan";
		ours.conf = conf = podman_conf(what->conf);
		begin_cni(&ours, path, traced, ret);
		free(conf);
	}
}

void call_this(const struct invocation *what, const struct fault *fault, struct outcome *ret)
{
	struct running running;

	begin(what, fault != NULL, &running);
	follow(&running, fault, ret);
}

void call(const char *verb, const char *pod, const struct fault *fault, struct outcome *ret)
{
	const bool all = !strcmp(verb, "GC");

	call_this(&(struct invocation){ runtime.type, verb, pod, pod, all ? runtime.collect : runtime.conf },
		  fault, ret);
}
