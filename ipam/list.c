/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cni/about.h"
#include "cni/json.h"
#include "ipam/nodes.h"
#include "ipam/survey.h"
#include "ipam/verbs.h"
#include "ipam/whom.h"

static const char *const states[] = {
	[LIVE] = "live",       [STALE] = "stale", [EARLIER] = "earlier boot",
	[UNKNOWN] = "unknown", [EMPTY] = "empty", [OTHERS] = "of another network",
};

static const struct about about = {
	.name = "addrpool",
	.what = "CNI plugin that assigns addresses to pods, and lists its pools",
	.usage = "usage: addrpool [--json] FILE...\n"
		 "       addrpool --json --local FILE...\n"
		 "       addrpool release-node [--yes] NODE FILE\n"
		 "       addrpool tidy [--yes] FILE\n"
		 "       addrpool confirm FILE\n"
		 "       addrpool stores DIRECTORY\n"
		 "       addrpool identities [--json] FILE\n"
		 "       addrpool reserve IDENTITY ADDRESS[,ADDRESS] FILE\n"
		 "       addrpool release-identity [--forget] IDENTITY FILE\n"
		 "       CNI_COMMAND=ADD | DEL | CHECK | GC | STATUS | VERSION addrpool <CONFIGURATION\n"
		 "       addrpool --help | --version\n"
		 "\n"
		 "Lists the address pools of the networks in each FILE: a configuration (.conf) or\n"
		 "a list (.conflist) with \"type\": \"addrpool\" or \"host-local\" in its \"ipam\".\n"
		 "States of a lease:\n"
		 "\n"
		 "  live           its network namespace exists\n"
		 "  stale          its network namespace is gone\n"
		 "  earlier boot   leased before the machine restarted\n"
		 "  unknown        leased by host-local, or for no network namespace\n"
		 "  empty          a file without content; the address is free\n"
		 "\n"
		 "An ADD that finds no free address releases leases that are stale, of an earlier\n"
		 "boot or empty. If nodes share the pool (\"cluster\"), the list has its blocks and\n"
		 "the nodes that own them. With --local addrpool does not ask the engine for them.\n"
		 "\n"
		 "release-node shows the blocks of a NODE that is gone for good, and with --yes\n"
		 "releases them.\n"
		 "\n"
		 "tidy shows which blocks and identities this node no longer uses, and with --yes\n"
		 "returns them. With --yes it also asks the engine once an hour whether it has\n"
		 "this node's blocks.\n"
		 "\n"
		 "confirm asks that at once, and compares the identities. Call it on each node after\n"
		 "the engine was restored from a backup.\n"
		 "\n"
		 "stores lists the networks and pools that have leases or blocks in a dataDir.\n"
		 "\n"
		 "identities lists the workloads whose addresses follow them from node to node.\n"
		 "reserve keeps addresses for one before it starts. release-identity lets another\n"
		 "node have one: the pod that has it must not run; with --forget it loses its addresses.\n",
	.page = "addrpool",
};

struct when {
	char s[32];
};

static struct when list_when(time_t time)
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

static struct number list_number(uint64_t n)
{
	struct number text;

	snprintf(text.s, sizeof(text.s), n == UINT64_MAX ? "2^63 or more" : "%" PRIu64, n);
	return text;
}

/* Reports gateways that prevent going back to host-local. */
static void list_print_gateways(const struct pool *pool)
{
	for (size_t i = 0; i < pool->n_ranges; i++) {
		const struct range *range = &pool->ranges[i];

		if (range->gateway.family && !prefix_contains(&range->subnet, &range->gateway))
			printf("    gateway %s is outside of %s; host-local refuses that from 1.10.0 on\n",
			       ip_text(&range->gateway).s, prefix_text(&range->subnet).s);
	}
}

static void list_print_pool(const struct conf *conf, size_t i, const struct usage *usage)
{
	double share = usage->size ? 100 * (double)usage->used / (double)usage->size : 0;

	nodes_put("  range set %zu: %s", i, pool_text(&conf->pools[i]).s);
	if (conf->pools[i].whom)
		nodes_put(" for %s", whom_text(conf->pools[i].whom).s);
	nodes_put("\n    %" PRIu64 " of %s leased (%.0f%%)", usage->used, list_number(usage->size).s, share);
	if (conf->cluster.pool)
		nodes_put(" in %zu block%s of this node", usage->blocks, usage->blocks == 1 ? "" : "s");
	if (usage->dead)
		nodes_put(", %" PRIu64 " of them for pods that no longer exist", usage->dead);
	if (usage->waiting)
		nodes_put(", %" PRIu64 " more wait for reuseDelay", usage->waiting);
	putchar('\n');
	list_print_gateways(&conf->pools[i]);
}

static void list_print_static(const struct conf *conf, const struct usage *usage)
{
	if (!conf->n_asked)
		return;
	nodes_put("  static:");
	for (size_t i = 0; i < conf->n_asked; i++)
		nodes_put("%s %s", i ? "," : "", entry_text(&conf->asked[i]).s);
	nodes_put("\n    %" PRIu64 " leased on request", usage->used);
	if (usage->dead)
		nodes_put(", %" PRIu64 " of them for pods that no longer exist", usage->dead);
	putchar('\n');
}

