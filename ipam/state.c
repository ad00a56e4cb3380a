#include "ipam/state.h"

#include <string.h>

#include "ipam/record.h"

enum state lease_state(struct alive *alive, const struct store *store, const struct lease *lease)
{
	struct record record;

	if (!*lease->owner.container)
		return EMPTY;
	if (record_get(&record, store, &lease->owner) != FOUND)
		return UNKNOWN;
	if (record.boot.id[0] && store->boot.id[0] && strcmp(record.boot.id, store->boot.id) != 0)
		return EARLIER;
	if (!record.netns.inode)
		return UNKNOWN;
	switch (alive_find(alive, &record.netns)) {
	case FOUND:
		return LIVE;
	case FOUND_NOT:
		return STALE;
	default:
		return UNKNOWN;
	}
}
