/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/nodes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/listing.h"
#include "cni/stderr.h"
#include "ipam/ask.h"

void nodes_put(const char *format, ...)
{
	autofree char *text = NULL, *clean = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	clean = len < 0 ? NULL : malloc(VISIBLE_GROWTH * (size_t)len + 1);
	if (clean)
		fwrite(clean, 1, visible(clean, text, (size_t)len, false), stdout);
}

int nodes_misuse(const char *usage)
{
	fputs(usage, stderr);
	return 2;
}

json_t *nodes_ask(const struct network *network, const char *const *argv, struct cni_error *err)
{
	autofree char *config = json_dumps(network->doc, JSON_COMPACT);

	if (config)
		return cluster_ask(config, strlen(config), argv, LISTING_S, err);
	cni_fail(err, CNI_RETRY, "out of memory");
	return NULL;
}

json_t *nodes_claims(const struct network *network, const char *node, struct cni_error *err)
{
	const char *argv[] = { "list", node, NULL };

	return nodes_ask(network, argv, err);
}

static const char *nodes_text(const json_t *claim, const char *key)
{
	const char *value = json_string_value(json_field(claim, key));

	return value ? value : "?";
}

static bool nodes_is_here(const json_t *claim, const struct conf *conf)
{
	return !strcmp(nodes_text(claim, "node"), conf->cluster.node) &&
	       !strcmp(nodes_text(claim, "network"), conf->cluster.network);
}

/* Of this node, release-node releases only the blocks of the network. */
static bool nodes_is_of_other_network(const json_t *claim, const struct conf *conf)
{
	return !strcmp(nodes_text(claim, "node"), conf->cluster.node) && !nodes_is_here(claim, conf);
}

static size_t nodes_leased_in(const char *block, const struct leases *leases)
{
	struct prefix prefix;
	size_t n = 0;

	if (prefix_parse(block, &prefix))
		for (size_t i = 0; i < leases->n; i++)
			n += prefix_contains(&prefix, &leases->list[i].ip);
	return n;
}

int nodes_width(int width, const char *word)
{
	int len = (int)strlen(word);

	return len > width ? len : width;
}

static void nodes_print_claims(const json_t *list, const struct conf *conf, const struct leases *leases)
{
	int block = 5, node = 4, network = 7;
	const json_t *claim;
	size_t i;

	json_array_foreach(list, i, claim) {
		block = nodes_width(block, nodes_text(claim, "block"));
		node = nodes_width(node, nodes_text(claim, "node"));
		network = nodes_width(network, nodes_text(claim, "network"));
	}
	nodes_put("\n  %-*s  %-*s  %-*s  %-20s  LEASED\n", block, "BLOCK", node, "NODE", network, "NETWORK",
		  "SINCE");
	json_array_foreach(list, i, claim) {
		nodes_put("  %-*s  %-*s  %-*s  %-20s ", block, nodes_text(claim, "block"), node,
			  nodes_text(claim, "node"), network, nodes_text(claim, "network"),
			  nodes_text(claim, "since"));
		if (leases && nodes_is_here(claim, conf))
			nodes_put(" %zu\n", nodes_leased_in(nodes_text(claim, "block"), leases));
		else
			nodes_put(" -\n");
	}
}

struct holder {
	const char *node, *seen; /* borrowed */
	size_t blocks;
};

static int nodes_by_name(const void *a, const void *b)
{
	return strcmp(((const struct holder *)a)->node, ((const struct holder *)b)->node);
}

static int nodes_by_seen(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	const int order = strcmp(x->seen, y->seen);

	return order ? order : nodes_by_name(a, b);
}

/* Merges the entries of each node into one, with the latest sign of life, and sorts them by it, the oldest
 * first. Returns their number. */
