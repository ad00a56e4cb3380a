/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults [-agrx] [-s STEP] [-b BEFORE] [-e EVENT] [-m MEND] kill|errors|refusals|events VERB
 * DIRECTORY CONF: calls ipvlan of DIRECTORY with the text CONF once for each system call of it and
 * of its children, with a fault there.
 *
 *	kill     that process is killed, and in another run ipvlan while its child is there;
 *		 the system call is not carried out
 *	errors   the system call fails, once for each error that fits, and is not carried out,
 *		 but for close(2)
 *	refusals the kernel refuses a request of those that it sends to rtnetlink
 *	events   the shell command EVENT is run before it
 *
 * For VERB other than ADD there is an ADD before, and then the shell command BEFORE. GC gets an
 * empty list.
 *
 * Then the shell command MEND is run, which repairs the machine. After each case: each address on a
 * link is leased to its pod; an ADD that reported a failure has left nothing, and so has a DEL or
 * GC that reported success; another pod gets another address; DEL succeeds, twice; an ADD of the
 * same pod works; after DEL of both, GC has nothing to do, everything on the host is as before, no
 * lock is held, and no process is left.
 *
 * After a kill this is done twice, once with only DEL: another pod's ADD and DEL would remove
 * objects that no page lists.
 *
 * A system call that changes nothing outside its process is no separate point for a kill or an
 * event: the machine is the same at the next one that does. -a takes these calls too. -g: there is
 * no DEL: the pod's namespace is deleted, and only GC follows. -r: the call must fail in each case,
 * and must not change what exists. -s takes only every STEP-th case. -x ends with the first case
 * that fails.
 *
 * Prints the texts of errors, each once, and the numbers of cases run and passed; exit status 1 if
 * one has failed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

struct runtime runtime;

/* How a system call can fail: full tables and disks, no memory, signals. */
static const struct {
	long call;
	int errors[5];
} mistakes[] = {
	{ SYS_openat, { EIO, EMFILE, ENOMEM } },
	{ SYS_write, { EIO, ENOSPC, EINTR } },
	{ SYS_read, { EIO } },
	{ SYS_pread64, { EIO } },
	{ SYS_close, { EIO } },
	{ SYS_linkat, { EIO, ENOSPC } },
	{ SYS_symlinkat, { EIO, ENOSPC } },
	{ SYS_mkdir, { EIO, ENOSPC } },
	{ SYS_mkdirat, { EIO, ENOSPC } },
	{ SYS_renameat, { EIO, ENOSPC } },
	{ SYS_unlinkat, { EIO, EROFS } },
	{ SYS_rmdir, { EIO } },
	{ SYS_rename, { EIO, ENOSPC } },
	{ SYS_unlink, { EIO } },
	{ SYS_getdents64, { EIO } },
	{ SYS_readlinkat, { EIO } },
	{ SYS_newfstatat, { EIO } },
	{ SYS_utimensat, { EIO } },
	{ SYS_faccessat, { EIO } },
	{ SYS_flock, { ENOLCK, EINTR } },
	{ SYS_poll, { EINTR, ENOMEM } },
	{ SYS_wait4, { EINTR } },
	{ SYS_socket, { EMFILE, ENOMEM } },
	{ SYS_bind, { ENOMEM } },
	{ SYS_getsockname, { ENOBUFS } },
	{ SYS_setsockopt, { ENOMEM } },
	{ SYS_sendto, { ENOBUFS, ENOMEM } },
	{ SYS_sendmsg, { ENOBUFS } },
	{ SYS_recvmsg, { ENOBUFS, EAGAIN, EINTR } },
	{ SYS_pipe2, { EMFILE } },
	{ SYS_memfd_create, { EMFILE } },
	{ SYS_clone, { EAGAIN, EMFILE } },
	{ SYS_clone3, { EAGAIN, ENOMEM } },
	{ SYS_vfork, { EAGAIN } },
	{ SYS_execve, { ENOMEM } },
	{ SYS_pidfd_open, { EMFILE } },
	{ SYS_dup2, { EMFILE } },
	{ SYS_bpf, { EPERM, ENOMEM } },
	{ SYS_mmap, { ENOMEM } }, /* not brk(): malloc() of glibc crashes if the first one fails */
};

