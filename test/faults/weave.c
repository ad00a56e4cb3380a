/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults weave [-a] [-s STEP] [-1 CALLS] [-2 CONF] [-b BEFORE] [-m MEND] X Y DIRECTORY CONF: stops
 * call X before each system call that changes something outside its process, makes call Y, and lets
 * X continue. Y may be two calls, Y+Y.
 *
 * A call is VERB[.2][:CONTAINER[,CONTAINER]...[@NAMESPACE]]: with CONF, or that of -2, in the
 * network namespace that has the container's name or another one. GC knows only these containers;
 * "gc" is ipvlanctl gc --yes. The program is the configuration's "type", perhaps an IPAM plugin, in
 * DIRECTORY or CNI_PATH. Before each case CALLS are made, which must succeed, and the shell command
 * BEFORE is run; after it MEND, which repairs the machine.
 *
 * If Y waits for a lock that X holds, X continues, and both end in any order.
 *
 * Before that the calls are made whole in each order, X before Y, after it, or between two, to
 * learn the end of each order. An end is: for each call success or its code; for the machine all of
 * inventory(), in the form of state(); and who reaches whom. After a case
 *
 * 1. outcomes and machine are those of an order; or
 * 2. calls have failed for the sake of the others, and the rest, which is the others' outcomes and the
 *    machine, is that of an order without them. A call may fail so
 *	- by code 11: call again;
 *	- an ADD beside an ADD of the same container, by code 100;
 *	- an ADD beside a DEL, GC or gc, with a message that says "meanwhile".
 *
 * A case has failed if an order leaves an address without a lease on an interface, or a lease
 * without an interface. In all cases other pods reach the same hosts as before, and are reached by
 * them. In the end DEL of each container, twice, and GC succeed, GC has nothing to do, all is as it
 * was at the start, no lock is held, and no process is left.
 *
 * -a: before each system call. -s: only each STEP-th of them.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

#define WORDS 16
#define CALLS 3
#define ENDS 32
#define LOCK_PATIENCE \
	50 /* that a call sleeps, in units of 2 ms, before it is believed to wait for a lock \
	    */

struct word {
	char text[64], verb[16], container[32], netns[32];
	int conf; /* from 0 */
	char *gc; /* the configuration for GC */
};

/* Some of the calls, in this order. */
struct order {
	int call[CALLS];
	int n;
};

/* The end of an order, or of a case. */
struct end {
	struct order order;
	int code[CALLS]; /* of each call; 0: success */
	char *state;
	struct reach reach;
};

static struct {
	struct word call[CALLS]; /* X, and Y */
	int n_calls;
	struct word before[WORDS], pods[WORDS];
	int n_before, n_pods;
	const char *confs[2];
	char *types[2];
	const char *before_it, *mend;
	struct end ends[ENDS]; /* those that are known */
	int n_ends;
	char *very_begin; /* the inventory */
	json_t *results;  /* of ADD, by container */
	bool all;
	int step, cases, passed, skipped;
} weave = { .step = 1 };

static struct outcome outcomes[CALLS], after;
static struct running beside;
static int begun; /* the last call of Y that was */

static int usage(void)
{
	fputs("faults weave [-a] [-s STEP] [-1 CALLS] [-2 CONF] [-b BEFORE] [-m MEND] X Y DIRECTORY CONF\n",
	      stderr);
	return 2;
}

static bool is_verb(const struct word *word, const char *verb)
{
	return !strcmp(word->verb, verb);
}

static void read_word(const char *text, struct word *ret)
{
	int len;

	*ret = (struct word){ .conf = 0 };
	snprintf(ret->text, sizeof(ret->text), "%s", text);
	len = (int)strcspn(text, ".:");
	snprintf(ret->verb, sizeof(ret->verb), "%.*s", len, text);
	text += len;
	if (*text == '.') {
		ret->conf = text[1] == '2' && weave.confs[1] ? 1 : 0;
		text += strcspn(text, ":");
	}
	text += *text == ':';
	len = (int)strcspn(text, "@");
	snprintf(ret->container, sizeof(ret->container), "%.*s", len, text);
	snprintf(ret->netns, sizeof(ret->netns), "%s", text[len] ? text + len + 1 : ret->container);
	if (is_verb(ret, "GC"))
		ret->gc = collecting(weave.confs[ret->conf], ret->container);
}