static size_t nodes_merge_holders(struct holder *list, size_t n)
{
	size_t kept = 0;

	qsort(list, n, sizeof(*list), nodes_by_name);
	for (size_t i = 0; i < n; i++) {
		if (!kept || strcmp(list[kept - 1].node, list[i].node) != 0) {
			list[kept++] = list[i];
			continue;
		}
		list[kept - 1].blocks++;
		if (strcmp(list[i].seen, list[kept - 1].seen) > 0)
			list[kept - 1].seen = list[i].seen;
	}
	qsort(list, kept, sizeof(*list), nodes_by_seen);
	return kept;
}

static json_t *nodes_holders_json(const json_t *claims)
{
	autofree struct holder *list = calloc(json_array_size(claims) + 1, sizeof(*list));
	json_t *holders = json_array();
	const json_t *claim;
	size_t i, n;

	if (!list)
		return holders;
	json_array_foreach(claims, i, claim)
		list[i] = (struct holder){ nodes_text(claim, "node"), nodes_text(claim, "seen"), 1 };
	n = nodes_merge_holders(list, json_array_size(claims));
	for (i = 0; i < n; i++)
		json_array_append_new(holders,
				      json_pack("{s:o, s:I, s:o}", "node", json_text(list[i].node), "blocks",
						(json_int_t)list[i].blocks, "seen", json_text(list[i].seen)));
	return holders;
}

static void nodes_print_holders(const json_t *claims)
{
	json_auto_t *holders = nodes_holders_json(claims);
	int width = (int)strlen("NODE");
	const json_t *holder;
	size_t i;

	json_array_foreach(holders, i, holder)
		width = nodes_width(width, nodes_text(holder, "node"));
	nodes_put("\n  %-*s  BLOCKS  LAST SIGN OF LIFE\n", width, "NODE");
	json_array_foreach(holders, i, holder)
		nodes_put("  %-*s  %6lld  %s\n", width, nodes_text(holder, "node"),
			  (long long)json_integer_value(json_object_get(holder, "blocks")),
			  nodes_text(holder, "seen"));
}

void nodes_complete(json_t *claims, const struct conf *conf, const struct leases *leases)
{
	json_t *claim;
	size_t i;

	json_array_foreach(json_field(claims, "claims"), i, claim)
		if (nodes_is_here(claim, conf))
			json_object_set_new(claim, "leased",
					    json_integer(
						    (json_int_t)nodes_leased_in(nodes_text(claim, "block"),
										leases)));
	json_object_set_new(claims, "nodes", nodes_holders_json(json_field(claims, "claims")));
}

void nodes_print(const json_t *claims, const struct conf *conf, const struct leases *leases)
{
	const json_t *list = json_field(claims, "claims");

	nodes_put("\n  pool %s of a cluster, in blocks of %" JSON_INTEGER_FORMAT "; this is node %s\n",
		  nodes_text(claims, "pool"), json_integer_value(json_field(claims, "blockSize")),
		  nodes_text(claims, "node"));
	if (!json_array_size(list))
		return;
	nodes_print_holders(list);
	nodes_print_claims(list, conf, leases);
}

struct release {
	const char *node;
	bool really;
	size_t blocks;
};

static void nodes_print_release(const struct network *network, const struct release *release,
				const json_t *list, const json_t *stay)
{
	nodes_put("network %s, pool %s: %s %zu blocks of %s\n", network->conf->place.network,
		  network->conf->cluster.pool, release->really ? "released" : "would release",
		  json_array_size(list), release->node);
	if (json_array_size(list))
		nodes_print_claims(list, network->conf, NULL);
	if (!json_array_size(stay))
		return;
	nodes_put("\n%zu blocks stay: %s has claimed or confirmed them after they were listed, so it is not "
		  "gone\n",
		  json_array_size(stay), release->node);
	nodes_print_claims(stay, network->conf, NULL);
}

static int nodes_not_shared(const struct network *network, struct cni_error *err)
{
	return cni_fail(err, CNI_CONFIG, "network %s shares its pool with no other node",
			network->conf->place.network);
}

