/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that the Go plugins do not know. These ignore them, so that a configuration which
 * works there may carry one with the meaning that another program gives it: `vlan` of
 * bridge, `ipMasq` that flannel adds, `logLevel` of Multus.
 *
 * The type of the value says whose key it is. One of another type is not ours: it is left
 * out, as the Go plugins leave it out, and ADD says so in the log. One of our type is ours,
 * and a value that we do not have is an error: somebody who meant us made a slip. Where
 * others have the same type as well, what we cannot do is left out by log_ignored().
 */
#ifndef CNI_OWN_H
#define CNI_OWN_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/*
 * Each leaves *ret alone when the key is absent or not ours. obj, where and key are as in
 * cni/json.h. own_int() fails with CNI_CONFIG out of the range [min, max].
 */
void own_bool(const json_t *obj, const char *where, const char *key, bool *ret);
void own_string(const json_t *obj, const char *where, const char *key, const char **ret);
void own_object(const json_t *obj, const char *where, const char *key, json_t **ret);
int own_int(const json_t *obj, const char *where, const char *key, long long min, long long max,
	    long long *ret, struct cni_error *err);

/* A list of strings; a list of objects that have a string called member. NULL: absent, or not ours. */
json_t *own_strings(const json_t *obj, const char *where, const char *key);
json_t *own_objects(const json_t *obj, const char *where, const char *key, const char *member);

#endif
