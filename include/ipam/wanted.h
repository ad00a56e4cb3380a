/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that the caller asks for, and the range sets that have them. A range set gives one
 * address: of its ranges, or of those in its subnets that "static" keeps for who asks.
 */
#ifndef IPAM_WANTED_H
#define IPAM_WANTED_H

#include "ipam/conf.h"

/* Before anything is looked for: is there a range set for each? CNI_CONFIG. */
int wanted_check(const struct conf *conf, struct cni_error *err);

/* The address that range set number n is to give; or NULL: any. given are those of the sets before it. */
const struct ip *wanted_of(const struct conf *conf, size_t n, const struct ip *given);

/* Is each of them among ips, one of each range set? CNI_CONFIG: more than one lie in the same. */
int wanted_all_given(const struct conf *conf, const struct ip *ips, struct cni_error *err);

/* Fails with CNI_CONFIG if ip, which is in no range, is a subnet's own, its broadcast address for instance.
 */
int wanted_check_own(const struct conf *conf, const struct ip *ip, struct cni_error *err);

#endif
