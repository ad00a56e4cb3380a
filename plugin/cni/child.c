/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/process.h"
#include "cni/stderr.h"

#define OUTPUT_MAX (1 << 20)
#define OUTPUT_FIRST 65536 /* bytes of room; doubled when they are full */

/* ETXTBSY: a program cannot start while its file is being replaced. */
#define BUSY_TRIES 10
#define BUSY_PAUSE_NS 200000000

#define START_STACK 32768

/* The input as a file, which a child can read at any speed. */
static int child_input_file(const struct child *child, struct cni_error *err)
{
	autoclose int fd = memfd_create("stdin", MFD_CLOEXEC);
	size_t written = 0;

	if (fd < 0)
		return cni_fail(err, CNI_RETRY, "cannot make a file for standard input: %s",
				errno_text(errno));
	while (written < child->input_len) {
		ssize_t n = pwrite(fd, child->input + written, child->input_len - written, (off_t)written);

		if (n < 0 && errno != EINTR)
			return cni_fail(err, CNI_RETRY, "cannot make a file for standard input: %s",
					errno_text(errno));
		written += n > 0 ? (size_t)n : 0;
	}
	return take_fd(&fd);
}

struct start {
	const struct child *child;
	int fds[3];
	pid_t parent;
	int error;
};

/* In the child, which shares our memory until its exec, for which we wait. */
static int child_become(void *arg)
{
	struct start *start = arg;

	/* it must end with us: a later DEL would not see what it does after that */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != start->parent)
		_exit(127);
	setpgid(0, 0); /* so that we can kill it with its children */
	process_child();
	for (int fd = 0; fd < 3; fd++)
		if (dup2(start->fds[fd], fd) < 0)
			start->error = errno;
	if (!start->error) {
		execve(start->child->argv[0], (char *const *)(uintptr_t)start->child->argv,
		       start->child->env);
		start->error = errno;
	}
	_exit(127);
}

/* As posix_spawn(), which cannot make a child end with its parent. Returns 0 or errno. */
static int child_start(struct start *start, pid_t *ret)
{
	char stack[START_STACK] __attribute__((aligned(16)));
	pid_t pid;

	start->error = 0;
	pid = clone(child_become, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, start);
	if (pid < 0)
		return errno;
	if (start->error)
		waitpid(pid, NULL, 0);
	*ret = pid;
	return start->error;
}

/* Starts the program with its standard error in a pipe. Returns 0 or errno. */
static int child_spawn(const struct child *child, int in, int out, int errors, pid_t *ret)
{
	struct start one = { .child = child, .fds = { in, out, errors }, .parent = getpid() };
	int error;

	for (int tries = 0; tries < BUSY_TRIES; tries++) {
		error = child_start(&one, ret);
		if (error != ETXTBSY)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = BUSY_PAUSE_NS }, NULL);
	}
	return error;
}

/* The output of the last child, with room for a zero byte after it. */
static char *child_output;
static size_t child_room;

/* Makes room for more than len bytes. */
static bool child_make_room(size_t len)
{
	const size_t room = len < OUTPUT_FIRST ? OUTPUT_FIRST : 2 * len;
	char *bigger;

	if (len < child_room)
		return true;
	bigger = realloc(child_output, room + 1);
	if (!bigger)
		return false;
	child_output = bigger;
	child_room = room;
	return true;
}

/* Reads the pipe. Returns false if the child wrote too much. Without memory for more, the maximum is what it
 * has written. */
static bool child_read_output(int fd, struct outcome *o)
{
	size_t room;
	ssize_t n;

	if (!child_make_room(o->output_len))
		o->output_max = o->output_len;
	room = child_room < o->output_max ? child_room : o->output_max;
	n = read(fd, child_output + o->output_len, room - o->output_len);
	o->output_len += n > 0 ? (size_t)n : 0;
	return o->output_len < o->output_max;
}

static void child_keep_stderr(int fd, bool quiet, struct outcome *o)
{
	char text[STDERR_KEPT + 1], clean[VISIBLE_GROWTH * STDERR_KEPT];
	ssize_t n = read(fd, text, STDERR_KEPT);
	size_t len = n > 0 ? (size_t)n : 0, keep = sizeof(o->stderr_end) - 1;

	text[len] = '\0';
	if (!quiet)
		stderr_put(clean, visible(clean, text, len, false));
	if (o->stderr_len + len > keep) {
		size_t old = keep - len;

		memmove(o->stderr_end, o->stderr_end + o->stderr_len - old, old);
		o->stderr_len = old;
	}
	memcpy(o->stderr_end + o->stderr_len, text, len);
	o->stderr_len += len;
}

static bool child_has_ended(pid_t child)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child;
}

/*
 * Reads the pipes until the child has ended, and then what is left in them. The end of a pipe does
 * not count: a daemon that the child leaves may keep it open for ever. We keep the pipes open too,
 * so only data or the child's end wakes us. Returns 0, or -1 if the child took too long or wrote
 * too much.
 */