static int nodes_release_network(const struct network *network, void *arg, struct cni_error *err)
{
	struct release *release = arg;
	const char *argv[] = { "release", release->node, NULL };
	json_auto_t *answer = NULL, *list = json_array(), *stay = json_array();
	json_t *claim;
	size_t i;

	if (!network->conf->cluster.pool)
		return nodes_not_shared(network, err);
	answer = release->really ? nodes_ask(network, argv, err) : nodes_claims(network, release->node, err);
	if (!answer)
		return -1;
	json_array_foreach(release->really ? answer : json_field(answer, "claims"), i, claim)
		if (!nodes_is_of_other_network(claim, network->conf))
			json_array_append(json_is_true(json_field(claim, "stays")) ? stay : list, claim);
	release->blocks += json_array_size(list);
	nodes_print_release(network, release, list, stay);
	return 0;
}

int nodes_release_main(int argc, char **argv, const char *usage)
{
	struct release release = { .really = argc > 1 && !strcmp(argv[1], "--yes") };
	struct cni_error err = { 0 };

	argc -= release.really;
	argv += release.really;
	if (argc != 3 || argv[1][0] == '-')
		return nodes_misuse(usage);
	release.node = argv[1];
	if (networks_each(argv[2], nodes_release_network, &release, &err) < 0) {
		cni_log("%s: %s%s%s", argv[2], err.msg, err.details[0] ? "; " : "", err.details);
		return 1;
	}
	if (!release.really && release.blocks)
		nodes_put(
			"\nNothing was released. If %s is off and will not return with its pods, repeat the "
			"command with --yes.\n",
			release.node);
	return fflush(stdout) < 0;
}

/* Has the engine compared, and prints what addrpool-claim reports. */
static int nodes_compare(const struct network *network, const char *const *argv, struct cni_error *err)
{
	json_auto_t *answer = nodes_ask(network, argv, err);
	const json_t *line;
	size_t i;

	json_array_foreach(json_field(answer, "report"), i, line)
		nodes_put("%s\n", json_string_value(line));
	return answer ? 0 : -1;
}

static int nodes_confirm_network(const struct network *network, void *arg, struct cni_error *err)
{
	static const char *const blocks[] = { "confirm", "--now", NULL };
	static const char *const identities[] = { "return", "--now", NULL };
	const struct conf *conf = network->conf;

	(void)arg;
	if (!conf->cluster.pool)
		return nodes_not_shared(network, err);
	if (nodes_compare(network, blocks, err) < 0 ||
	    (conf->place.identities && nodes_compare(network, identities, err) < 0))
		return -1;
	nodes_put("network %s, pool %s: the engine has the blocks%s of node %s\n", conf->place.network,
		  conf->cluster.pool, conf->place.identities ? " and identities" : "", conf->cluster.node);
	return 0;
}

/* Calls each() for the networks in the file. Returns main()'s exit status. */
static int nodes_main(const char *file,
		      int (*each)(const struct network *network, void *arg, struct cni_error *err), void *arg)
{
	struct cni_error err = { 0 };

	if (networks_each(file, each, arg, &err) == 0)
		return fflush(stdout) < 0;
	cni_log("%s: %s%s%s", file, err.msg, err.details[0] ? "; " : "", err.details);
	return 1;
}

int nodes_confirm_main(int argc, char **argv, const char *usage)
{
	return argc == 2 && argv[1][0] != '-' ? nodes_main(argv[1], nodes_confirm_network, NULL)
					      : nodes_misuse(usage);
}

struct identities {
	const char *argv[5]; /* of addrpool-claim */
	bool json;
};

/* "db/web-0" of "net db/web-0" */
static const char *nodes_name_within(const json_t *record)
{
	const char *name = nodes_text(record, "identity"), *blank = strchr(name, ' ');

	return blank ? blank + 1 : name;
}

