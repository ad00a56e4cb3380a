/* SPDX-License-Identifier: Apache-2.0 */
/* For people: lists all claims, releases those of a node that is gone, and reports. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim/agree.h"
#include "claim/identity.h"
#include "claim/local.h"
#include "claim/node.h"
#include "claim/routes.h"
#include "cni/json.h"
#include "cni/log.h"

void claim_report(const struct node *node, const char *line, ...)
{
	char text[2048];
	va_list args;

	va_start(args, line);
	vsnprintf(text, sizeof(text), line, args);
	va_end(args);
	if (node->report)
		json_array_append_new(node->report, json_text(text));
	if (!node->report || log_has_file())
		cni_log("%s", text);
}

static json_t *people_claim_json(const struct claim *claim)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "block", prefix_text(&claim->block).s, "node",
			 json_text(claim->node), "network", json_text(claim->network), "machine",
			 json_text(claim->machine), "boot", json_text(claim->boot), "since",
			 json_text(claim->since), "seen",
			 json_text(strcmp(claim->seen, claim->since) > 0 ? claim->seen : claim->since));
}

json_t *claim_list(struct node *node, const char *name, struct cni_error *err)
{
	const struct cluster *cluster = &node->conf->cluster;
	struct claims claims;
	json_t *doc, *list;

	engine_begin_for_people(node->engine);
	if (node->engine->kind->list(node->engine, name, &claims, err) < 0)
		return NULL;
	if (claims.n)
		qsort(claims.list, claims.n, sizeof(*claims.list), claim_by_block);
	list = json_array();
	for (size_t i = 0; i < claims.n; i++)
		json_array_append_new(list, people_claim_json(&claims.list[i]));
	doc = json_pack("{s:s, s:s, s:I, s:o}", "pool", cluster->pool, "node", cluster->node, "blockSize",
			(json_int_t)(claims.block_size ? claims.block_size : 1LL << cluster->block_bits),
			"claims", list);
	claims_free(&claims);
	if (!doc)
		cni_fail(err, CNI_RETRY, "out of memory");
	return doc;
}

/* Has this machine claimed it in this boot, under whatever name? Then its pods may have addresses of it. */
static bool people_is_ours(const struct node *node, const struct claim *claim)
{
	return !strcmp(claim->node, node->self.node) ||
	       (node_is_same_machine(claim->machine, node->self.machine) &&
		!strcmp(claim->boot, node->self.boot));
}

static bool people_are_ours(const struct node *node, const struct claims *claims)
{
	for (size_t i = 0; i < claims->n; i++)
		if (people_is_ours(node, &claims->list[i]))
			return true;
	return false;
}

/* Leaves out claims of this node for other networks, since these have separate leases and locks. */
static void people_keep_ours(const struct node *node, struct claims *claims)
{
	size_t kept = 0;

	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->list[i];

		if (people_is_ours(node, claim) && strcmp(claim->network, node->self.network) != 0)
			cni_log("block %s stays: it is of network %s of this node, which is released by "
				"itself",
				prefix_text(&claim->block).s, claim->network);
		else
			claims->list[kept++] = *claim;
	}
	claims->n = kept;
}

/* Pods of ours may have addresses of them; if not, none is given from now on. */
static int people_stop_giving(const struct node *node, const struct claims *claims, struct cni_error *err)
{
	struct lease_text lease;

	switch (local_return(node, claims, &lease, err)) {
	case FOUND:
		return 0;
	case FOUND_NOT:
		return cni_fail(err, CNI_CONFIG, "this is node %s, and %s has %s, which is of its blocks",
				node->self.node, lease.container, ip_text(&lease.ip).s);
	default:
		return -1;
	}
}

/* Of the blocks of identities: nodes may have them when no address is kept. */
static int people_check_unused(struct node *node, struct cni_error *err)
{
	const enum found found = identity_any(node, err);

	if (found != FOUND)
		return found == FOUND_NOT ? 0 : -1;
	cni_fail(err, CNI_CONFIG, "identities have addresses in the blocks of %s", IDENTITIES);
	return cni_hint(err, "release-identity --forget removes them");
}

static enum found people_release(const struct node *node, const struct claim *claim, bool ourselves,
				 struct cni_error *err)
{
	enum found found;

	engine_go_on(node->engine);
	if (ourselves && block_route_delete(&claim->block, err) < 0)
		return FOUND_FAILED;
	found = node->engine->kind->remove(node->engine, claim, NULL, err);
	if (found != FOUND_FAILED && ourselves && local_forget(node, &claim->block, err) < 0)
		return FOUND_FAILED;
	return found;
}

/* Releases the claims. Keeps in the list those that the engine no longer has as they were listed. */
static int people_release_all(const struct node *node, struct claims *claims, bool ourselves,
			      json_t *released, struct cni_error *err)
{
	enum found found = FOUND;
	size_t kept = 0;

	for (size_t i = 0; found != FOUND_FAILED && i < claims->n; i++) {
		found = people_release(node, &claims->list[i], ourselves, err);
		if (found == FOUND)
			json_array_append_new(released, people_claim_json(&claims->list[i]));
		else
			claims->list[kept++] = claims->list[i];
	}
	claims->n = kept;
	return found == FOUND_FAILED ? -1 : 0;
}

/* Each of these was released by another call, or it stays, since the node has confirmed it meanwhile. */
static int people_tell_changed(const struct node *node, const char *name, const struct claims *claims,
			       json_t *released, struct cni_error *err)
{
	struct claims now = { 0 };
	int rc = 0;

	engine_go_on(node->engine);
	if (claims->n)
		rc = node->engine->kind->list(node->engine, name, &now, err);
	for (size_t i = 0; rc == 0 && i < claims->n; i++) {
		const struct claim *there = claims_find(&now, &claims->list[i].block);
		json_t *doc = people_claim_json(there ? there : &claims->list[i]);

		if (there)
			json_object_set_new(doc, "stays", json_true());
		json_array_append_new(released, doc);
	}
	claims_free(&now);
	return rc;
}

/* Lists the claims. *ourselves: some are this node's. Takes claim.lock only then, or if they are identities:
 * ADDs here need not wait while another node's claims are released. */
static int people_list(struct node *node, const char *name, struct claims *claims, bool *ourselves,
		       struct cni_error *err)
{
	int rc = 0;

	*ourselves = !strcmp(name, node->self.node);
	if (*ourselves || !strcmp(name, IDENTITIES))
		rc = local_lock(node, err);
	engine_begin_for_people(node->engine);
	if (rc == 0)
		rc = node->engine->kind->list(node->engine, name, claims, err);
	if (rc < 0 || *ourselves || !people_are_ours(node, claims))
		return rc;
	*ourselves = true;
	return local_lock(node, err);
}

json_t *claim_release(struct node *node, const char *name, struct cni_error *err)
{
	json_t *released = json_array();
	struct claims claims = { 0 };
	bool ourselves;
	int rc = people_list(node, name, &claims, &ourselves, err);

	if (rc == 0 && ourselves)
		people_keep_ours(node, &claims);
	if (rc == 0 && !strcmp(name, IDENTITIES))
		rc = people_check_unused(node, err);
	if (rc == 0 && ourselves)
		rc = people_stop_giving(node, &claims, err);
	if (rc == 0)
		rc = people_release_all(node, &claims, ourselves, released, err);
	if (rc == 0)
		rc = people_tell_changed(node, name, &claims, released, err);
	claims_free(&claims);
	if (rc == 0)
		return released;
	json_decref(released);
	return NULL;
}
