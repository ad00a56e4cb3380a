#include "plugin/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"

/* The Go dhcp plugin may try for 208 s; a runtime gives up on us after 240 s, and
 * by then a DEL after a failed ADD must be over as well. */
#define PATIENCE_S 215
#define UNDO_PATIENCE_S 20
#define OUTPUT_MAX (1 << 20)
#define STDERR_KEPT 2048

/* A binary that is being replaced just now cannot be run: ETXTBSY. */
#define BUSY_TRIES 10
#define BUSY_PAUSE_NS 200000000

/* What a delegate left behind. */
struct outcome {
	char *output;
	size_t output_len;
	char stderr_end[STDERR_KEPT + 1]; /* the last of it, for messages */
	size_t stderr_len;
	int status; /* as wait(2) has it */
};

static int find(const char *type, const char *path, char *ret, size_t size, struct cni_error *err)
{
	char list[256] = "";
	size_t listed = 0;

	if (strchr(type, '/'))
		return cni_fail(err, CNI_CONFIG, "invalid plugin name: %s", type);
	for (const char *dir = path, *end; dir; dir = *end ? end + 1 : NULL) {
		int len = (int)strcspn(dir, ":");
		struct stat st;

		end = dir + len;
		if (listed < sizeof(list))
			listed += (size_t)snprintf(list + listed, sizeof(list) - listed, "%s%.*s",
						   listed ? " " : "", len, dir);
		if ((size_t)snprintf(ret, size, "%.*s%s%s", len, dir, len ? "/" : "", type) < size &&
		    stat(ret, &st) == 0 && S_ISREG(st.st_mode))
			return 0;
	}
	cni_fail(err, CNI_CONFIG, "failed to find plugin \"%s\" in path [%s]", type, list);
	return cni_hint(err, "install the IPAM plugin that ipam.type names into a directory of CNI_PATH");
}

/* Our environment with another CNI_COMMAND. The strings are borrowed. */
static char **environment(char *command)
{
	size_t n = 0, used = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	for (size_t i = 0; env && i < n; i++)
		if (strncmp(environ[i], "CNI_COMMAND=", strlen("CNI_COMMAND=")) != 0)
			env[used++] = environ[i];
	if (env)
		env[used] = command;
	return env;
}

/* The configuration as a file that a child can read at its own pace. */
static int config_file(const struct request *req, struct cni_error *err)
{
	autoclose int fd = memfd_create("cni-config", MFD_CLOEXEC);
	size_t written = 0;

	if (fd < 0)
		return cni_fail(err, CNI_RETRY, "cannot make a copy of the configuration: %s",
				errno_text(errno));
	while (written < req->config_len) {
		ssize_t n = write(fd, req->config + written, req->config_len - written);

		if (n < 0 && errno != EINTR)
			return cni_fail(err, CNI_RETRY, "cannot make a copy of the configuration: %s",
					errno_text(errno));
		written += n > 0 ? (size_t)n : 0;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return cni_fail(err, CNI_IO, "cannot rewind the configuration: %s", errno_text(errno));
	return take_fd(&fd);
}

/* Starts the program with our standard error in a pipe of its own; 0 or errno. */
static int spawn(const char *program, char *const env[], int in, int out, int errors, pid_t *ret)
{
	char *argv[] = { (char *)(uintptr_t)program, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t pipe_signal;
	int error;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &pipe_signal);
	posix_spawnattr_setpgroup(&attr, 0); /* so that we can end all of it */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);

	for (int tries = 0; tries < BUSY_TRIES; tries++) {
		error = posix_spawn(ret, program, &files, &attr, argv, env);
		if (error != ETXTBSY)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = BUSY_PAUSE_NS }, NULL);
	}
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return error;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Both return false at the end of the stream, or when it went over its bound. */
static bool read_output(int fd, struct outcome *o)
{
	ssize_t n = read(fd, o->output + o->output_len, OUTPUT_MAX - o->output_len);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	o->output_len += (size_t)n;
	return n > 0 && o->output_len < OUTPUT_MAX;
}

static bool pass_stderr(int fd, struct outcome *o)
{
	char text[STDERR_KEPT];
	ssize_t n = read(fd, text, sizeof(text));
	size_t len = n > 0 ? (size_t)n : 0, keep = sizeof(o->stderr_end) - 1;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	fwrite(text, 1, len, stderr);
	if (o->stderr_len + len > keep) {
		size_t old = keep - len;

		memmove(o->stderr_end, o->stderr_end + o->stderr_len - old, old);
		o->stderr_len = old;
	}
	memcpy(o->stderr_end + o->stderr_len, text, len);
	o->stderr_len += len;
	return n > 0;
}

/*
 * Follows the child until it has ended: a daemon that it leaves behind may keep
 * the pipes open for ever. Returns 0, or -1 when it ran out of time or of space.
 */
static int follow(int child, int out, int errors, int patience_s, struct outcome *o)
{
	struct pollfd fds[] = {
		{ .fd = out, .events = POLLIN },
		{ .fd = errors, .events = POLLIN },
		{ .fd = child, .events = POLLIN },
	};
	long long end = now_ms() + patience_s * 1000LL, left;
	bool ended = false;

	while (fds[0].fd >= 0 || fds[1].fd >= 0 || !ended) {
		int ready;

		left = ended ? 0 : end - now_ms();
		if (left < 0)
			break;
		ready = poll(fds, ended ? 2 : 3, (int)left);
		if (ready == 0)
			break;
		if (ready < 0)
			continue;
		if (fds[0].revents && !read_output(out, o))
			fds[0].fd = -1;
		if (fds[1].revents && !pass_stderr(errors, o))
			fds[1].fd = -1;
		if (o->output_len >= OUTPUT_MAX)
			return -1;
		ended |= fds[2].revents != 0;
	}
	return ended ? 0 : -1;
}