/* Notes the pod for a DEL in the end. */
static void note_pod(const struct word *word)
{
	if (is_verb(word, "GC") || is_verb(word, "gc"))
		return;
	for (int i = 0; i < weave.n_pods; i++)
		if (!strcmp(weave.pods[i].container, word->container) &&
		    !strcmp(weave.pods[i].netns, word->netns) && weave.pods[i].conf == word->conf)
			return;
	weave.pods[weave.n_pods] = *word;
	snprintf(weave.pods[weave.n_pods++].verb, sizeof(word->verb), "DEL");
}

/* CHECK receives the result of ADD. To be freed. */
static char *conf_of(const struct word *word)
{
	json_t *conf, *result = json_object_get(weave.results, word->container);
	char *text;

	if (word->gc || !is_verb(word, "CHECK"))
		return strdup(word->gc ? word->gc : weave.confs[word->conf]);
	conf = json_loads(weave.confs[word->conf], 0, NULL);
	json_object_set(conf, "prevResult", result);
	text = json_dumps(conf, 0);
	json_decref(conf);
	return text;
}

static struct invocation invocation_of(const struct word *word, const char *conf)
{
	return (struct invocation){ is_verb(word, "gc") ? "ipvlanctl" : weave.types[word->conf], word->verb,
				    word->container, word->netns, conf };
}

static void note_result(const struct word *word, const struct outcome *o)
{
	if (is_verb(word, "ADD") && o->status == 0)
		json_object_set_new(weave.results, word->container, json_loads(o->out, 0, NULL));
}

/* The inventory, and the results that the containers have. */
static char *whole_state(void)
{
	char *more = NULL, *ret;
	size_t size;
	FILE *text = open_memstream(&more, &size);
	const char *container;
	json_t *result, *ip;
	size_t i;

	json_object_foreach(weave.results, container, result)
		json_array_foreach(json_object_get(result, "ips"), i, ip)
			fprintf(text, "result of %s: %s\n", container,
				json_string_value(json_object_get(ip, "address")));
	fclose(text);
	ret = state(more);
	free(more);
	return ret;
}

static void make_call(const struct word *word, const struct fault *fault, struct outcome *ret)
{
	char *conf = conf_of(word);
	const struct invocation what = invocation_of(word, conf);

	call_this(&what, fault, ret);
	note_result(word, ret);
	free(conf);
}

static int complain(const char *what, const struct outcome *o)
{
	printf("  %s: status %x: %.600s\n%.600s", what, (unsigned int)o->status, o->out, o->err);
	return -1;
}

/* 0, or the code that a call reported; -1: neither. */
static int code_of(const struct outcome *o)
{
	json_t *answer = json_loads(o->out, 0, NULL), *code = json_object_get(answer, "code");
	int ret = o->status == 0 ? 0 : json_is_integer(code) ? (int)json_integer_value(code) : -1;

	/* ipvlanctl reports errors as text */
	if (WIFEXITED(o->status) && o->status && !answer && *o->err)
		ret = 1;
	json_decref(answer);
	return o->hung ? -1 : ret;
}

static int expect(const struct word *word)
{
	make_call(word, NULL, &after);
	if (after.status == 0 && !after.hung)
		return 0;
	return complain(word->text, &after);
}

/* Brings the machine into the state before X and Y. */
static int set_up(void)
{
	json_object_clear(weave.results);
	for (int i = 0; i < weave.n_before; i++)
		if (expect(&weave.before[i]) < 0)
			return -1;
	if (!weave.before_it || happens(weave.before_it))
		return 0;
	puts("  what comes before failed");
	return -1;
}

