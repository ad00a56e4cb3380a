/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses a container gets: one of each pool. In this order: the one that
 * was asked for, the one that it had before the machine was restarted, the one
 * that its name had, the next free one.
 */
#ifndef IPAM_CHOOSE_H
#define IPAM_CHOOSE_H

#include "ipam/ask.h"
#include "ipam/conf.h"
#include "ipam/record.h"
#include "ipam/state.h"

/*
 * Fills ips, conf->n_pools of them. had are the addresses of an attachment of the
 * same name that is over. Takes nothing; but when a pool has no free address, those
 * leases of attachments that are gone, by known, are released; NULL: none is known
 * to be gone. Errors: CNI_RETRY (no address), CNI_CONFLICT (taken), CNI_CONFIG
 * (asked for one that there is not), CNI_IO. *shortage is the pool that had no address
 * that may be handed out.
 */
int choose(struct ip *ips, struct store *store, const struct conf *conf, const struct record *had,
	   const struct states *known, struct shortage *shortage, struct cni_error *err);

#endif