/* With a column for the network, if networks share the store. */
static void list_print_leases(const struct conf *conf, const struct survey *survey)
{
	const bool pool = place_is_pool(&conf->place);
	int address = 7, network = pool ? 7 : 0, container = 9, interface = 9;

	if (!survey->states.leases.n)
		return;
	for (size_t i = 0; i < survey->states.leases.n; i++) {
		const struct lease *lease = &survey->states.leases.list[i];

		address = nodes_width(address, ip_text(&lease->ip).s);
		network = pool ? nodes_width(network, survey->states.origins[i].network.s) : 0;
		container = nodes_width(container, lease->owner.container);
		interface = nodes_width(interface, lease->owner.ifname);
	}
	nodes_put("\n  %-*s  %-*s%s%-*s  %-*s  %-20s  STATE\n", address, "ADDRESS", network,
		  pool ? "NETWORK" : "", pool ? "  " : "", container, "CONTAINER", interface, "INTERFACE",
		  "SINCE");
	for (size_t i = 0; i < survey->states.leases.n; i++) {
		const struct lease *lease = &survey->states.leases.list[i];

		nodes_put("  %-*s  %-*s%s%-*s  %-*s  %-20s  %s\n", address, ip_text(&lease->ip).s, network,
			  pool ? survey->states.origins[i].network.s : "", pool ? "  " : "", container,
			  lease->owner.container, interface, lease->owner.ifname,
			  list_when(lease->since.tv_sec).s, states[survey->states.states[i]]);
	}
}

static void list_print_ranges(const struct conf *conf, const struct survey *survey)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		list_print_pool(conf, i, &survey->usage[i]);
	list_print_static(conf, &survey->asked);
}

struct listing {
	json_t *list;	/* the networks as JSON; NULL: they are printed */
	json_t *stores; /* the first network of each store, with its ranges */
	bool local;	/* do not ask the engine */
};

/* The note of another network that was listed before and has the same store, borrowed. NULL: this network is
 * the first, and is noted. */
static const json_t *list_note_store(struct listing *listing, const struct conf *conf, json_t **ranges)
{
	char store[PATH_MAX];
	const json_t *first;

	*ranges = json_array();
	for (size_t i = 0; i < conf->n_pools; i++)
		json_array_append_new(*ranges, json_string(pool_text(&conf->pools[i]).s));
	snprintf(store, sizeof(store), "%s/%s", conf->place.data_dir, conf->place.store);
	first = json_object_get(listing->stores, store);
	if (!first)
		json_object_set_new(listing->stores, store,
				    json_pack("{s:s, s:O}", "network", conf->place.network, "ranges",
					      *ranges));
	return first && strcmp(json_string_value(json_object_get(first, "network")), conf->place.network) != 0
		       ? first
		       : NULL;
}

/* Prints the leases of a store only with its first network. */
static void list_print_survey(struct listing *listing, const struct conf *conf, const struct survey *survey)
{
	const struct place *place = &conf->place;
	json_auto_t *ranges = NULL;
	const json_t *first = list_note_store(listing, conf, &ranges);

	nodes_put("network %s in %s/%s", place->network, place->data_dir, place->store);
	if (first)
		nodes_put(", with network %s", json_string_value(json_object_get(first, "network")));
	putchar('\n');
	if (!first || !json_equal(json_object_get(first, "ranges"), ranges))
		list_print_ranges(conf, survey);
	if (!first)
		list_print_leases(conf, survey);
}

static json_t *list_static_json(const struct conf *conf, const struct usage *usage)
{
	json_t *doc = json_object(), *addresses = json_array();

	for (size_t i = 0; i < conf->n_asked; i++)
		json_array_append_new(addresses, json_string(entry_text(&conf->asked[i]).s));
	json_object_set_new(doc, "addresses", addresses);
	json_object_set_new(doc, "leased", json_integer((json_int_t)usage->used));
	json_object_set_new(doc, "dead", json_integer((json_int_t)usage->dead));
	return doc;
}

static json_t *list_ranges_json(const struct pool *pool)
{
	json_t *list = json_array();

	for (size_t i = 0; i < pool->n_ranges; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s}", "first", ip_text(&pool->ranges[i].start).s,
						"last", ip_text(&pool->ranges[i].end).s));
	return list;
}