static struct {
	const char *mode, *verb, *before_it, *event, *mend;
	bool all, alone, collected, refused, first;
	int step, turn, cases, passed, skipped;
	char *before; /* the inventory */
	json_t *said; /* an object with the messages as keys */
} matrix = { .step = 1 };

static struct outcome struck, after;

static int complain(const char *what, const struct outcome *o)
{
	printf("  %s: status %x: %.600s\n%.600s", what, (unsigned int)o->status, o->out, o->err);
	return -1;
}

static int expect(const char *verb, const char *pod)
{
	char what[64];

	call(verb, pod, NULL, &after);
	if (after.status == 0 && !after.hung)
		return 0;
	snprintf(what, sizeof(what), "%s %s afterwards", verb, pod);
	return complain(what, &after);
}

/* The pod has leased each address that it uses; with whole, it has all that it must have. */
static int owns(const char *pod, bool whole)
{
	int own, leased, strange = addresses(pod, &own, &leased);

	if (strange == 0 && (!whole || (own == leased && own > 0)))
		return 0;
	printf("  pod %s has %d addresses, %d of them not leased to it, which has %d leases\n", pod, own,
	       strange, leased);
	return -1;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return;
	fputs(text, file);
	fclose(file);
}

static int same(const char *when)
{
	static char diff[] = "/usr/bin/diff", before[] = "/tmp/faults.before", now[] = "/tmp/faults.now";
	char *const env[] = { NULL };
	char *text = inventory();
	int rc = strcmp(text, matrix.before) != 0 ? -1 : 0;

	if (rc < 0) {
		write_file(before, matrix.before);
		write_file(now, text);
		run((char *[]){ diff, before, now, NULL }, env, "", NULL, &after);
		complain(when, &after);
	}
	free(text);
	return rc;
}

static int others(void)
{
	if (owns("a", false) < 0 || expect("ADD", "b") < 0 || owns("a", false) < 0 || owns("b", true) < 0 ||
	    expect("DEL", "a") < 0 || expect("DEL", "a") < 0 || expect("ADD", "a") < 0 ||
	    owns("a", true) < 0 || owns("b", true) < 0 || expect("DEL", "b") < 0)
		return -1;
	return 0;
}

/* Deletes the pod's namespace, and calls only GC. */
static int collected(void)
{
	if (!happens("ip netns del a") || expect("GC", "a") < 0 || !happens("ip netns add a"))
		return -1;
	return same("GC has left something");
}

static int aftermath(void)
{
	if (matrix.collected)
		return collected();
	if ((!matrix.alone && !matrix.refused && others() < 0) || expect("DEL", "a") < 0 ||
	    expect("DEL", "a") < 0 || expect("GC", "a") < 0)
		return -1;
	if (*after.err)
		return complain("GC has found something", &after);
	if (lock_held())
		return complain("a lock is held", &after);
	return same("in the end not all is as it was");
}

static void note(const char *msg)
{
	if (json_object_get(matrix.said, msg))
		return;
	json_object_set_new(matrix.said, msg, json_true());
	printf("says: %s\n", msg);
}

/* A failure prints an error object, and a failed ADD leaves nothing; after a success all is
 * complete. */
static int told(void)
{
	json_t *answer = json_loads(struck.out, 0, NULL);
	const char *msg = json_string_value(json_object_get(answer, "msg"));
	bool object = msg && *msg && json_is_integer(json_object_get(answer, "code"));

	if (object)
		note(msg);
	json_decref(answer);
	if (struck.status == 0 && matrix.refused)
		return complain("it succeeds, though it must be refused", &struck);
	if (struck.status == 0 && (!strcmp(matrix.verb, "DEL") || !strcmp(matrix.verb, "GC")))
		return same("a DEL or GC that said that it succeeded has left something");
	/* the event may have deleted the link */
	if (struck.status == 0)
		return strcmp(matrix.verb, "ADD") ? 0 : owns("a", !matrix.event);
	/* writing to standard output may have failed */
	if (!WIFEXITED(struck.status) || WEXITSTATUS(struck.status) != 1 || (*struck.out && !object))
		return complain("it neither succeeds nor says why not", &struck);
	return strcmp(matrix.verb, "ADD") ? 0 : same("an ADD that said that it failed has left something");
}