static void show_difference(const char *is, const char *should)
{
	static char diff[] = "/usr/bin/diff", paths[2][32] = { "/tmp/weave.should", "/tmp/weave.is" };
	const char *const texts[] = { should, is };
	char *const env[] = { NULL };

	for (int i = 0; i < 2; i++) {
		FILE *file = fopen(paths[i], "we");

		if (!file)
			return;
		fputs(texts[i], file);
		fclose(file);
	}
	run((char *[]){ diff, paths[0], paths[1], NULL }, env, "", NULL, &after);
	printf("%.3000s", after.out);
}

static int end_calls(void)
{
	int rc = 0;

	for (int i = 0; i < 2 * weave.n_pods; i++)
		rc |= expect(&weave.pods[i / 2]);
	for (int i = 0; i < 2 && weave.confs[i]; i++) {
		struct word gc = { .text = "GC in the end", .verb = "GC", .conf = i };

		gc.gc = collecting(weave.confs[i], "");
		rc |= expect(&gc);
		free(gc.gc);
		if (*after.err)
			rc = complain("GC has found something", &after);
	}
	return rc;
}

/* Brings the machine back to its state at the start. */
static int take_down(void)
{
	char *text;
	int rc = 0;

	if (weave.mend && !happens(weave.mend)) {
		puts("  what should put the machine right failed");
		rc = -1;
	}
	rc |= end_calls();
	if (lock_held()) {
		puts("  a lock is held");
		rc = -1;
	}
	text = inventory();
	if (strcmp(text, weave.very_begin) != 0) {
		puts("  in the end not all is as it was in the beginning:");
		show_difference(text, weave.very_begin);
		rc = -1;
	}
	free(text);
	return rc;
}

/* Makes what the first call makes and leaves, such as locks, and a namespace's number for ours. */
static void settle(void)
{
	for (int i = 0; i < weave.n_pods; i++) {
		struct word add = weave.pods[i];

		snprintf(add.verb, sizeof(add.verb), "ADD");
		make_call(&add, NULL, &after);
		expect(&weave.pods[i]);
	}
	free(weave.very_begin);
	weave.very_begin = inventory();
}

/* Removes the remains of a case. */
static void tidy_up(void)
{
	happens("for n in /run/netns/*; do n=${n##*/}; case $n in lan | stranger*) ;;"
		"	*) ip netns del $n; ip netns add $n ;; esac; done\n"
		"for l in /sys/class/net/*; do l=${l##*/}; case $l in eth0.* | ipv*) ip link del $l ;;"
		"	*) ip -d link show dev $l | grep -q dummy && ip link del $l ;; esac; done "
		"2>/dev/null\n"
		"for f in -4 -6; do ip $f route show table all proto 105 | while read -r r; do"
		"	ip $f route del $r; done; done 2>/dev/null\n"
		"ip neigh show proxy dev eth0 | while read -r a r; do ip neigh del proxy $a dev eth0; done\n"
		"for s in forwarding proxy_arp; do echo 0 >/proc/sys/net/ipv4/conf/eth0/$s; done\n"
		"nft flush ruleset 2>/dev/null\n"
		"rm -rf /run/cni/ipvlan/* /var/lib/cni/networks/* /var/lib/cni/networks/.addrpool "
		"/etc/netns/*\n"
		"sleep 0.1");
	settle();
}

static const char *order_text(const struct order *order)
{
	static char text[256];
	size_t len = 0;

	*text = '\0';
	for (int i = 0; i < order->n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? ", then " : "",
					weave.call[order->call[i]].text);
	return text;
}

/* Makes the calls of ret->order. */
static void run_order(struct end *ret)
{
	if (set_up() < 0)
		exit(2);
	for (int i = 0; i < ret->order.n; i++) {
		const int which = ret->order.call[i];

		make_call(&weave.call[which], NULL, &outcomes[which]);
		ret->code[which] = code_of(&outcomes[which]);
	}
	ret->state = whole_state();
}

static bool same_order(const struct order *a, const struct order *b)
{
	return a->n == b->n && memcmp(a->call, b->call, sizeof(*a->call) * (size_t)a->n) == 0;
}

static const struct end *known_end(const struct order *order)
{
	for (int i = 0; i < weave.n_ends; i++)
		if (same_order(&weave.ends[i].order, order))
			return &weave.ends[i];
	return NULL;
}

