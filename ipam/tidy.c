/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/json.h"
#include "ipam/block.h"
#include "ipam/identity.h"
#include "ipam/nodes.h"
#include "ipam/store.h"

/* What the node holds of a shared pool: "block 10.9.0.16/28", "identity db/web-0". */
struct tidy_list {
	json_t *texts;
	bool all; /* also what it uses */
};

static int tidy_list_blocks(struct tidy_list *list, const struct store *store, const struct conf *conf,
			    struct cni_error *err)
{
	const struct spares spares = { conf->pools, conf->n_pools, conf->place.reuse_delay };
	struct blocks blocks;
	int rc = blocks_read(&blocks, store, err);

	if (rc == 0)
		rc = blocks_superfluous(&blocks, store, &spares, err);
	for (size_t i = 0; rc >= 0 && i < blocks.n; i++)
		if (list->all || blocks.list[i].superfluous)
			json_array_append_new(list->texts,
					      json_sprintf("block %s",
							   prefix_text(&blocks.list[i].prefix).s));
	blocks_free(&blocks);
	return rc < 0 ? -1 : 0;
}

static bool tidy_list_identity(void *arg, const struct identity *identity)
{
	const struct tidy_list *list = arg;
	const char *blank = strchr(identity->name, ' ');
	char text[sizeof(identity->name) + 16];

	snprintf(text, sizeof(text), "identity %s", blank ? blank + 1 : identity->name);
	if (list->all || identity->state == IDENTITY_RETURNING)
		json_array_append_new(list->texts, json_text(text));
	return true;
}

/* A new array, or NULL. Changes and locks nothing: addrpool-claim looks again with the lock. */
static json_t *tidy_texts(const struct conf *conf, bool all, struct cni_error *err)
{
	struct tidy_list list = { .texts = json_array(), .all = all };
	struct store store;
	const enum found found = store_look(&store, &conf->place, err);
	int rc = found == FOUND_FAILED ? -1 : 0;

	if (found == FOUND && store.meta >= 0) {
		rc = tidy_list_blocks(&list, &store, conf, err);
		identities_each(&store, tidy_list_identity, &list);
	}
	if (found == FOUND)
		store_close(&store);
	if (rc == 0)
		return list.texts;
	json_decref(list.texts);
	return NULL;
}

static bool tidy_has(const json_t *texts, const json_t *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(texts, i, entry)
		if (json_equal(entry, text))
			return true;
	return false;
}

/* Has addrpool-claim return what is superfluous, and keeps in the list what the node no longer has. */
static int tidy_return(json_t *superfluous, const struct network *network, struct cni_error *err)
{
	const char *argv[] = { "return", NULL };
	json_auto_t *answer = nodes_ask(network, argv, err);
	json_auto_t *left = answer ? tidy_texts(network->conf, true, err) : NULL;

	if (!left)
		return -1;
	for (size_t i = json_array_size(superfluous); i-- > 0;)
		if (tidy_has(left, json_array_get(superfluous, i)))
			json_array_remove(superfluous, i);
	return 0;
}

#define CONFIRM_MS 3600000

/* Does the node have blocks, about which it has not asked the engine for an hour? No ADD has come since. */
static bool tidy_must_confirm(const struct conf *conf)
{
	struct store store;
	struct blocks blocks = { 0 };
	bool must = false;

	if (store_look(&store, &conf->place, NULL) != FOUND)
		return false;
	if (store.meta >= 0 && blocks_read(&blocks, &store, NULL) == 0 && blocks.n)
		must = !blocks_asked_within(&store, CONFIRM_MS);
	blocks_free(&blocks);
	store_close(&store);
	return must;
}

static void tidy_confirm(const struct network *network)
{
	const char *argv[] = { "confirm", NULL };
	struct cni_error why = { 0 };
	json_auto_t *answer = nodes_ask(network, argv, &why);

	if (!answer)
		cni_log("network %s: the engine did not count this node's blocks: %s",
			network->conf->place.network, why.msg);
}

struct tidying {
	bool really;
	json_t *networks;
};

static int tidy_network(const struct network *network, void *arg, struct cni_error *err)
{
	const struct tidying *tidying = arg;
	json_auto_t *superfluous = NULL;

	if (!network->conf->cluster.pool)
		return 0;
	if (tidying->really && tidy_must_confirm(network->conf))
		tidy_confirm(network);
	superfluous = tidy_texts(network->conf, false, err);
	if (!superfluous)
		return -1;
	if (tidying->really && json_array_size(superfluous) && tidy_return(superfluous, network, err) < 0)
		return -1;
	if (json_array_size(superfluous))
		json_array_append_new(tidying->networks,
				      json_pack("{s:o, s:s, s:O}", "network",
						json_text(network->conf->place.network), "pool",
						network->conf->cluster.pool, "held", superfluous));
	return 0;
}

int nodes_tidy_main(int argc, char **argv, const char *usage)
{
	struct tidying tidying = { .really = argc > 1 && !strcmp(argv[1], "--yes") };
	struct cni_error err = { 0 };
	int status = 0;

	if (argc != 2 + tidying.really || argv[argc - 1][0] == '-')
		return nodes_misuse(usage);
	tidying.networks = json_array();
	if (networks_each(argv[argc - 1], tidy_network, &tidying, &err) < 0) {
		cni_log("%s: %s%s%s", argv[argc - 1], err.msg, err.details[0] ? "; " : "", err.details);
		status = 1;
	} else if (json_dumpf(tidying.networks, stdout, JSON_INDENT(isatty(STDOUT_FILENO) ? 4 : 0)) == 0) {
		putchar('\n');
	}
	json_decref(tidying.networks);
	return fflush(stdout) < 0 ? 1 : status;
}