static int examine(const struct fault *fault)
{
	const bool killed = WIFSIGNALED(struck.status) && WTERMSIG(struck.status) == SIGKILL;

	if (struck.hung)
		return complain("it hangs", &struck);
	if (struck.orphan)
		return complain("what it had started goes on without it", &struck);
	if (fault->blow == FAIL || fault->blow == REFUSE || fault->blow == HAPPEN ||
	    (fault->blow == KILL_ONE && fault->at.process > 0))
		return told();
	return killed ? 0 : complain("it was not killed", &struck);
}

static void clean_up(void)
{
	call("DEL", "a", NULL, &after);
	call("DEL", "b", NULL, &after);
	call("GC", "a", NULL, &after);
}

/* The call, with the calls before and after it. */
static void strike_once(const struct fault *fault, struct outcome *ret)
{
	if (strcmp(matrix.verb, "ADD") != 0)
		call("ADD", "a", NULL, &after);
	if (matrix.before_it && !happens(matrix.before_it))
		puts("  what comes before failed");
	call(matrix.verb, "a", fault, ret);
	if ((ret->struck || matrix.before_it) && matrix.mend && !happens(matrix.mend))
		puts("  what should put the machine right failed");
}

static void one_case(const struct fault *fault)
{
	if (matrix.turn++ % matrix.step || (matrix.first && matrix.passed < matrix.cases))
		return;
	strike_once(fault, &struck);
	if (!struck.struck) {
		matrix.skipped++;
		clean_up();
		return;
	}
	matrix.cases++;
	if (examine(fault) == 0 && aftermath() == 0) {
		matrix.passed++;
		return;
	}
	printf("FAILED %s: process %d, system call number %ld for the %d. time, %s %s\n", matrix.verb,
	       fault->at.process, fault->at.call, fault->at.nth,
	       fault->blow == KILL_ROOT ? "ipvlan killed" : "struck",
	       fault->error ? strerror(fault->error) : "");
	if (fault->blow == REFUSE)
		printf("       request %d of %d\n", fault->request + 1, fault->at.requests);
	clean_up();
	/* removes the remains of the case */
	free(matrix.before);
	matrix.before = inventory();
}

static void fail_at(const struct point *at)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		if (mistakes[i].call != at->call)
			continue;
		for (const int *error = mistakes[i].errors; *error; error++)
			one_case(&(struct fault){ .blow = FAIL, .at = *at, .error = *error });
	}
}

static void refuse_at(const struct point *at)
{
	for (int i = 0; i < at->requests; i++)
		one_case(&(struct fault){ .blow = REFUSE, .at = *at, .request = i });
}

static void kill_at(const struct point *at)
{
	for (int i = matrix.collected; i < 2; i++) {
		matrix.alone = i;
		one_case(&(struct fault){ .blow = KILL_ONE, .at = *at });
	}
	matrix.alone = false;
	if (at->process > 0)
		one_case(&(struct fault){ .blow = KILL_ROOT, .at = *at });
}

static bool event_happens(void)
{
	return happens(matrix.event);
}

static void strike_at(const struct point *at)
{
	if (!strcmp(matrix.mode, "errors"))
		fail_at(at);
	else if (!strcmp(matrix.mode, "refusals"))
		refuse_at(at);
	else if (!matrix.all && !at->changes)
		return;
	else if (matrix.event)
		one_case(&(struct fault){ .blow = HAPPEN, .at = *at, .event = event_happens });
	else
		kill_at(at);
}