static void fail_order(const char *why, const struct order *order, int *rc)
{
	printf("  %s\nFAILED in sequence: %s\n", why, order_text(order));
	*rc = -1;
}

/* Makes the calls in this order and keeps their end. */
static int find_end(const struct order *order)
{
	struct end *ret = &weave.ends[weave.n_ends++];
	const char *fault;
	int rc = 0;

	ret->order = *order;
	run_order(ret);
	fault = state_fault(ret->state);
	if (fault && !strncmp(weave.types[0], "ipvlan", 6))
		fail_order(fault, order, &rc);
	reach(NULL, &ret->reach);
	for (int i = 0; i < order->n; i++)
		if (ret->code[order->call[i]] < 0)
			fail_order("a call neither succeeds nor says why not", order, &rc);
	if (take_down() < 0) {
		fail_order("it does not end as it began", order, &rc);
		tidy_up();
	}
	return rc;
}

/* The orders of the calls that are not left out: X before or after each of Y. Returns their number. */
static int orders(const bool left_out[CALLS], struct order ret[CALLS])
{
	int n = 0;

	for (int place = 0; place < weave.n_calls; place++) {
		struct order order = { .n = 0 };

		for (int y = 1; y <= weave.n_calls; y++) {
			if (y - 1 == place && !left_out[0])
				order.call[order.n++] = 0;
			if (y < weave.n_calls && !left_out[y])
				order.call[order.n++] = y;
		}
		if (n == 0 || !same_order(&ret[n - 1], &order))
			ret[n++] = order;
	}
	return n;
}

/* Has a call failed because of another call? */
static bool gave_way(int which, int code)
{
	const struct word *me = &weave.call[which];

	if (code == 11)
		return true;
	for (int i = 0; i < weave.n_calls && code > 0 && is_verb(me, "ADD"); i++) {
		const struct word *other = &weave.call[i];

		if (i != which && is_verb(other, "ADD") && !strcmp(me->container, other->container) &&
		    code == 100)
			return true;
		if (!is_verb(other, "ADD") && !is_verb(other, "CHECK") &&
		    strstr(outcomes[which].out, "meanwhile"))
			return true;
	}
	return false;
}

static bool agrees(struct end *is, const struct end *should, const char **why)
{
	for (int i = 0; i < should->order.n; i++)
		if (is->code[should->order.call[i]] != should->code[should->order.call[i]])
			return false;
	if (strcmp(is->state, should->state) != 0)
		return false;
	reach(&should->reach, &is->reach);
	*why = reach_missing(&should->reach, &is->reach);
	return !*why;
}

/* Is it the end of an order without those calls? *unknown: an order whose end is not known yet. */
static bool is_order_without(struct end *is, const bool left_out[CALLS], const char **why,
			     struct order *unknown)
{
	struct order all[CALLS];
	const int n = orders(left_out, all);

	for (int i = 0; i < n; i++) {
		const struct end *end = known_end(&all[i]);

		if (!end)
			*unknown = all[i];
		else if (agrees(is, end, why))
			return true;
	}
	return false;
}

/* The same without any of the calls that have failed because of others. */
static bool is_allowed(struct end *is, const char **why, struct order *unknown)
{
	unknown->n = -1;
	for (int set = 0; set < 1 << weave.n_calls; set++) {
		bool left_out[CALLS] = { false }, fits = true;

		for (int i = 0; i < weave.n_calls; i++) {
			left_out[i] = set >> i & 1;
			fits &= !left_out[i] || gave_way(i, is->code[i]);
		}
		if (fits && is_order_without(is, left_out, why, unknown))
			return true;
	}
	return false;
}

