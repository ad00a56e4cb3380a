/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/engine.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim/http.h"
#include "cni/hash.h"
#include "cni/listing.h"

#define ANSWER_MS 60000

void engine_begin(struct engine *engine, long long most_ms)
{
	const long long timeout_ms = engine->cluster->timeout * 1000;

	engine->deadline_ms = block_now_ms() + (timeout_ms < most_ms ? timeout_ms : most_ms);
}

void engine_begin_for_people(struct engine *engine)
{
	engine->end_ms = block_now_ms() + LISTING_S * 1000LL;
	engine_go_on(engine);
}

void engine_go_on(struct engine *engine)
{
	const long long now = block_now_ms();

	if (!engine->end_ms)
		return;
	engine->deadline_ms = now + ANSWER_MS < engine->end_ms ? now + ANSWER_MS : engine->end_ms;
	engine->http->reach_ms = now + engine->cluster->timeout * 1000;
}

/* The list with room for one more entry. It doubles when n reaches a power of two. NULL: no memory. */
static void *engine_grow(void *list, size_t n, size_t size)
{
	if (n & (n - 1))
		return list;
	return n < CLAIMS_MAX ? realloc(list, (n ? 2 * n : 1) * size) : NULL;
}

int claims_add(struct claims *claims, const struct claim *claim, struct cni_error *err)
{
	struct claim *bigger = engine_grow(claims->list, claims->n, sizeof(*bigger));

	if (!bigger)
		return cni_fail(err, CNI_RETRY, "out of memory for the claims of the pool");
	bigger[claims->n++] = *claim;
	claims->list = bigger;
	return 0;
}

int taken_add(struct taken *taken, const struct prefix *block, struct cni_error *err)
{
	struct prefix *bigger = engine_grow(taken->list, taken->n, sizeof(*bigger));

	if (!bigger)
		return cni_fail(err, CNI_RETRY, "out of memory for the claims of the pool");
	bigger[taken->n++] = *block;
	taken->list = bigger;
	return 0;
}

void keep_free(struct keep *keep)
{
	json_decref(keep->doc);
	keep->doc = NULL;
}

enum found keep_damaged(struct keep *keep, const char *lease, const char *key, struct cni_error *err)
{
	keep_free(keep);
	if (lease)
		cni_fail(err, CNI_CONFIG, "Lease %s is not the record of %.200s", lease, keep->name);
	else
		cni_fail(err, CNI_CONFIG, "etcd: key %.250s is not the record of %.200s", key, keep->name);
	return (enum found)
		cni_hint(err, "another program has changed it; delete it if no container has an address of "
			      "it");
}

int keeps_add(struct keeps *keeps, struct keep *keep, struct cni_error *err)
{
	struct keep *bigger = engine_grow(keeps->list, keeps->n, sizeof(*bigger));

	if (!bigger) {
		keep_free(keep);
		return cni_fail(err, CNI_RETRY, "out of memory for the identities of the pool");
	}
	bigger[keeps->n++] = *keep;
	keeps->list = bigger;
	keep->doc = NULL;
	return 0;
}

void keeps_free(struct keeps *keeps)
{
	for (size_t i = 0; i < keeps->n; i++)
		keep_free(&keeps->list[i]);
	free(keeps->list);
	*keeps = (struct keeps){ 0 };
}

void taken_free(struct taken *taken)
{
	free(taken->list);
	*taken = (struct taken){ 0 };
}

void claims_free(struct claims *claims)
{
	free(claims->list);
	*claims = (struct claims){ 0 };
}

const struct claim *claims_find(const struct claims *claims, const struct prefix *block)
{
	for (size_t i = 0; i < claims->n; i++)
		if (prefix_equal(&claims->list[i].block, block))
			return &claims->list[i];
	return NULL;
}

bool claim_is_same_owner(const struct claim *a, const struct claim *b)
{
	return !strcmp(a->node, b->node) && !strcmp(a->network, b->network) &&
	       !strcmp(a->incarnation, b->incarnation);
}

int claim_by_block(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->block.ip.family != y->block.ip.family)
		return x->block.ip.family < y->block.ip.family ? -1 : 1;
	return ip_compare(&x->block.ip, &y->block.ip);
}

/* The hash of the texts, each with its end. */
static struct mark engine_mark(const char *const *texts, size_t n)
{
	uint64_t hash = HASH_START;
	struct mark mark;

	for (size_t i = 0; i < n; i++)
		hash = hash_add(hash, texts[i], strlen(texts[i]) + 1);
	snprintf(mark.s, sizeof(mark.s), "%016" PRIx64, hash);
	return mark;
}

struct mark owner_mark(const struct claim *claim)
{
	const char *const texts[] = { claim->node, claim->network, claim->incarnation,
				      claim->boot, claim->machine, "owned" };

	return engine_mark(texts, claim->owned ? 6 : 5);
}

struct mark tenant_mark(const struct claim *claim)
{
	const char *const texts[] = { claim->node, claim->network };

	return engine_mark(texts, 2);
}
