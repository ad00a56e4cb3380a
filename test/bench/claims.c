/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims [OPTION...] NODES DIRECTORY NAME CONFIGURATION: so many new nodes, NAME-0 and on, claim a block
 * each, by the code of addrpool-claim, each in a process and a store of its own. Prints what each claim cost,
 * as one JSON object a line:
 *
 *	ms            from start to end
 *	engine_ms     of these, waiting for answers; TLS and the time for a processor are in it
 *	calls         requests that were sent
 *	bytes         of requests and answers, with their heads, without TLS
 *	listed        of these, in lists of all blocks
 *	code, msg     of the error; 0 and ""
 *	cpu_ms, rss   of the process, all its claims; KiB
 *
 *	-p NODES  so many at a time, not all at once
 *	-c CLAIMS each node claims so many blocks
 *	-r SECONDS  repeat a claim that failed after so many seconds, by half more or less, for ten minutes
 *	-x FILE   run this program, which is addrpool-claim: ms, cpu_ms and rss are those of a process that is
 *	          started for a claim, and calls and bytes are not known
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "claim/claim.h"
#include "claim/node.h"
#include "cni/cleanup.h"
#include "cni/process.h"

struct cost {
	double ms, engine_ms, cpu_ms;
	long calls, bytes, listed, rss, tries;
	struct cni_error error;
};

#define REPEAT_MS 600000

static struct {
	int nodes, claims, at_a_time, repeat;
	const char *directory, *name, *program;
	const json_t *conf;
} bench = { .claims = 1 };

/* Of the claim that this process is about. */
static struct cost *cost;

/* Of all processes: the start of those that claim at once. */
static struct {
	double at;
	int ready;
} * start;

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* CURLOPT_DEBUGFUNCTION: what goes to and fro within TLS. */
// NOLINTNEXTLINE(readability-non-const-parameter): curl's type
static int count_bytes(CURL *curl, curl_infotype type, char *data, size_t size, void *arg)
{
	(void)curl, (void)data, (void)arg;
	if (type >= CURLINFO_HEADER_IN && type <= CURLINFO_DATA_OUT)
		cost->bytes += (long)size;
	return 0;
}

/* The linker's --wrap gives these names. */
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
CURLMcode __real_curl_multi_add_handle(CURLM *multi, CURL *curl);
CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *curl);
CURLMcode __real_curl_multi_remove_handle(CURLM *multi, CURL *curl);
CURLMcode __wrap_curl_multi_remove_handle(CURLM *multi, CURL *curl);
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

/* The linker puts them in the place of curl's: a request begins with the first, and ends with the second. */
CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, count_bytes);
	cost->calls++;
	cost->engine_ms -= now_ms();
	return __real_curl_multi_add_handle(multi, curl);
}

CURLMcode __wrap_curl_multi_remove_handle(CURLM *multi, CURL *curl)
{
	const CURLMcode rc = __real_curl_multi_remove_handle(multi, curl);

	cost->engine_ms += now_ms();
	return rc;
}

static const struct engine_kind *kind;

static int list_blocks(struct engine *engine, struct taken *ret, struct cni_error *err)
{
	const long before = cost->bytes;
	const int rc = kind->list_blocks(engine, ret, err);

	cost->listed += cost->bytes - before;
	return rc;
}

/* The configuration of a node, which is a copy of the one for all. */
static json_t *conf_of(int n)
{
	json_t *conf = json_deep_copy(bench.conf), *ipam = json_object_get(conf, "ipam");
	char text[4096];

	snprintf(text, sizeof(text), "%s/%d", bench.directory, n);
	json_object_set_new(ipam, "dataDir", json_string(text));
	snprintf(text, sizeof(text), "%s-%d", bench.name, n);
	json_object_set_new(json_object_get(ipam, "cluster"), "node", json_string(text));
	return conf;
}

static bool are_all_at_once(void)
{
	return bench.at_a_time == bench.nodes && !bench.program;
}

static void wait_for_start(void)
{
	__atomic_add_fetch(&start->ready, 1, __ATOMIC_SEQ_CST);
	while (!start->at)
		usleep(10000);
	while (now_ms() < start->at)
		usleep(1000);
}

static int claim_with(struct node *node, size_t before, struct cni_error *err)
{
	const struct ip any = { .family = 0 };
	struct engine_kind counting;
	static double begun;
	int rc;

	node->engine = node->conf->cluster.etcd ? etcd_open(&node->conf->cluster, err)
						: kubernetes_open(&node->conf->cluster, err);
	if (!node->engine)
		return -1;
	kind = node->engine->kind;
	counting = *kind;
	counting.list_blocks = list_blocks;
	node->engine->kind = &counting;
	if (!cost->tries++) {
		if (before == 0 && are_all_at_once())
			wait_for_start();
		begun = now_ms();
	}
	rc = claim_more(node, 0, before, &any, err);
	cost->ms = now_ms() - begun;
	kind->close(node->engine);
	close(node->lock);
	return rc;
}