static void explain(const struct end *is, const char *why)
{
	printf("  the codes are");
	for (int i = 0; i < weave.n_calls; i++)
		printf(" %d", is->code[i]);
	puts("");
	for (int i = 0; i < weave.n_calls; i++)
		if (is->code[i])
			complain(weave.call[i].text, &outcomes[i]);
	if (why)
		printf("  %s\n", why);
	for (int i = 0; i < weave.n_ends && !why; i++) {
		const struct end *end = &weave.ends[i];

		printf("  beside %s, codes", order_text(&end->order));
		for (int k = 0; k < weave.n_calls; k++)
			printf(" %d", end->code[k]);
		puts(":");
		show_difference(is->state, end->state);
	}
}

/* Does any process wait for a lock? Only ours run on this machine. */
static bool waits_for_lock(void)
{
	FILE *file = fopen("/proc/locks", "re");
	char line[256];
	bool waits = false;

	while (file && fgets(line, sizeof(line), file))
		waits |= strstr(line, "-> ") != NULL;
	if (file)
		fclose(file);
	return waits;
}

/* "1: FLOCK  ADVISORY  WRITE 123 08:02:456 0 EOF" */
static bool is_held_beside(pid_t pid)
{
	FILE *file = fopen("/proc/locks", "re");
	char line[256], holder[16];
	bool held = false;

	while (file && fgets(line, sizeof(line), file))
		held |= sscanf(line, "%*s %*s %*s %*s %15s", holder) == 1 && strtol(holder, NULL, 10) != pid;
	if (file)
		fclose(file);
	return held;
}

static bool sleeps(pid_t pid)
{
	char path[64], state = ' ';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = ' ';
	if (file)
		fclose(file);
	return state == 'S';
}

/* While X is stopped: makes Y until it has ended or waits for X. */
static bool other_call(void)
{
	for (begun = 1; begun < weave.n_calls; begun++) {
		const struct word *word = &weave.call[begun];
		char *conf = conf_of(word);
		const struct invocation what = invocation_of(word, conf);
		int asleep = 0;

		begin(&what, false, &beside);
		free(conf);
		while (!over(&beside, 2) && !waits_for_lock() && !beside.hung && asleep < LOCK_PATIENCE)
			asleep = sleeps(beside.pid) && is_held_beside(beside.pid) ? asleep + 1 : 0;
		if (!beside.ended)
			break;
		finish(&beside, &outcomes[begun]);
		note_result(word, &outcomes[begun]);
	}
	return true;
}

/* Ends the calls of Y that had to wait for X, and makes the rest. */
static void end_other_calls(void)
{
	if (begun < weave.n_calls) {
		finish(&beside, &outcomes[begun]);
		note_result(&weave.call[begun], &outcomes[begun]);
	}
	while (++begun < weave.n_calls)
		make_call(&weave.call[begun], NULL, &outcomes[begun]);
}

/* Returns whether X reached the point. */
static bool run_case(const struct point *at, struct end *ret)
{
	const struct fault fault = { .blow = HAPPEN, .at = *at, .event = other_call };

	*ret = (struct end){ .state = NULL };
	if (set_up() < 0)
		exit(2);
	make_call(&weave.call[0], &fault, &outcomes[0]);
	if (!outcomes[0].struck)
		return false;
	/* a runtime keeps the result of the call that it has made last, not of the one that has
	 * ended last */
	for (int i = 1; i < begun; i++)
		note_result(&weave.call[i], &outcomes[i]);
	end_other_calls();
	for (int i = 0; i < weave.n_calls; i++)
		ret->code[i] = code_of(&outcomes[i]);
	ret->state = whole_state();
	return true;
}

/* 0, -1, or 1: the case must be repeated, since the end of its order has only now become known. */
static int judge(struct end *is)
{
	const char *why = NULL;
	struct order unknown;
	bool right = is_allowed(is, &why, &unknown);

	for (int i = 0; i < weave.n_calls; i++)
		if (is->code[i] < 0)
			right = false;
	if (take_down() < 0 || (!right && unknown.n < 0)) {
		explain(is, why);
		return -1;
	}
	if (right)
		return 0;
	find_end(&unknown);
	return 1;
}