static json_t *nodes_identity_row(const json_t *record)
{
	const json_t *holder = json_field(record, "holder"), *entry;
	char addresses[512] = "-";
	size_t used = 0, i;

	json_array_foreach(json_field(record, "addresses"), i, entry)
		if (json_is_string(entry) && used < sizeof(addresses))
			used += (size_t)snprintf(addresses + used, sizeof(addresses) - used, "%s%s",
						 used ? "," : "", json_string_value(entry));
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:b}", "identity", json_text(nodes_name_within(record)),
			 "addresses", addresses, "node", holder ? nodes_text(holder, "node") : "-",
			 "container", holder ? nodes_text(holder, "container") : "-", "since",
			 nodes_text(record, "since"), "reserved",
			 json_is_true(json_field(record, "reserved")));
}

static int nodes_column(int width, const json_t *row, const char *key)
{
	const int len = (int)strlen(nodes_text(row, key));

	return len > width ? len : width;
}

static void nodes_print_identities(const json_t *rows)
{
	int identity = 8, addresses = 9, node = 4, container = 9;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		identity = nodes_column(identity, row, "identity");
		addresses = nodes_column(addresses, row, "addresses");
		node = nodes_column(node, row, "node");
		container = nodes_column(container, row, "container");
	}
	nodes_put("%-*s  %-*s  %-*s  %-*s  SINCE\n", identity, "IDENTITY", addresses, "ADDRESSES", node,
		  "NODE", container, "CONTAINER");
	json_array_foreach(rows, i, row)
		nodes_put("%-*s  %-*s  %-*s  %-*s  %s%s\n", identity, nodes_text(row, "identity"), addresses,
			  nodes_text(row, "addresses"), node, nodes_text(row, "node"), container,
			  nodes_text(row, "container"), nodes_text(row, "since"),
			  json_is_true(json_field(row, "reserved")) ? "  reserved" : "");
}

/* Records of this network alone: others of the pool have names of their own. */
static bool nodes_is_of_network(const json_t *record, const struct conf *conf)
{
	const size_t len = strlen(conf->place.network);
	const char *name = nodes_text(record, "identity");

	return !strncmp(name, conf->place.network, len) && name[len] == ' ';
}

static int nodes_call_identities(const struct network *network, void *arg, struct cni_error *err)
{
	const struct identities *identities = arg;
	json_auto_t *rows = json_array(), *answer = NULL;
	const json_t *record;
	size_t i;

	if (!network->conf->place.identities)
		return cni_fail(err, CNI_CONFIG, "network %s has no range set with \"identities\"",
				network->conf->place.network);
	answer = nodes_ask(network, identities->argv, err);
	if (!answer)
		return -1;
	if (json_is_object(answer))
		json_array_append_new(rows, nodes_identity_row(answer));
	json_array_foreach(answer, i, record)
		if (nodes_is_of_network(record, network->conf))
			json_array_append_new(rows, nodes_identity_row(record));
	if (!identities->json)
		nodes_print_identities(rows);
	else if (json_dumpf(rows, stdout, JSON_INDENT(4)) == 0)
		putchar('\n');
	return 0;
}

static int identities_main(const char *file, struct identities *identities)
{
	return nodes_main(file, nodes_call_identities, identities);
}

int nodes_identities_main(int argc, char **argv, const char *usage)
{
	struct identities identities = { .argv = { "identities" },
					 .json = argc > 1 && !strcmp(argv[1], "--json") };

	return argc == 2 + identities.json ? identities_main(argv[argc - 1], &identities)
					   : nodes_misuse(usage);
}

int nodes_reserve_main(int argc, char **argv, const char *usage)
{
	struct identities identities = { .argv = { "reserve", argc > 1 ? argv[1] : "",
						   argc > 2 ? argv[2] : "" } };

	return argc == 4 && argv[1][0] != '-' ? identities_main(argv[3], &identities) : nodes_misuse(usage);
}

int nodes_release_identity_main(int argc, char **argv, const char *usage)
{
	const bool forget = argc > 1 && !strcmp(argv[1], "--forget");
	const char *name = argc > 1 + forget ? argv[1 + forget] : "";
	struct identities identities = { .argv = { "release-identity", name, forget ? "--forget" : NULL } };

	return argc == 3 + forget && *name != '-' ? identities_main(argv[argc - 1], &identities)
						  : nodes_misuse(usage);
}