static void claim(json_t *doc, size_t before)
{
	struct request req = { .args = "", .command = "ADD" };
	struct cni_error err = { 0 };
	struct conf conf;
	struct node node = { .req = &req, .conf = &conf, .lock = -1 };

	if (request_read_conf(&req, doc, &err) == 0 && addrpool_conf_read(&conf, &req, &err) == 0) {
		if (node_describe(&node.self, &conf.cluster, &err) == 0)
			claim_with(&node, before, &err);
		addrpool_conf_free(&conf);
	}
	cost->error = err;
}

static void run_program(const json_t *doc)
{
	int in = memfd_create("configuration", 0), out = open("/dev/null", O_WRONLY);

	if (json_dumpfd(doc, in, 0) < 0 || lseek(in, 0, SEEK_SET) < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(1);
	execl(bench.program, bench.program, "claim", "0", "0", (char *)NULL);
	_exit(1);
}

struct process {
	pid_t pid;
	double begun;
	struct cost *costs; /* of its claims */
};

static void begin(struct process *process, int n, struct cost *costs)
{
	json_t *doc;

	*process = (struct process){ .begun = now_ms(), .costs = costs + (size_t)n * (size_t)bench.claims };
	process->pid = fork();
	if (process->pid)
		return;
	process_begin();
	srandom((unsigned int)n);
	doc = conf_of(n);
	if (bench.program)
		run_program(doc);
	for (int i = 0; i < bench.claims; i++) {
		cost = &process->costs[i];
		claim(doc, (size_t)i);
		while (bench.repeat && cost->error.code && cost->ms < REPEAT_MS) {
			usleep((useconds_t)((500 + random() % 1000) * 1000 * bench.repeat));
			claim(doc, (size_t)i);
		}
	}
	_exit(0);
}

static void end(const struct process *process)
{
	struct rusage usage;
	int status;

	if (wait4(process->pid, &status, 0, &usage) != process->pid)
		exit(1);
	for (int i = 0; i < bench.claims; i++) {
		struct cost *c = &process->costs[i];

		c->rss = usage.ru_maxrss;
		c->cpu_ms = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
			    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
		if (status)
			c->error.code = 1;
		if (bench.program)
			c->ms = now_ms() - process->begun;
	}
}

static void run(struct cost *costs)
{
	autofree struct process *processes = calloc((size_t)bench.nodes, sizeof(*processes));
	int ended = 0;

	for (int n = 0; processes && n < bench.nodes; n++) {
		if (n - ended == bench.at_a_time)
			end(&processes[ended++]);
		begin(&processes[n], n, costs);
	}
	while (are_all_at_once() && start->ready < bench.nodes)
		usleep(10000);
	start->at = now_ms() + 100;
	while (processes && ended < bench.nodes)
		end(&processes[ended++]);
}

static void print(const struct cost *c)
{
	json_t *line = json_pack("{s:f, s:f, s:I, s:I, s:I, s:i, s:s, s:f, s:I}", "ms", c->ms, "engine_ms",
				 c->engine_ms, "calls", (json_int_t)c->calls, "bytes", (json_int_t)c->bytes,
				 "listed", (json_int_t)c->listed, "code", c->error.code, "msg", c->error.msg,
				 "cpu_ms", c->cpu_ms, "rss", (json_int_t)c->rss);

	json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(line);
}

static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	perror("mmap");
	exit(1);
}

int main(int argc, char **argv)
{
	struct cost *costs;
	size_t n;

	for (int option; (option = getopt(argc, argv, "p:c:r:x:")) != -1;)
		switch (option) {
		case 'p':
			bench.at_a_time = (int)strtol(optarg, NULL, 10);
			break;
		case 'c':
			bench.claims = (int)strtol(optarg, NULL, 10);
			break;
		case 'r':
			bench.repeat = (int)strtol(optarg, NULL, 10);
			break;
		case 'x':
			bench.program = optarg;
			break;
		default:
			return 2;
		}
	if (argc - optind != 4 || (bench.nodes = (int)strtol(argv[optind], NULL, 10)) < 1)
		return 2;
	if (bench.at_a_time < 1 || bench.at_a_time > bench.nodes)
		bench.at_a_time = bench.nodes;
	bench.directory = argv[optind + 1];
	bench.name = argv[optind + 2];
	bench.conf = json_load_file(argv[optind + 3], 0, NULL);
	n = (size_t)bench.nodes * (size_t)bench.claims;
	costs = shared(n * sizeof(*costs));
	start = shared(sizeof(*start));
	run(costs);
	for (size_t i = 0; i < n; i++)
		print(&costs[i]);
	return 0;
}
