/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "for" of a range set: the pods that get its addresses. It names properties of a pod, each with shell
 * patterns.
 *
 *	"ranges": [[{ "subnet": "10.9.0.0/28", "for": {"K8S_POD_NAMESPACE": ["db", "mq-*"]} }],
 *		   [{ "subnet": "10.9.1.0/24" }]]
 *
 * If a range set of a family has "for", a pod gets one address of that family: of the first range set that
 * is for it. A range set without "for" is for all pods. A name is that of an argument in CNI_ARGS, of a
 * string in runtimeConfig, of a string in an object there ("<capability>/<member>"), or "node". Each name
 * must match one of its patterns.
 */
#ifndef IPAM_WHOM_H
#define IPAM_WHOM_H

#include "ipam/conf.h"

/* Reads "for" of the pool's last range. All ranges of a range set must have the same. CNI_CONFIG. */
int whom_read(struct pool *pool, const json_t *range, struct cni_error *err);

/* Does "for" of a range set in ipam have the name key? */
bool whom_asks(const json_t *ipam, const char *key);

/* Removes from conf the range sets that are not for the pod. Errors: CNI_CONFIG (no range set of a family is
 * for the pod, or it requests an address of one that is for others). */
int whom_choose(struct conf *conf, const struct request *req, struct cni_error *err);

/* "K8S_POD_NAMESPACE=db|mq-* node=rack1-*", cut if it is too long; "": for all pods */
struct whom_text {
	char s[512];
	size_t used;
};
struct whom_text whom_text(const json_t *whom);

#endif
