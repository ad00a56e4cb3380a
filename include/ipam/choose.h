/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses the addresses of an attachment, one of each pool. The first of these that is free: the requested
 * address (no other, if there is one); one that an earlier attachment of the same name had; the one of the
 * "sticky" name; the next free one.
 */
#ifndef IPAM_CHOOSE_H
#define IPAM_CHOOSE_H

#include "ipam/ask.h"
#include "ipam/conf.h"
#include "ipam/record.h"
#include "ipam/state.h"

/*
 * Fills ips, conf->n_pools of them, and leases none. had: the addresses of an earlier attachment of the same
 * name. If a pool has no free address, choose() releases the leases that known says are dead; known may be
 * NULL. Errors: CNI_RETRY (no free address), CNI_CONFLICT (the requested address is leased), CNI_CONFIG (the
 * requested address is in no pool, or may not be assigned), CNI_IO. *shortage says what was lacking.
 */
int choose(struct ip *ips, struct store *store, const struct conf *conf, const struct record *had,
	   const struct states *known, struct shortage *shortage, struct cni_error *err);

#endif
