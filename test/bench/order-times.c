/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order-times [-r ROUNDS] [-p PARALLEL] [-s] -d DIRECTORY -l LABEL CONTENDER...
 *
 * What ADD, CHECK, VERSION and DEL of several plugins take, from start to exit of the
 * process. In each round each contender has its turn with a verb before the next verb
 * comes, and another one begins, so that what disturbs one disturbs all.
 *
 *	CONTENDER	NAME|ROUNDS|NETNS|CNI_ARGS|CONFIGURATION|PROGRAM[|ARGUMENT]
 *			of ROUNDS fewer than those of -r it sits out the others; the number of
 *			a pod is put behind NETNS; CONFIGURATION is a file
 *	-p PARALLEL	so many ADD at once, then as many DEL, and nothing else
 *	-s		counts system calls as well, by strace, after the timed rounds
 *	-d DIRECTORY	for answers
 *	-l LABEL	goes into each line, as it is
 *
 * A line of JSON for each contender and verb; times are in microseconds, memory in KiB.
 * A process of few pages itself, as what it starts counts them as its own until exec().
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTENDERS_MAX 8
#define SAMPLES_MAX 4096
#define PARALLEL_MAX 128
#define WARM_UP 2

enum verb { ADD, CHECK, VERSION, DEL, VERBS };
static const char *const verb_names[VERBS] = { "ADD", "CHECK", "VERSION", "DEL" };

struct samples {
	double wall[SAMPLES_MAX], cpu[SAMPLES_MAX];
	size_t n;
	long rss, calls;
};

struct contender {
	const char *name, *netns, *args, *conf;
	char *argv[3];
	int rounds;
	struct samples samples[VERBS];
};

static struct contender contenders[CONTENDERS_MAX];
static size_t n_contenders;
static const char *directory;
static bool traced;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "order-times: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

struct path {
	char s[PATH_MAX];
};

static struct path file_of(const struct contender *c, const char *what)
{
	struct path path;

	snprintf(path.s, sizeof(path.s), "%s/%s.%s", directory, c->name, what);
	return path;
}