static int child_follow(pid_t child, int out, int errors, const struct child *what, struct outcome *o)
{
	struct pollfd fds[] = { { .fd = out, .events = POLLIN }, { .fd = errors, .events = POLLIN } };
	const long long end = process_now_ms() + what->patience_s * 1000LL;
	long long left = what->patience_s * 1000LL;
	bool ended = false;

	while (left >= 0) {
		int ready = process_poll(fds, 2, ended ? 0 : (int)left);

		if (ready == 0)
			break;
		left = end - process_now_ms();
		if (ready > 0 && fds[0].revents && !child_read_output(out, o))
			return -1;
		if (ready > 0 && fds[1].revents)
			child_keep_stderr(errors, what->quiet, o);
		ended = ended || child_has_ended(child);
	}
	return ended ? 0 : -1;
}

static int child_reap(pid_t child, struct outcome *o)
{
	int rc;

	do
		rc = waitpid(child, &o->status, 0);
	while (rc < 0 && errno == EINTR);
	return rc;
}

static int child_spawn_hint(const char *program, int error, struct cni_error *err)
{
	if (error == EACCES)
		return cni_hint(err,
				"it cannot be executed: chmod 755 %s, and look whether its file system is "
				"mounted noexec",
				program);
	if (error == ENOEXEC)
		return cni_hint(
			err, "the file is not a program, or is for another architecture; install it again");
	if (error == ENOENT)
		return cni_hint(err, "its interpreter, or the dynamic loader, is not installed; install it");
	return -1;
}

static int child_run_once(const struct child *what, struct outcome *o, struct cni_error *err)
{
	autoclose int in = child_input_file(what, err);
	autoclose int out_r = -1, out_w = -1, err_r = -1, err_w = -1;
	int out[2], errors[2], error;
	pid_t pid = -1;

	if (in < 0)
		return -1;
	if (pipe2(out, O_CLOEXEC) < 0)
		return cni_fail(err, CNI_RETRY, "cannot make a pipe: %s", errno_text(errno));
	out_r = out[0], out_w = out[1];
	if (pipe2(errors, O_CLOEXEC) < 0)
		return cni_fail(err, CNI_RETRY, "cannot make a pipe: %s", errno_text(errno));
	err_r = errors[0], err_w = errors[1];

	error = child_spawn(what, in, out_w, err_w, &pid);
	if (error) {
		cni_fail(err, CNI_IO, "%sfork/exec %s: %s", what->what, what->argv[0], errno_text(error));
		return child_spawn_hint(what->argv[0], error, err);
	}
	error = child_follow(pid, out_r, err_r, what, o) < 0;
	if (error)
		kill(-pid, SIGKILL);
	if (child_reap(pid, o) < 0)
		return cni_fail(err, CNI_INTERNAL, "cannot learn how %s ended: %s", what->argv[0],
				errno_text(errno));
	if (o->output_len >= o->output_max)
		return cni_fail(err, CNI_IO, "%s wrote more than %zu bytes and was killed", what->argv[0],
				o->output_max);
	if (error) {
		cni_fail(err, CNI_RETRY, "%s did not finish in %d s and was killed", what->argv[0],
			 what->patience_s);
		return cni_hint(err, "find out what it waits for: a lock, a server, a daemon");
	}
	return 0;
}

int child_run(const struct child *child, struct outcome *ret, struct cni_error *err)
{
	*ret = (struct outcome){ .output_max = child->output_max ? child->output_max : OUTPUT_MAX };
	if (!child_make_room(0))
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (child_run_once(child, ret, err) < 0)
		return -1;
	ret->output = child_output;
	ret->output[ret->output_len] = '\0';
	ret->stderr_end[ret->stderr_len] = '\0';
	return 0;
}

int outcome_explain(const struct outcome *o, struct cni_error *err)
{
	struct cni_error why = { 0 };
	json_auto_t *doc = json_read(o->output, o->output_len, &why);
	const char *msg = "", *details = "";
	long long code = 0;

	if (json_is_object(doc) && !field_int(doc, "", "code", 0, INT_MAX, &code, &why) &&
	    !field_string(doc, "", "msg", &msg, &why) && !field_string(doc, "", "details", &details, &why)) {
		cni_fail(err, (enum cni_code)code, "%s",
			 *msg ? msg : "the plugin failed and did not say why");
		return cni_hint(err, "%s", details);
	}
	if (o->output_len)
		return cni_fail(err, CNI_UNKNOWN,
				"netplugin failed but error parsing its diagnostic message \"%.200s\": %s",
				o->output, *why.msg ? why.msg : "not an error object");
	if (o->stderr_len)
		return cni_fail(err, CNI_UNKNOWN, "netplugin failed: \"%.400s\"", o->stderr_end);
	if (WIFSIGNALED(o->status))
		return cni_fail(err, CNI_UNKNOWN, "netplugin failed with no error message: signal: %s",
				strsignal(WTERMSIG(o->status)));
	return cni_fail(err, CNI_UNKNOWN, "netplugin failed with no error message: exit status %d",
			WEXITSTATUS(o->status));
}