static int run_program(const struct request *req, const char *program, char *const env[], int patience_s,
		       struct outcome *o, struct cni_error *err)
{
	autoclose int in = config_file(req, err), child = -1;
	autoclose int out_r = -1, out_w = -1, err_r = -1, err_w = -1;
	int out[2], errors[2], error;
	pid_t pid;

	if (in < 0)
		return -1;
	if (pipe2(out, O_CLOEXEC) < 0)
		return cni_fail(err, CNI_RETRY, "cannot make a pipe: %s", errno_text(errno));
	out_r = out[0], out_w = out[1];
	if (pipe2(errors, O_CLOEXEC) < 0)
		return cni_fail(err, CNI_RETRY, "cannot make a pipe: %s", errno_text(errno));
	err_r = errors[0], err_w = errors[1];

	error = spawn(program, env, in, out_w, err_w, &pid);
	if (error)
		return cni_fail(err, CNI_IO, "netplugin failed with no error message: fork/exec %s: %s",
				program, errno_text(error));
	close(take_fd(&out_w));
	close(take_fd(&err_w));

	child = (int)syscall(SYS_pidfd_open, pid, 0);
	error = child < 0 || follow(child, out_r, err_r, patience_s, o) < 0;
	if (error)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &o->status, 0) < 0 && errno == EINTR)
		;
	if (child < 0)
		return cni_fail(err, CNI_INTERNAL, "cannot watch the IPAM plugin (pidfd_open, Linux 5.3)");
	if (o->output_len >= OUTPUT_MAX)
		return cni_fail(err, CNI_IO, "%s wrote more than %d bytes and was killed", program,
				OUTPUT_MAX);
	if (error) {
		cni_fail(err, CNI_RETRY, "%s did not finish in %d s and was killed", program, patience_s);
		return cni_hint(err, "it is stuck: look at what it waits for (a lock, a server, a daemon)");
	}
	return 0;
}

/* What Go says of a plugin that failed, with its stderr where it has no words. */
static int explain(const struct outcome *o, struct cni_error *err)
{
	struct cni_error why = { 0 };
	json_auto_t *doc = json_read(o->output, o->output_len, &why);
	const char *msg = "", *details = "";
	long long code = 0;

	if (json_is_object(doc) && !field_int(doc, "", "code", 0, INT_MAX, &code, &why) &&
	    !field_string(doc, "", "msg", &msg, &why) && !field_string(doc, "", "details", &details, &why)) {
		cni_fail(err, (enum cni_code)code, "%s",
			 *msg ? msg : "the IPAM plugin failed and did not say why");
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

/* Returns the delegate's output, which the caller frees, or NULL. */
static char *run(const struct request *req, const char *type, const char *verb, int patience_s, size_t *len,
		 struct cni_error *err)
{
	autofree char *output = malloc(OUTPUT_MAX + 1);
	struct outcome o = { .output = output };
	autofree char **env = NULL;
	char program[4096], command[32];

	snprintf(command, sizeof(command), "CNI_COMMAND=%s", verb);
	env = environment(command);
	if (!output || !env) {
		cni_fail(err, CNI_RETRY, "out of memory");
		return NULL;
	}
	if (find(type, req->path, program, sizeof(program), err) < 0 ||
	    run_program(req, program, env, patience_s, &o, err) < 0)
		return NULL;
	output[o.output_len] = '\0';
	o.stderr_end[o.stderr_len] = '\0';
	if (o.status) {
		explain(&o, err);
		return NULL;
	}
	*len = o.output_len;
	output = NULL;
	return o.output;
}

json_t *delegate_add(const struct request *req, const char *type, struct cni_error *err)
{
	struct cni_error why = { 0 };
	autofree char *output = NULL;
	json_t *doc;
	size_t len;

	output = run(req, type, "ADD", PATIENCE_S, &len, err);
	if (!output)
		return NULL;
	doc = json_read(output, len, &why);
	if (!doc)
		cni_fail(err, CNI_DECODE, "failed to unmarshal raw result: %s", why.msg);
	return doc;
}

int delegate_run(const struct request *req, const char *type, const char *verb, struct cni_error *err)
{
	bool optional = !strcmp(verb, "GC") || !strcmp(verb, "STATUS");
	bool undo = !strcmp(verb, "DEL") && !strcmp(req->command, "ADD");
	struct cni_error why = { 0 };
	autofree char *output = NULL;
	size_t len;

	output = run(req, type, verb, undo ? UNDO_PATIENCE_S : PATIENCE_S, &len, &why);
	if (output)
		return 0;
	/* one from before CNI 1.1.0 */
	if (optional && (why.code == CNI_VERSION || why.code == CNI_ENVIRONMENT)) {
		cni_log("ipam %s does not know %s: %s", type, verb, why.msg);
		return 0;
	}
	cni_fail(err, (enum cni_code)why.code, "%s", why.msg);
	return cni_hint(err, "%s", why.details);
}
