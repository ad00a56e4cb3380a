/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-load [OPTION...] WORKERS OPERATIONS SEED PROGRAM... CONF: WORKERS processes call ADD and DEL on one
 * store at once, each call with a random PROGRAM. A DEL may be for an attachment that another program has
 * added. Each worker logs from when to when an attachment certainly had an address. From the logs pool-load
 * proves that no address was assigned twice. It prints the attachments that still have an address, which the
 * caller compares with the store:
 *
 *	held <container> <address>
 *
 * The exit status is 1 if a call failed, or an address was assigned twice.
 *
 *	-n NUMBER   of attachments that a worker has at once, default 3
 *	-a          only ADDs
 *	-k PERCENT  of the calls are killed with their children, at any time; then the worker calls DEL, as a
 *	            runtime does
 *	-r PERMILLE of the operations are a restart of the worker's machine: it writes another boot
 *	            id into the file -b NAME, and its attachments are gone
 *	-p PLUGINS  uses the namespaces /run/netns/w<worker>; PROGRAM is ipvlan, which finds its IPAM
 *	            plugin in the directory PLUGINS
 *
 * A % in NAME, CONF and PROGRAM stands for the worker's number, so that each worker can be another node.
 */
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX 8192

struct event {
	char address[64];
	int worker, number; /* the container is w<worker>-<number> */
	double from, until; /* when the ADD returned, and when the DEL was called */
	double took[2];
	int failed, killed;
};

static struct {
	int workers, operations, programs, hold, kill, restart;
	bool adds_alone;
	char **program;
	const char *conf, *boot, *plugins;
} load = { .hold = 3 };

static bool by_chance(int of_a_thousand)
{
	return lrand48() % 1000 < of_a_thousand;
}

struct path {
	char s[4096];
};

/* Copies text, with the worker's number in place of %. */
static struct path path_of(const char *text, int worker)
{
	const char *percent = strchr(text, '%');
	struct path path;

