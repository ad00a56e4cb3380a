/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/wanted.h"

#include <stdio.h>

static bool wanted_is_among(const struct ip *ips, size_t n, const struct ip *ip)
{
	for (size_t i = 0; i < n; i++)
		if (ip_equal(&ips[i], ip))
			return true;
	return false;
}

const struct ip *wanted_of(const struct conf *conf, size_t n, const struct ip *given)
{
	const struct pool *pool = &conf->pools[n];
	const struct ip *kept = NULL;

	for (size_t i = 0; i < conf->n_wanted; i++) {
		const struct ip *ip = &conf->wanted[i];

		if (wanted_is_among(given, n, ip))
			continue;
		if (pool_range(pool, ip))
			return ip;
		if (!kept && pool_asked(pool, ip))
			kept = ip;
	}
	return kept;
}

/* May one of the range sets assign ip on request? */
static bool wanted_has_place(const struct conf *conf, const struct ip *ip)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (pool_asked(&conf->pools[i], ip))
			return true;
	return false;
}

struct list {
	char s[256];
	size_t used;
};

static void wanted_list_add(struct list *list, const struct ip *ip)
{
	if (list->used < sizeof(list->s))
		list->used += (size_t)snprintf(list->s + list->used, sizeof(list->s) - list->used, " %s",
					       ip_text(ip).s);
}

/* Adds to err why no range set has ip. Returns -1. */
static int wanted_explain(const struct conf *conf, const struct ip *ip, struct cni_error *err)
{
	const struct pool *pool = conf->pools;
	const struct range *range = pool_subnet(pool, ip);
	struct ip_str subnet;

	while (!range && ++pool < &conf->pools[conf->n_pools])
		range = pool_subnet(pool, ip);
	if (!range)
		return cni_hint(err, "%s is in no subnet of the ranges; the first range set is %s",
				ip_text(ip).s, pool_text(&conf->pools[0]).s);
	subnet = prefix_text(&range->subnet);
	if (conf->cluster.pool)
		return cni_hint(err, "%s is in %s, but not in the range %s", ip_text(ip).s, subnet.s,
				pool_text(pool).s);
	return cni_hint(err,
			"%s is in %s, but not in the range %s; with \"static\": [\"%s\"] in ipam a pod can "
			"request it",
			ip_text(ip).s, subnet.s, pool_text(pool).s, ip_text(ip).s);
}

int wanted_check_reserved(const struct conf *conf, const struct ip *ip, struct cni_error *err)
{
	for (size_t i = 0; i < conf->n_pools; i++) {
		const struct range *range = pool_subnet(&conf->pools[i], ip);
		const char *reserved = range ? subnet_reserved(&range->subnet, ip) : NULL;

		if (reserved && !pool_range(&conf->pools[i], ip))
			return cni_fail(err, CNI_CONFIG, "requested IP address %s is the %s of %s",
					ip_text(ip).s, reserved, prefix_text(&range->subnet).s);
	}
	return 0;
}

int wanted_check(const struct conf *conf, struct cni_error *err)
{
	const struct ip *first = NULL;
	struct list list = { .used = 0 };

	for (size_t i = 0; i < conf->n_wanted; i++) {
		const struct ip *ip = &conf->wanted[i];

		if (wanted_has_place(conf, ip))
			continue;
		if (wanted_check_reserved(conf, ip, err) < 0)
			return -1;
		first = first ? first : ip;
		wanted_list_add(&list, ip);
	}
	if (!first)
		return 0;
	cni_fail(err, CNI_CONFIG, "failed to allocate all requested IPs:%s", list.s);
	return wanted_explain(conf, first, err);
}

int wanted_all_given(const struct conf *conf, const struct ip *ips, struct cni_error *err)
{
	struct list list = { .used = 0 };

	for (size_t i = 0; i < conf->n_wanted; i++)
		if (!wanted_is_among(ips, conf->n_pools, &conf->wanted[i]))
			wanted_list_add(&list, &conf->wanted[i]);
	if (!list.used)
		return 0;
	cni_fail(err, CNI_CONFIG, "failed to allocate all requested IPs:%s", list.s);
	return cni_hint(err, "a container gets one address of each range set: request at most one of each");
}
