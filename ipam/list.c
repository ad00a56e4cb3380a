#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cni/json.h"
#include "ipam/nodes.h"
#include "ipam/survey.h"
#include "ipam/verbs.h"

static const char *const states[] = {
	[LIVE] = "live",       [STALE] = "stale", [EARLIER] = "earlier boot",
	[UNKNOWN] = "unknown", [EMPTY] = "empty",
};

static const char usage_text[] =
	"usage: addrpool [--json] FILE...\n"
	"       addrpool release-node [--yes] NODE FILE\n"
	"\n"
	"Lists the address pools of the networks that are configured in each FILE, a\n"
	"configuration (.conf) or a list (.conflist) with \"type\": \"addrpool\" or\n"
	"\"host-local\" in its \"ipam\". States of a lease:\n"
	"\n"
	"  live           its network namespace exists\n"
	"  stale          its network namespace is gone\n"
	"  earlier boot   leased before the machine was restarted\n"
	"  unknown        leased by host-local, or for something that is no namespace\n"
	"  empty          a file without content; the address is free\n"
	"\n"
	"Stale ones, those of an earlier boot and empty ones are free for the next ADD\n"
	"that finds nothing else. Where \"cluster\" shares a pool among nodes, its blocks are\n"
	"listed as well: which node owns which.\n"
	"\n"
	"release-node shows the blocks of a NODE that is gone for good, and with --yes\n"
	"gives them to whoever claims them next.\n";

struct when {
	char s[32];
};

static struct when when(time_t time)
{
	struct when text;
	struct tm tm;

	if (!gmtime_r(&time, &tm) || !strftime(text.s, sizeof(text.s), "%Y-%m-%dT%H:%M:%SZ", &tm))
		strcpy(text.s, "?");
	return text;
}

struct number {
	char s[24];
};

static struct number number(uint64_t n)
{
	struct number text;

	snprintf(text.s, sizeof(text.s), n == UINT64_MAX ? "2^63 or more" : "%" PRIu64, n);
	return text;
}

static void print_pool(const struct conf *conf, size_t i, const struct usage *usage)
{
	double share = usage->size ? 100 * (double)usage->used / (double)usage->size : 0;

	printf("  range set %zu: %s\n    %" PRIu64 " of %s leased (%.0f%%)", i, pool_text(&conf->pools[i]).s,
	       usage->used, number(usage->size).s, share);
	if (conf->cluster.pool)
		printf(" in %zu block%s of this node", usage->blocks, usage->blocks == 1 ? "" : "s");
	if (usage->dead)
		printf(", %" PRIu64 " of them by nobody any more", usage->dead);
	if (usage->waiting)
		printf(", %" PRIu64 " more wait for reuseDelay", usage->waiting);
	putchar('\n');
}

static int widest(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

static void print_survey(const struct conf *conf, const struct survey *survey)
{
	int address = 7, container = 9, interface = 9;

	printf("network %s in %s/%s\n", conf->place.network, conf->place.data_dir, conf->place.network);
	for (size_t i = 0; i < conf->n_pools; i++)
		print_pool(conf, i, &survey->usage[i]);
	if (!survey->leases.n)
		return;
	for (size_t i = 0; i < survey->leases.n; i++) {
		const struct lease *lease = &survey->leases.list[i];

		address = widest(address, ip_text(&lease->ip).s);
		container = widest(container, lease->owner.container);
		interface = widest(interface, lease->owner.ifname);
	}
	printf("\n  %-*s  %-*s  %-*s  %-20s  STATE\n", address, "ADDRESS", container, "CONTAINER", interface,
	       "INTERFACE", "SINCE");
	for (size_t i = 0; i < survey->leases.n; i++) {
		const struct lease *lease = &survey->leases.list[i];

		printf("  %-*s  %-*s  %-*s  %-20s  %s\n", address, ip_text(&lease->ip).s, container,
		       lease->owner.container, interface, lease->owner.ifname, when(lease->since).s,
		       states[survey->states[i]]);
	}
}

static json_t *survey_json(const struct conf *conf, const struct survey *survey)
{
	json_t *doc = json_object(), *pools = json_array(), *leases = json_array();

	json_object_set_new(doc, "network", json_string(conf->place.network));
	json_object_set_new(doc, "dataDir", json_string(conf->place.data_dir));
	for (size_t i = 0; i < conf->n_pools; i++) {
		const struct usage *usage = &survey->usage[i];
		json_t *pool = json_object();

		json_object_set_new(pool, "rangeSet", json_string(pool_text(&conf->pools[i]).s));
		json_object_set_new(pool, "size",
				    json_integer(
					    (json_int_t)(usage->size > INT64_MAX ? INT64_MAX : usage->size)));
		json_object_set_new(pool, "leased", json_integer((json_int_t)usage->used));
		json_object_set_new(pool, "dead", json_integer((json_int_t)usage->dead));
		json_object_set_new(pool, "waiting", json_integer((json_int_t)usage->waiting));
		json_array_append_new(pools, pool);
	}
	for (size_t i = 0; i < survey->leases.n; i++) {
		const struct lease *lease = &survey->leases.list[i];
		json_t *entry = json_object();

		json_object_set_new(entry, "address", json_string(ip_text(&lease->ip).s));
		json_object_set_new(entry, "container", json_text(lease->owner.container));
		json_object_set_new(entry, "interface", json_text(lease->owner.ifname));
		json_object_set_new(entry, "since", json_string(when(lease->since).s));
		json_object_set_new(entry, "state", json_string(states[survey->states[i]]));
		json_array_append_new(leases, entry);
	}
	json_object_set_new(doc, "rangeSets", pools);
	json_object_set_new(doc, "leases", leases);
	return doc;
}

/* One network, which is printed, or added to a list. */
static int list_network(const struct network *network, void *arg, struct cni_error *err)
{
	const struct conf *conf = network->conf;
	json_auto_t *claims = NULL;
	json_t *list = arg;
	struct survey survey;

	if (survey_read(&survey, conf, err) < 0)
		return -1;
	if (conf->cluster.pool)
		claims = nodes_claims(network, err);
	if (list) {
		json_t *doc = survey_json(conf, &survey);

		if (claims)
			json_object_set_new(doc, "cluster", nodes_json(claims, conf, &survey.leases));
		json_array_append_new(list, doc);
	} else {
		print_survey(conf, &survey);
		if (claims)
			nodes_print(claims, conf, &survey.leases);
	}
	survey_free(&survey);
	return err->msg[0] ? -1 : 0;
}

int list_main(int argc, char **argv)
{
	bool json = !strcmp(argv[1], "--json");
	json_auto_t *list = json ? json_array() : NULL;
	int status = 0;

	if (argc < (json ? 3 : 2) || (!json && argv[1][0] == '-')) {
		bool asked = !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h");

		fputs(usage_text, asked ? stdout : stderr);
		return asked ? 0 : 2;
	}
	if (!strcmp(argv[1], "release-node"))
		return nodes_release_main(argc - 1, argv + 1, usage_text);
	for (int i = json ? 2 : 1; i < argc; i++) {
		struct cni_error err = { 0 };

		if (!json && i > 1)
			putchar('\n');
		if (networks_each(argv[i], list_network, list, &err) == 0)
			continue;
		cni_log("%s: %s", argv[i], err.msg);
		status = 1;
	}
	if (json && json_dumpf(list, stdout, JSON_INDENT(4)) == 0)
		putchar('\n');
	return fflush(stdout) < 0 ? 1 : status;
}