static json_t *list_survey_json(const struct conf *conf, const struct survey *survey)
{
	json_t *doc = json_object(), *pools = json_array(), *leases = json_array();
	json_t *ranges = json_array(), *blocks = json_array();

	json_object_set_new(doc, "network", json_string(conf->place.network));
	json_object_set_new(doc, "dataDir", json_string(conf->place.data_dir));
	if (place_is_pool(&conf->place))
		json_object_set_new(doc, "pool", json_string(conf->place.store));
	for (size_t i = 0; i < conf->n_pools; i++) {
		const struct usage *usage = &survey->usage[i];
		json_t *pool = json_object();

		json_object_set_new(pool, "rangeSet", json_string(pool_text(&conf->pools[i]).s));
		json_object_set_new(pool, "size",
				    json_integer(
					    (json_int_t)(usage->size > INT64_MAX ? INT64_MAX : usage->size)));
		json_object_set_new(pool, "leased", json_integer((json_int_t)usage->used));
		json_object_set_new(pool, "dead", json_integer((json_int_t)usage->dead));
		if (conf->pools[i].whom)
			json_object_set(pool, "for", (json_t *)conf->pools[i].whom);
		json_object_set_new(pool, "waiting", json_integer((json_int_t)usage->waiting));
		json_array_append_new(pools, pool);
		json_array_append_new(ranges, list_ranges_json(&conf->pools[i]));
		json_array_append_new(blocks, json_integer((json_int_t)usage->blocks));
	}
	for (size_t i = 0; i < survey->states.leases.n; i++) {
		const struct lease *lease = &survey->states.leases.list[i];
		json_t *entry;

		/* a lease is in the list of its own network */
		if (origin_owner(&survey->states.origins[i], &conf->place) == NETWORK_OTHER)
			continue;
		entry = json_object();
		json_object_set_new(entry, "address", json_string(ip_text(&lease->ip).s));
		json_object_set_new(entry, "container", json_text(lease->owner.container));
		json_object_set_new(entry, "interface", json_text(lease->owner.ifname));
		json_object_set_new(entry, "since", json_string(list_when(lease->since.tv_sec).s));
		json_object_set_new(entry, "state", json_string(states[survey->states.states[i]]));
		json_array_append_new(leases, entry);
	}
	json_object_set_new(doc, "rangeSets", pools);
	json_object_set_new(doc, "ranges", ranges);
	if (conf->cluster.pool)
		json_object_set_new(doc, "blocks", json_incref(blocks));
	json_decref(blocks);
	if (conf->n_asked)
		json_object_set_new(doc, "static", list_static_json(conf, &survey->asked));
	json_object_set_new(doc, "leases", leases);
	return doc;
}

/* Prints one network, or adds it to the list. */
static int list_network(const struct network *network, void *arg, struct cni_error *err)
{
	const struct conf *conf = network->conf;
	json_auto_t *claims = NULL;
	struct listing *listing = arg;
	struct survey survey;

	if (survey_read(&survey, conf, err) < 0)
		return -1;
	if (conf->cluster.pool && !listing->local)
		claims = nodes_claims(network, NULL, err);
	if (listing->list) {
		json_t *doc = list_survey_json(conf, &survey);

		if (claims) {
			nodes_complete(claims, conf, &survey.states.leases);
			json_object_set(doc, "cluster", claims);
		}
		json_array_append_new(listing->list, doc);
	} else {
		list_print_survey(listing, conf, &survey);
		if (claims)
			nodes_print(claims, conf, &survey.states.leases);
	}
	survey_free(&survey);
	return err->msg[0] ? -1 : 0;
}

int list_main(int argc, char **argv)
{
	const bool json = !strcmp(argv[1], "--json");
	const bool local = json && argc > 2 && !strcmp(argv[2], "--local");
	json_auto_t *list = json ? json_array() : NULL, *stores = json_object();
	struct listing listing = { .list = list, .stores = stores, .local = local };
	const int first = 1 + json + local;
	int status = 0;

	if (about_answers(&about, argc, argv, &status))
		return status;
	if (argc <= first || argv[first][0] == '-')
		return about_refuse(&about);
	if (!strcmp(argv[1], "release-node"))
		return nodes_release_main(argc - 1, argv + 1, about.usage);
	if (!strcmp(argv[1], "stores"))
		return argc == 3 ? stores_main(argv[2]) : nodes_misuse(about.usage);
	if (!strcmp(argv[1], "tidy"))
		return nodes_tidy_main(argc - 1, argv + 1, about.usage);
	if (!strcmp(argv[1], "confirm"))
		return nodes_confirm_main(argc - 1, argv + 1, about.usage);
	if (!strcmp(argv[1], "identities"))
		return nodes_identities_main(argc - 1, argv + 1, about.usage);
	if (!strcmp(argv[1], "reserve"))
		return nodes_reserve_main(argc - 1, argv + 1, about.usage);
	if (!strcmp(argv[1], "release-identity"))
		return nodes_release_identity_main(argc - 1, argv + 1, about.usage);
	for (int i = first; i < argc; i++) {
		struct cni_error err = { 0 };

		if (!json && i > 1)
			putchar('\n');
		if (networks_each(argv[i], list_network, &listing, &err) == 0)
			continue;
		cni_log("%s: %s%s%s", argv[i], err.msg, err.details[0] ? "; " : "", err.details);
		status = 1;
	}
	if (json && json_dumpf(list, stdout, JSON_INDENT(isatty(STDOUT_FILENO) ? 4 : 0)) == 0)
		putchar('\n');
	return fflush(stdout) < 0 ? 1 : status;
}
