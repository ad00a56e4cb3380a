/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several targets share: files of any content, and what holds for every result,
 * whatever it was made of.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cni/result.h"

#define must(condition) ((condition) ? (void)0 : abort())

/* A path that reads as the bytes do, until the next call. */
static inline void file_of(const void *bytes, size_t len, char ret[PATH_MAX])
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("file", MFD_CLOEXEC);
	must(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, len, 0) == (ssize_t)len);
	snprintf(ret, PATH_MAX, "/proc/self/fd/%d", fd);
}

static inline bool same_ip(const struct cni_ip *a, const struct cni_ip *b)
{
	bool none = a->interface < 0 && b->interface < 0; /* no index: not printed */

	return prefix_equal(&a->address, &b->address) && ip_equal(&a->gateway, &b->gateway) &&
	       (none || a->interface == b->interface);
}

static inline bool same_route(const struct cni_route *a, const struct cni_route *b)
{
	return prefix_equal(&a->dst, &b->dst) && ip_equal(&a->gw, &b->gw) && a->mtu == b->mtu &&
	       a->advmss == b->advmss && a->priority == b->priority && a->table == b->table &&
	       a->scope == b->scope;
}

/* From 0.3.0 on addresses and routes can say all that they mean. */
static inline void nothing_lost(const struct result *result, const struct result *back)
{
	must(result->n_interfaces == back->n_interfaces);
	must(result->n_ips == back->n_ips && result->n_routes == back->n_routes);
	for (size_t i = 0; i < result->n_ips; i++)
		must(same_ip(&result->ips[i], &back->ips[i]));
	for (size_t i = 0; i < result->n_routes; i++)
		must(same_route(&result->routes[i], &back->routes[i]));
}

/* Printed, read and printed again, a result is the same in each version. */
static inline void in_every_version(const struct result *result)
{
	for (int v = 0; v < CNI_VERSIONS; v++) {
		struct cni_error err = { 0 };
		json_auto_t *once = result_json(result, (enum cni_version)v, &err), *twice = NULL;
		struct result back;

		if (!once) {
			must(v < CNI_0_3_0 && !result->n_ips && *err.msg);
			continue;
		}
		must(result_read(&back, once, (enum cni_version)v, &err) == 0);
		if (v >= CNI_0_3_0)
			nothing_lost(result, &back);
		twice = result_json(&back, (enum cni_version)v, &err);
		must(json_equal(once, twice));
		result_free(&back);
	}
}

#endif
