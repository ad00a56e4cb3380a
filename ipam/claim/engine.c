#include "claim/engine.h"

#include <stdlib.h>
#include <string.h>

void engine_begin(struct engine *engine)
{
	engine->deadline_ms = block_now_ms() + engine->cluster->timeout * 1000;
}

int claims_add(struct claims *claims, const struct claim *claim, struct cni_error *err)
{
	struct claim *bigger = claims->list;

	/* room for twice as many, each time that a power of two is full */
	if (!(claims->n & (claims->n - 1)))
		bigger = claims->n < CLAIMS_MAX
				 ? realloc(claims->list, (claims->n ? 2 * claims->n : 1) * sizeof(*bigger))
				 : NULL;
	if (!bigger)
		return cni_fail(err, CNI_RETRY, "out of memory for the claims of the pool");
	bigger[claims->n++] = *claim;
	claims->list = bigger;
	return 0;
}

void claims_free(struct claims *claims)
{
	free(claims->list);
	*claims = (struct claims){ 0 };
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
