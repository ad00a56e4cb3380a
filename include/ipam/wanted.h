/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requested addresses, and the range sets that have them. A range set assigns one address: one of its ranges,
 * or one of its subnets that is in "static".
 */
#ifndef IPAM_WANTED_H
#define IPAM_WANTED_H

#include "ipam/conf.h"

/* Fails with CNI_CONFIG if no range set has one of the requested addresses. */
int wanted_check(const struct conf *conf, struct cni_error *err);

/* The requested address that range set number n must assign; NULL: none, any will do. given: the n addresses
 * of the range sets before it. */
const struct ip *wanted_of(const struct conf *conf, size_t n, const struct ip *given);

/* Fails with CNI_CONFIG if a requested address is not among ips, since several are in one range set. */
int wanted_all_given(const struct conf *conf, const struct ip *ips, struct cni_error *err);

/* Fails with CNI_CONFIG if a subnet reserves ip, for instance as its broadcast address, and no range has it.
 */
int wanted_check_reserved(const struct conf *conf, const struct ip *ip, struct cni_error *err);

#endif
