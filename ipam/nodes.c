/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/nodes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
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

static json_t *ask(const struct network *network, const char *const *argv, struct cni_error *err)
{
	autofree char *config = json_dumps(network->doc, JSON_COMPACT);

	if (config)
		return cluster_ask(config, strlen(config), argv, (int)network->conf->cluster.timeout, err);
	cni_fail(err, CNI_RETRY, "out of memory");
	return NULL;
}

json_t *nodes_claims(const struct network *network, struct cni_error *err)
{
	const char *argv[] = { "list", NULL };

	return ask(network, argv, err);
}

static const char *text(const json_t *claim, const char *key)
{
	const char *value = json_string_value(json_field(claim, key));

	return value ? value : "?";
}

static bool is_of_this_node(const json_t *claim, const struct conf *conf)
{
	return !strcmp(text(claim, "node"), conf->cluster.node) &&
	       !strcmp(text(claim, "network"), conf->cluster.network);
}

static size_t leased_in(const char *block, const struct leases *leases)
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

static void print_claims(const json_t *list, const struct conf *conf, const struct leases *leases)
{
	int block = 5, node = 4, network = 7;
	const json_t *claim;
	size_t i;

	json_array_foreach(list, i, claim) {
		block = nodes_width(block, text(claim, "block"));
		node = nodes_width(node, text(claim, "node"));
		network = nodes_width(network, text(claim, "network"));
	}
	nodes_put("\n  %-*s  %-*s  %-*s  %-20s  LEASED\n", block, "BLOCK", node, "NODE", network, "NETWORK",
		  "SINCE");
	json_array_foreach(list, i, claim) {
		nodes_put("  %-*s  %-*s  %-*s  %-20s ", block, text(claim, "block"), node,
			  text(claim, "node"), network, text(claim, "network"), text(claim, "since"));
		if (leases && is_of_this_node(claim, conf))
			nodes_put(" %zu\n", leased_in(text(claim, "block"), leases));
		else
			nodes_put(" -\n");
	}
}

struct holder {
	const char *node, *seen; /* borrowed */
	size_t blocks;
};

static int by_node(const void *a, const void *b)
{
	return strcmp(((const struct holder *)a)->node, ((const struct holder *)b)->node);
}

static int by_seen(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	const int order = strcmp(x->seen, y->seen);

	return order ? order : by_node(a, b);
}

/* Merges the entries of each node into one, with the latest sign of life, and sorts them by it, the oldest
 * first. Returns their number. */
static size_t merge_holders(struct holder *list, size_t n)
{
	size_t kept = 0;

	qsort(list, n, sizeof(*list), by_node);
	for (size_t i = 0; i < n; i++) {
		if (!kept || strcmp(list[kept - 1].node, list[i].node) != 0) {
			list[kept++] = list[i];
			continue;
		}
		list[kept - 1].blocks++;
		if (strcmp(list[i].seen, list[kept - 1].seen) > 0)
			list[kept - 1].seen = list[i].seen;
	}
	qsort(list, kept, sizeof(*list), by_seen);
	return kept;
}

static json_t *holders_json(const json_t *claims)
{
	autofree struct holder *list = calloc(json_array_size(claims) + 1, sizeof(*list));
	json_t *holders = json_array();
	const json_t *claim;
	size_t i, n;

	if (!list)
		return holders;
	json_array_foreach(claims, i, claim)
		list[i] = (struct holder){ text(claim, "node"), text(claim, "seen"), 1 };
	n = merge_holders(list, json_array_size(claims));
	for (i = 0; i < n; i++)
		json_array_append_new(holders,
				      json_pack("{s:o, s:I, s:o}", "node", json_text(list[i].node), "blocks",
						(json_int_t)list[i].blocks, "seen", json_text(list[i].seen)));
	return holders;
}

static void print_holders(const json_t *claims)
{
	json_auto_t *holders = holders_json(claims);
	int width = (int)strlen("NODE");
	const json_t *holder;
	size_t i;

	json_array_foreach(holders, i, holder)
		width = nodes_width(width, text(holder, "node"));
	nodes_put("\n  %-*s  BLOCKS  LAST SIGN OF LIFE\n", width, "NODE");
	json_array_foreach(holders, i, holder)
		nodes_put("  %-*s  %6lld  %s\n", width, text(holder, "node"),
			  (long long)json_integer_value(json_object_get(holder, "blocks")),
			  text(holder, "seen"));
}

json_t *nodes_json(const json_t *claims, const struct conf *conf, const struct leases *leases)
{
	json_t *doc = json_deep_copy(claims), *claim;
	size_t i;

	json_array_foreach(json_field(doc, "claims"), i, claim)
		if (is_of_this_node(claim, conf))
			json_object_set_new(claim, "leased",
					    json_integer(
						    (json_int_t)leased_in(text(claim, "block"), leases)));
	json_object_set_new(doc, "nodes", holders_json(json_field(doc, "claims")));
	return doc;
}

void nodes_print(const json_t *claims, const struct conf *conf, const struct leases *leases)
{
	const json_t *list = json_field(claims, "claims");

	nodes_put("\n  pool %s of a cluster, in blocks of %" JSON_INTEGER_FORMAT "; this is node %s\n",
		  text(claims, "pool"), json_integer_value(json_field(claims, "blockSize")),
		  text(claims, "node"));
	if (!json_array_size(list))
		return;
	print_holders(list);
	print_claims(list, conf, leases);
}

struct release {
	const char *node;
	bool really;
	size_t blocks;
};

/* The claims of one node. */
static json_t *of_node(const json_t *claims, const char *node)
{
	json_t *list = json_array(), *claim;
	size_t i;

	json_array_foreach(json_field(claims, "claims"), i, claim)
		if (!strcmp(text(claim, "node"), node))
			json_array_append(list, claim);
	return list;
}

static int release_network(const struct network *network, void *arg, struct cni_error *err)
{
	struct release *release = arg;
	const char *argv[] = { "release", release->node, NULL };
	json_auto_t *claims = NULL, *list = NULL;

	if (!network->conf->cluster.pool)
		return cni_fail(err, CNI_CONFIG, "network %s shares its pool with no other node",
				network->conf->place.network);
	claims = release->really ? ask(network, argv, err) : nodes_claims(network, err);
	if (!claims)
		return -1;
	list = release->really ? json_incref(claims) : of_node(claims, release->node);
	release->blocks += json_array_size(list);
	nodes_put("network %s, pool %s: %zu blocks %s %s\n", network->conf->place.network,
		  network->conf->cluster.pool, json_array_size(list),
		  release->really ? "taken from" : "would be taken from", release->node);
	if (json_array_size(list))
		print_claims(list, network->conf, NULL);
	return 0;
}

int nodes_release_main(int argc, char **argv, const char *usage)
{
	struct release release = { .really = argc > 1 && !strcmp(argv[1], "--yes") };
	struct cni_error err = { 0 };

	argc -= release.really;
	argv += release.really;
	if (argc != 3 || argv[1][0] == '-') {
		fputs(usage, stderr);
		return 2;
	}
	release.node = argv[1];
	if (networks_each(argv[2], release_network, &release, &err) < 0) {
		cni_log("%s: %s%s%s", argv[2], err.msg, err.details[0] ? "; " : "", err.details);
		return 1;
	}
	if (!release.really && release.blocks)
		nodes_put("\nNothing was released. If %s is off and will not return with its pods, call:\n"
			  "ipvlanctl pools release-node --yes %s %s\n",
			  release.node, argv[2], release.node);
	return fflush(stdout) < 0;
}