	if (percent)
		snprintf(path.s, sizeof(path.s), "%.*s%d%s", (int)(percent - text), text, worker,
			 percent + 1);
	else
		snprintf(path.s, sizeof(path.s), "%s", text);
	return path;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Runs one call, with its standard output in output. */
static int call(const char *verb, const struct event *event, char output[OUTPUT_MAX], bool deadly)
{
	char command[32], container[64], netns[64] = "CNI_NETNS=/run/netns/none";
	char ifname[32] = "CNI_IFNAME=eth0", cni_path[PATH_MAX], shell_path[] = "PATH=/usr/bin:/bin:/sbin";
	struct path program = path_of(load.program[lrand48() % load.programs], event->worker);
	struct path conf = path_of(load.conf, event->worker);
	char unshare[] = "/usr/bin/unshare", fork_pid[] = "-fp", kill_child[] = "--kill-child=KILL";
	char *plain[] = { program.s, NULL }, *killable[] = { unshare, fork_pid, kill_child, program.s, NULL };
	char **argv = deadly ? killable : plain;
	char *env[] = { command, container, netns, ifname, cni_path, shell_path, NULL };
	posix_spawn_file_actions_t files;
	ssize_t got, used = 0;
	int out[2], status;
	pid_t pid;

	snprintf(command, sizeof(command), "CNI_COMMAND=%s", verb);
	snprintf(container, sizeof(container), "CNI_CONTAINERID=w%d-%d", event->worker, event->number);
	snprintf(cni_path, sizeof(cni_path), "CNI_PATH=%s", load.plugins ? load.plugins : "/opt/cni/bin");
	if (load.plugins) {
		snprintf(netns, sizeof(netns), "CNI_NETNS=/run/netns/w%d", event->worker);
		snprintf(ifname, sizeof(ifname), "CNI_IFNAME=eth%d", event->number);
	}
	if (pipe2(out, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, conf.s, O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out[1], 1);
	status = posix_spawn(&pid, argv[0], &files, NULL, argv, env);
	posix_spawn_file_actions_destroy(&files);
	close(out[1]);
	if (status == 0 && deadly) {
		usleep((useconds_t)(lrand48() % 30000));
		kill(pid, SIGKILL);
	}
	while (status == 0 && used < OUTPUT_MAX - 1 &&
	       (got = read(out[0], output + used, (size_t)(OUTPUT_MAX - 1 - used))) > 0)
		used += got;
	output[used] = '\0';
	close(out[0]);
	if (status != 0 || waitpid(pid, &status, 0) != pid) {
		fprintf(stderr, "%s: cannot be started: %s\n", argv[0], strerror(status));
		return -1;
	}
	if (status != 0 && !deadly)
		fprintf(stderr, "%s %s %s: status %d: %s\n", program.s, verb, container, status, output);
	return status;
}

static int read_address(struct event *event, const char *output)
{
	json_t *doc = json_loads(output, 0, NULL);
	const char *address =
		json_string_value(json_object_get(json_array_get(json_object_get(doc, "ips"), 0), "address"));

	snprintf(event->address, sizeof(event->address), "%s", address ? address : "");
	json_decref(doc);
	return address ? 0 : -1;
}

static void del(struct event *event)
{
	char output[OUTPUT_MAX];

	event->until = now();
	if (by_chance(10 * load.kill))
		call("DEL", event, output, true);
	event->failed |= call("DEL", event, output, false) != 0;
	event->took[1] = now() - event->until;
}

/* ADDs the attachment. Returns 0 if it has its address. */
static int add(struct event *event)
{
	char output[OUTPUT_MAX];
	double start = now();

	if (by_chance(10 * load.kill)) {
		call("ADD", event, output, true);
		event->killed = 1;
		del(event);
		return -1;
	}
	event->failed = call("ADD", event, output, false) != 0 || read_address(event, output) < 0;
	event->from = now();
	event->until = 1e300;
	event->took[0] = event->from - start;
	return event->failed ? -1 : 0;
}

/* The machine restarts: its pods are gone without a DEL. */
static void restart(struct event **held, int n, int worker)
{
	FILE *file;

	while (n-- > 0)
		held[n]->until = now();
	file = fopen(path_of(load.boot, worker).s, "we");
	if (file) {
		fprintf(file, "%08lx-0000-4000-8000-000000000000\n", lrand48());
		fclose(file);
	}
}

/* events are the worker's. An ADD and its DEL are two operations. */
static void work(struct event *events, int worker, int operations, long seed)
{
	// NOLINTNEXTLINE(bugprone-sizeof-expression): of pointers
	struct event **held = calloc((size_t)load.hold + 1, sizeof(*held));
	int n = 0, number = 0;

	srand48(seed + worker);
	while (held && operations-- > 0) {
		if (by_chance(load.restart)) {
			restart(held, n, worker);
			n = 0;
		} else if (n == 0 || (n < load.hold && (load.adds_alone || lrand48() % 5))) {
			struct event *event = &events[number];

			event->worker = worker;
			event->number = ++number;
			if (add(event) == 0)
				held[n++] = event;
		} else {
			long which = lrand48() % n;

			del(held[which]);
			held[which] = held[--n];
		}
	}
}

static int by_address(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int order = strcmp(x->address, y->address);

	return order ? order : (x->from > y->from) - (x->from < y->from);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_times(const char *verb, const struct event *events, size_t n, int which)
{
	double *took = calloc(n + 1, sizeof(*took));
	size_t calls = 0;

	for (size_t i = 0; i < n; i++)
		if (took && events[i].took[which] > 0)
			took[calls++] = events[i].took[which];
	if (calls) {
		qsort(took, calls, sizeof(*took), by_value);
		printf("%zu %s: p50 %.0f ms, p99 %.0f ms, longest %.0f ms\n", calls, verb,
		       took[calls / 2] * 1e3, took[calls * 99 / 100] * 1e3, took[calls - 1] * 1e3);
	}
	free(took);
}

/* events are sorted. Returns the number of errors. */
static size_t judge(const struct event *events, size_t n)
{
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++) {
		wrong += events[i].failed != 0;
		if (events[i].killed || !*events[i].address)
			continue;
		if (i && !strcmp(events[i - 1].address, events[i].address) &&
		    events[i - 1].until > events[i].from) {
			fprintf(stderr, "%s was given to w%d-%d while w%d-%d had it\n", events[i].address,
				events[i].worker, events[i].number, events[i - 1].worker,
				events[i - 1].number);
			wrong++;
		}
		if (!events[i].failed && events[i].until > 1e299)
			printf("held w%d-%d %.*s\n", events[i].worker, events[i].number,
			       (int)strcspn(events[i].address, "/"), events[i].address);
	}
	print_times("ADD", events, n, 0);
	print_times("DEL", events, n, 1);
	return wrong;
}

static void read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "an:k:r:b:p:")) != -1) {
		int number = optarg ? (int)strtol(optarg, NULL, 10) : 0;

		switch (option) {
		case 'n':
			load.hold = number;
			break;
		case 'a':
			load.adds_alone = true;
			load.hold = 1 << 20;
			break;
		case 'k':
			load.kill = number;
			break;
		case 'r':
			load.restart = number;
			break;
		case 'b':
			load.boot = optarg;
			break;
		case 'p':
			load.plugins = optarg;
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	long seed;
	struct event *events;
	size_t room, n = 0;
	int each;

	read_options(argc, argv);
	argc -= optind - 1;
	argv += optind - 1;
	if (argc < 6) {
		fprintf(stderr, "usage: pool-load [-a] [-n NUMBER] [-k PERCENT] [-r PERMILLE -b NAME] "
				"[-p PLUGINS] WORKERS OPERATIONS SEED PROGRAM... CONF\n");
		return 2;
	}
	load.workers = (int)strtol(argv[1], NULL, 10);
	load.operations = (int)strtol(argv[2], NULL, 10);
	seed = strtol(argv[3], NULL, 10);
	load.program = argv + 4;
	load.programs = argc - 5;
	load.conf = argv[argc - 1];
	if (load.workers < 1 || load.operations < load.workers)
		return 2;
	each = load.operations / load.workers + 1;
	room = (size_t)load.workers * (size_t)each * sizeof(*events);
	events = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (events == MAP_FAILED)
		return 2;
	for (int w = 0; w < load.workers; w++)
		if (fork() == 0) {
			work(&events[(size_t)w * (size_t)each], w,
			     load.operations / load.workers + (w < load.operations % load.workers), seed);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	for (size_t i = 0; i < (size_t)load.workers * (size_t)each; i++)
		if (events[i].number)
			events[n++] = events[i];
	qsort(events, n, sizeof(*events), by_address);
	return judge(events, n) ? 1 : 0;
}