static void all_cases(void)
{
	static struct outcome whole;
	const struct fault none = { .blow = NO_BLOW };

	/* makes what the first call makes and leaves, such as locks, and a namespace's number for
	 * ours */
	call("ADD", "a", NULL, &after);
	call("ADD", "b", NULL, &after);
	clean_up();
	matrix.before = inventory();
	strike_once(&none, &whole);
	if ((whole.status != 0) != matrix.refused) {
		complain("without any fault", &whole);
		exit(2);
	}
	clean_up();
	/* if the plugin cannot be started, the runtime reports that */
	for (size_t i = strcmp(matrix.mode, "errors") ? 0 : 1; i < whole.n; i++)
		strike_at(&whole.points[i]);
}

char *collecting(const char *text, const char *containers)
{
	json_t *conf = json_loads(text, 0, NULL), *known = json_array();
	char *result;

	for (int len; (len = (int)strcspn(containers, ",")) > 0;
	     containers += len, containers += *containers == ',')
		json_array_append_new(known, json_pack("{s:s%, s:s}", "containerID", containers, (size_t)len,
						       "ifname", "eth0"));
	json_object_set_new(conf, "cni.dev/valid-attachments", known);
	result = json_dumps(conf, 0);
	json_decref(conf);
	return result;
}

static const char *conf_type(const json_t *conf)
{
	const char *type = json_string_value(json_object_get(conf, "type"));

	return type ? type : "";
}

void read_conf(const char *text)
{
	json_t *conf = json_loads(text, 0, NULL);
	const char *name = json_string_value(json_object_get(conf, "name"));

	if (!name) {
		fputs("faults: CONF has no name\n", stderr);
		exit(2);
	}
	runtime.conf = text;
	runtime.type = strcmp(conf_type(conf), PODMAN_PROGRAM) ? "ipvlan" : PODMAN_PROGRAM;
	runtime.nft |= json_is_true(json_object_get(conf, "ipMasq")) ||
		       json_is_true(json_object_get(conf, "antiSpoof"));
	snprintf(runtime.store, sizeof(runtime.store), "/var/lib/cni/networks/%s", name);
	json_decref(conf);
	runtime.collect = collecting(text, "");
}

static bool is_mode(const char *mode)
{
	return !strcmp(mode, "kill") || !strcmp(mode, "errors") || !strcmp(mode, "refusals") ||
	       !strcmp(mode, "events");
}

int main(int argc, char **argv)
{
	int option;

	if (argc > 1 && !strcmp(argv[1], "weave"))
		return weave_main(argc - 1, argv + 1);
	while ((option = getopt(argc, argv, "agrxs:b:e:m:")) != -1) {
		if (option == 'a')
			matrix.all = true;
		else if (option == 'g')
			matrix.collected = true;
		else if (option == 'r')
			matrix.refused = true;
		else if (option == 'x')
			matrix.first = true;
		else if (option == 's')
			matrix.step = (int)strtol(optarg, NULL, 10);
		else if (option == 'b')
			matrix.before_it = optarg;
		else if (option == 'e')
			matrix.event = optarg;
		else if (option == 'm')
			matrix.mend = optarg;
	}
	if (argc - optind != 4 || !is_mode(argv[optind]) || matrix.step < 1 ||
	    !matrix.event == !strcmp(argv[optind], "events")) {
		fputs("faults [-agrx] [-s STEP] [-b BEFORE] [-e EVENT] [-m MEND] kill|errors|refusals|events "
		      "VERB DIRECTORY CONF\n",
		      stderr);
		return 2;
	}
	matrix.mode = argv[optind];
	matrix.verb = argv[optind + 1];
	matrix.said = json_object();
	runtime.build = argv[optind + 2];
	read_conf(argv[optind + 3]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	all_cases();
	printf("%s: %d cases, %d passed, %d not reached\n", matrix.verb, matrix.cases, matrix.passed,
	       matrix.skipped);
	return matrix.passed != matrix.cases || matrix.cases == 0;
}
