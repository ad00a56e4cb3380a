/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For whom a range set is: "for" of its ranges names what the pod must be called, by patterns as a shell has
 *them.
 *
 *	"ranges": [[{ "subnet": "10.9.0.0/28", "for": {"K8S_POD_NAMESPACE": ["db", "mq-*"]} }],
 *		   [{ "subnet": "10.9.1.0/24" }]]
 *
 * Where a range set of a family has it, a pod gets one address of that family: of the first range set that is
 *for it. A range set without it is for all. A name is that of an argument in CNI_ARGS, of a string in
 *runtimeConfig, of one in an object there ("<capability>/<member>"), or "node". All names must match, each by
 *one of its patterns.
 */
#ifndef IPAM_WHOM_H
#define IPAM_WHOM_H

#include "ipam/conf.h"

/* Reads it from a range, the last of the pool; all ranges of a range set are for the same. CNI_CONFIG. */
int whom_read(struct pool *pool, const json_t *range, struct cni_error *err);

/* Is the argument key among the names that a range set of ipam asks for? */
bool whom_asks(const json_t *ipam, const char *key);

/* Leaves in conf the range sets that give the pod an address. Errors: CNI_CONFIG: none of a family is for it,
 * or it asks for an address of one that is for others. */
int whom_choose(struct conf *conf, const struct request *req, struct cni_error *err);

/* "K8S_POD_NAMESPACE=db|mq-* node=rack1-*", cut where it gets too long; "" for all */
struct whom_text {
	char s[512];
	size_t used;
};
struct whom_text whom_text(const json_t *whom);

#endif
