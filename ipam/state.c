/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/state.h"

#include <stdlib.h>
#include <string.h>

#include "net/alive.h"

/* Keeps only the wanted leases, in their order. */
static void state_filter(struct leases *leases, bool (*wanted)(void *arg, const struct lease *lease),
			 void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < leases->n; i++)
		if (wanted(arg, &leases->list[i]))
			leases->list[kept++] = leases->list[i];
		else
			free(leases->list[i].text);
	leases->n = kept;
}

int states_read(struct states *ret, const struct store *store,
		bool (*wanted)(void *arg, const struct lease *lease), void *arg, struct cni_error *err)
{
	*ret = (struct states){ .origins = NULL };
	if (leases_read(&ret->leases, store, err) < 0)
		return -1;
	if (wanted)
		state_filter(&ret->leases, wanted, arg);
	if (ret->leases.n)
		qsort(ret->leases.list, ret->leases.n, sizeof(*ret->leases.list), lease_by_address);
	ret->origins = calloc(ret->leases.n + 1, sizeof(*ret->origins));
	ret->states = calloc(ret->leases.n + 1, sizeof(*ret->states));
	if (!ret->origins || !ret->states)
		return cni_fail(err, CNI_RETRY, "out of memory");
	for (size_t i = 0; i < ret->leases.n; i++)
		if (origin_of(&ret->origins[i], store, &ret->leases.list[i], err) < 0)
			return -1;
	return 0;
}

static enum state state_judge(const struct lease *lease, const struct origin *origin, const struct boot *boot,
			      struct alive *alive)
{
	if (!*lease->owner.container)
		return EMPTY;
	if (origin_is_earlier(origin, boot))
		return EARLIER;
	if (!origin->netns.inode)
		return UNKNOWN;
	switch (alive_find(alive, &origin->netns)) {
	case FOUND:
		return LIVE;
	case FOUND_NOT:
		return STALE;
	default:
		return UNKNOWN;
	}
}

void states_judge(struct states *states)
{
	const struct boot boot = file_boot();
	struct alive alive = { 0 };
	bool matters = false;

	for (size_t i = 0; i < states->leases.n; i++)
		matters |= states->origins[i].netns.inode && !origin_is_earlier(&states->origins[i], &boot);
	if (matters)
		alive_read(&alive);
	for (size_t i = 0; i < states->leases.n; i++)
		states->states[i] = state_judge(&states->leases.list[i], &states->origins[i], &boot, &alive);
	alive_free(&alive);
}

int states_find(struct states *ret, const struct place *place,
		bool (*wanted)(void *arg, const struct lease *lease), void *arg, struct cni_error *err)
{
	struct store store;
	enum found found = store_look(&store, place, err);
	int rc = found == FOUND_FAILED ? -1 : 0;

	*ret = (struct states){ .origins = NULL };
	if (found == FOUND) {
		rc = states_read(ret, &store, wanted, arg, err);
		store_close(&store);
	}
	if (rc == 0)
		states_judge(ret);
	return rc;
}

void states_free(struct states *states)
{
	leases_free(&states->leases);
	free(states->origins);
	free(states->states);
	*states = (struct states){ .origins = NULL };
}