static void one_case(const struct point *at)
{
	struct end is;
	int rc = 1;

	while (rc == 1) {
		if (!run_case(at, &is)) {
			weave.skipped++;
			if (take_down() < 0)
				tidy_up();
			return;
		}
		rc = judge(&is);
		free(is.state);
	}
	weave.cases++;
	if (rc == 0) {
		weave.passed++;
		return;
	}
	printf("FAILED %s, stopped in process %d before system call number %ld, message %d, for the %d. "
	       "time:",
	       weave.call[0].text, at->process, at->call, at->message, at->nth);
	for (int i = 1; i < weave.n_calls; i++)
		printf(" %s", weave.call[i].text);
	puts("");
	tidy_up();
}

static bool is_place(const struct point *at)
{
	return weave.all ||
	       (at->changes && at->call != SYS_setns && at->call != SYS_prctl && at->call != SYS_exit_group);
}

static void all_cases(void)
{
	static const bool none_left_out[CALLS];
	static struct outcome whole;
	struct order all[CALLS];
	const struct fault none = { .blow = NO_BLOW };
	unsigned int turn = 0;

	/* other cases in each scenario */
	for (int i = 0; i < weave.n_calls; i++)
		for (const char *c = weave.call[i].text; *c; c++)
			turn += (unsigned char)*c;
	settle();
	for (int i = 0, n = orders(none_left_out, all); i < n; i++) {
		weave.cases++;
		weave.passed += find_end(&all[i]) == 0;
	}
	if (set_up() < 0)
		exit(2);
	make_call(&weave.call[0], &none, &whole);
	if (take_down() < 0)
		tidy_up();
	for (size_t i = 1; i < whole.n; i++)
		if (is_place(&whole.points[i]) && turn++ % (unsigned int)weave.step == 0)
			one_case(&whole.points[i]);
}

static void prepare(void)
{
	static char confs[] = "/tmp/weave.XXXXXX";

	runtime.others = getenv("CNI_PATH");
	runtime.confs = mkdtemp(confs);
	for (int i = 0; i < 2 && weave.confs[i]; i++) {
		json_t *conf = json_loads(weave.confs[i], 0, NULL);
		char path[PATH_MAX];

		read_conf(weave.confs[i]);
		weave.types[i] = strdup(json_string_value(json_object_get(conf, "type")));
		snprintf(path, sizeof(path), "%s/%d.conf", confs, i);
		json_dump_file(conf, path, 0);
		json_decref(conf);
	}
}

static void read_words(char *text)
{
	char *rest = NULL;

	for (char *word = strtok_r(text, " ", &rest); word && weave.n_before < WORDS;
	     word = strtok_r(NULL, " ", &rest))
		read_word(word, &weave.before[weave.n_before++]);
}

int weave_main(int argc, char **argv)
{
	char *before = NULL;
	int option;

	while ((option = getopt(argc, argv, "as:1:2:b:m:")) != -1) {
		if (option == 'a')
			weave.all = true;
		else if (option == 's')
			weave.step = (int)strtol(optarg, NULL, 10);
		else if (option == '1')
			before = optarg;
		else if (option == '2')
			weave.confs[1] = optarg;
		else if (option == 'b')
			weave.before_it = optarg;
		else if (option == 'm')
			weave.mend = optarg;
	}
	argv += optind;
	if (argc - optind != 4 || weave.step < 1)
		return usage();
	runtime.build = argv[2];
	weave.confs[0] = argv[3];
	weave.results = json_object();
	prepare();
	read_words(before ? before : strdup(""));
	read_word(argv[0], &weave.call[weave.n_calls++]);
	for (char *rest = NULL, *y = strtok_r(argv[1], "+", &rest); y && weave.n_calls < CALLS;
	     y = strtok_r(NULL, "+", &rest))
		read_word(y, &weave.call[weave.n_calls++]);
	for (int i = 0; i < weave.n_before; i++)
		note_pod(&weave.before[i]);
	for (int i = 0; i < weave.n_calls; i++)
		note_pod(&weave.call[i]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	all_cases();
	printf("%s/%s: %d cases, %d passed, %d not reached\n", weave.call[0].verb, weave.call[1].verb,
	       weave.cases, weave.passed, weave.skipped);
	return weave.passed != weave.cases || weave.cases == 0;
}