/* Starts a verb for pod number `pod`, whose namespace is number `place`. */
static pid_t start(const struct contender *c, enum verb verb, unsigned int pod, unsigned int place,
		   const char *out)
{
	const struct path with_result = file_of(c, "check");
	struct path counts = file_of(c, "counts");
	char command[32], container[64], netns[PATH_MAX], args[512], path[PATH_MAX];
	char ifname[] = "CNI_IFNAME=eth0", strace[] = "/usr/bin/strace", count[] = "-fcqq", to[] = "-o";
	char *env[] = { command, container, netns, ifname, path, *c->args ? args : NULL, NULL };
	char *tracing[] = { strace, count, to, counts.s, c->argv[0], c->argv[1], NULL };
	char *const *argv = traced ? tracing : c->argv;
	const char *slash = strrchr(c->argv[0], '/');
	posix_spawn_file_actions_t files;
	pid_t pid;

	snprintf(command, sizeof(command), "CNI_COMMAND=%s", verb_names[verb]);
	snprintf(container, sizeof(container), "CNI_CONTAINERID=bench-%s-%u", c->name, pod);
	snprintf(netns, sizeof(netns), "CNI_NETNS=%s%u", c->netns, place);
	snprintf(args, sizeof(args), "CNI_ARGS=%s", c->args);
	snprintf(path, sizeof(path), "CNI_PATH=%.*s", (int)(slash - c->argv[0]), c->argv[0]);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, verb == CHECK ? with_result.s : c->conf, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	errno = posix_spawn(&pid, argv[0], &files, NULL, argv, env);
	if (errno)
		fail(argv[0]);
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

static void keep(struct samples *samples, double wall, const struct rusage *usage)
{
	if (samples->n == SAMPLES_MAX)
		return;
	samples->wall[samples->n] = wall;
	samples->cpu[samples->n++] = (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6 +
				     (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
	if (usage->ru_maxrss > samples->rss)
		samples->rss = usage->ru_maxrss;
}

static void must_succeed(const struct contender *c, enum verb verb, int status)
{
	if (!status)
		return;
	fprintf(stderr, "order-times: %s of %s ended with status %d; its answer is in %s\n", verb_names[verb],
		c->name, status, directory);
	exit(1);
}

/* CHECK requires the result of ADD. */
static void write_check(const struct contender *c)
{
	char conf[4096] = "", result[8192] = "";
	const struct path answer = file_of(c, "answer"), check = file_of(c, "check");
	FILE *file = fopen(c->conf, "re");
	char *end;

	if (!file || !fread(conf, 1, sizeof(conf) - 1, file))
		fail(c->conf);
	fclose(file);
	file = fopen(answer.s, "re");
	if (!file)
		fail(answer.s);
	if (!fread(result, 1, sizeof(result) - 1, file))
		strcpy(result, "{}");
	fclose(file);
	end = strrchr(conf, '}');
	file = fopen(check.s, "we");
	if (!file || !end)
		fail(check.s);
	fprintf(file, "%.*s,\"prevResult\":%s}", (int)(end - conf), conf, result);
	fclose(file);
}

static void call(struct contender *c, enum verb verb, unsigned int pod, bool counts)
{
	const struct path answer = file_of(c, "answer"), nothing = file_of(c, "nothing");
	struct rusage usage;
	int status = -1;
	double begin;
	pid_t pid;

	if (verb == CHECK)
		write_check(c);
	begin = now();
	pid = start(c, verb, pod, 0, verb == ADD ? answer.s : nothing.s);
	if (wait4(pid, &status, 0, &usage) != pid)
		fail("wait4");
	if (counts)
		keep(&c->samples[verb], now() - begin, &usage);
	must_succeed(c, verb, status);
}

static bool sits_out(const struct contender *c, int round, int rounds)
{
	if (round < 0) /* a program that is so slow is not slower the first time */
		return c->rounds < 2 * WARM_UP;
	return round * c->rounds / rounds == (round + 1) * c->rounds / rounds;
}

static void in_turns(int rounds)
{
	for (int round = -WARM_UP; round < rounds; round++)
		for (enum verb verb = 0; verb < VERBS; verb++)
			for (size_t i = 0; i < n_contenders; i++) {
				struct contender *c =
					&contenders[(i + (size_t)(round + WARM_UP)) % n_contenders];

				if (!sits_out(c, round, rounds))
					call(c, verb, (unsigned int)(round + WARM_UP), round >= 0);
			}
}

/* `calls` is the fourth word of the last line of strace's table. */
static long read_count(const struct contender *c)
{
	const struct path counts = file_of(c, "counts");
	FILE *file = fopen(counts.s, "re");
	char line[256];
	long calls = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, " total\n")) {
			char *at = line;

			for (int word = 0; word < 4; word++)
				calls = (long)strtod(at, &at);
		}
	if (!file || !calls)
		fail(counts.s);
	fclose(file);
	return calls;
}

static void count_calls(void)
{
	traced = true;
	for (size_t i = 0; i < n_contenders; i++)
		for (enum verb verb = 0; verb < VERBS; verb++) {
			call(&contenders[i], verb, SAMPLES_MAX, false);
			contenders[i].samples[verb].calls = read_count(&contenders[i]);
		}
	traced = false;
}

static void all_at_once(struct contender *c, enum verb verb, unsigned int first, unsigned int parallel,
			bool counts)
{
	pid_t pids[PARALLEL_MAX];
	double began[PARALLEL_MAX] = { 0 };

	for (unsigned int i = 0; i < parallel; i++) {
		began[i] = now();
		pids[i] = start(c, verb, first + i, i, "/dev/null");
	}
	for (unsigned int left = parallel; left > 0; left--) {
		struct rusage usage;
		unsigned int i = 0;
		int status;
		pid_t pid = wait4(-1, &status, 0, &usage);
		double end = now();

		while (i < parallel && pids[i] != pid)
			i++;
		must_succeed(c, verb, i < parallel ? status : -1);
		if (counts)
			keep(&c->samples[verb], end - began[i], &usage);
	}
}

static void in_crowds(int rounds, unsigned int parallel)
{
	for (int round = -1; round < rounds; round++)
		for (size_t i = 0; i < n_contenders; i++) {
			struct contender *c = &contenders[(i + (size_t)round + 1) % n_contenders];

			if (sits_out(c, round, rounds))
				continue;
			all_at_once(c, ADD, (unsigned int)(round + 1) * parallel, parallel, round >= 0);
			all_at_once(c, DEL, (unsigned int)(round + 1) * parallel, parallel, round >= 0);
		}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of what is sorted. */
static double percentile(const double *values, size_t n, unsigned int percent)
{
	return values[(n - 1) * percent / 100];
}

static void report(struct contender *c, enum verb verb, const char *label)
{
	struct samples *s = &c->samples[verb];

	if (!s->n)
		return;
	qsort(s->wall, s->n, sizeof(*s->wall), by_value);
	qsort(s->cpu, s->n, sizeof(*s->cpu), by_value);
	printf("{%s,\"who\":\"%s\",\"verb\":\"%s\",\"n\":%zu,\"p10\":%.0f,\"p50\":%.0f,\"p90\":%.0f,"
	       "\"p99\":%.0f,\"cpu\":%.0f,\"rss\":%ld,\"calls\":%ld}\n",
	       label, c->name, verb_names[verb], s->n, percentile(s->wall, s->n, 10),
	       percentile(s->wall, s->n, 50), percentile(s->wall, s->n, 90), percentile(s->wall, s->n, 99),
	       percentile(s->cpu, s->n, 50), s->rss, s->calls);
}

static bool read_contender(char *text)
{
	struct contender *c = &contenders[n_contenders++];
	char *words[7] = { NULL };

	for (int i = 0; i < 7 && text; i++)
		words[i] = strsep(&text, "|");
	if (n_contenders > CONTENDERS_MAX || !words[5] || !strchr(words[5], '/'))
		return false;
	*c = (struct contender){ .name = words[0], .netns = words[2], .args = words[3], .conf = words[4] };
	c->rounds = (int)strtol(words[1], NULL, 10);
	c->argv[0] = words[5];
	c->argv[1] = words[6];
	return true;
}

int main(int argc, char **argv)
{
	int option, rounds = 21;
	unsigned int parallel = 0;
	const char *label = NULL;
	bool count = false;

	while ((option = getopt(argc, argv, "r:p:sd:l:")) >= 0) {
		switch (option) {
		case 'r':
			rounds = (int)strtol(optarg, NULL, 10);
			break;
		case 'p':
			parallel = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 's':
			count = true;
			break;
		case 'd':
			directory = optarg;
			break;
		case 'l':
			label = optarg;
			break;
		default:
			return 2;
		}
	}
	for (; optind < argc && n_contenders < CONTENDERS_MAX; optind++)
		if (!read_contender(argv[optind]))
			return 2;
	if (!directory || !label || !n_contenders || rounds < 1 || parallel > PARALLEL_MAX)
		return 2;
	if (parallel)
		in_crowds(rounds, parallel);
	else
		in_turns(rounds);
	if (count)
		count_calls();
	for (enum verb verb = 0; verb < VERBS; verb++)
		for (size_t i = 0; i < n_contenders; i++)
			report(&contenders[i], verb, label);
	return 0;
}
