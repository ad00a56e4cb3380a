#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

#define PATIENCE_S 100

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

/* Until no process is left: those that have lost their parent are ours. */
static void wait_for_all(pid_t root, struct outcome *ret)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid == root)
			ret->status = status;
		if (pid > 0)
			continue;
		ret->hung = true;
		kill(root, SIGKILL);
	}
}

void run(char *const argv[], char *const env[], const char *input, const struct fault *fault,
	 struct outcome *ret)
{
	const struct sigaction wake = { .sa_handler = give_up };
	const int fds[] = { file_of(input), file_of(""), file_of("") };
	pid_t pid;

	ret->struck = ret->hung = ret->orphan = false;
	ret->status = -1;
	ret->n = 0;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(argv, env, fds, fault != NULL);
	sigaction(SIGALRM, &wake, NULL);
	alarm(PATIENCE_S);
	if (fault)
		trace(pid, fault, ret);
	wait_for_all(pid, ret);
	alarm(0);
	close(fds[0]);
	read_back(fds[1], ret->out);
	read_back(fds[2], ret->err);
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

void call(const char *verb, const char *pod, const struct fault *fault, struct outcome *ret)
{
	char program[PATH_MAX], command[32], container[64], netns[64], path[PATH_MAX + 16];
	char ifname[] = "CNI_IFNAME=eth0";
	char *argv[] = { program, NULL };
	char *env[] = { command, container, netns, ifname, path, NULL };

	snprintf(program, sizeof(program), "%s/ipvlan", runtime.build);
	snprintf(command, sizeof(command), "CNI_COMMAND=%s", verb);
	snprintf(container, sizeof(container), "CNI_CONTAINERID=%s", pod);
	snprintf(netns, sizeof(netns), "CNI_NETNS=/run/netns/%s", pod);
	snprintf(path, sizeof(path), "CNI_PATH=%s", runtime.build);
	run(argv, env, strcmp(verb, "GC") != 0 ? runtime.conf : runtime.collect, fault, ret);
}
