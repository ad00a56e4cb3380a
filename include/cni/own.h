/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that the Go plugins do not know. The Go plugins ignore them, so a configuration that works
 * there may have such a key with the meaning of another program: `vlan` of bridge, `ipMasq` that
 * flannel adds, `logLevel` of Multus.
 *
 * The type of the value decides whose key it is. A value of another type is not ours: it is
 * ignored, as the Go plugins ignore it, and ADD logs that. A value of our type is ours, and one
 * that we do not accept is an error. If another program uses the key with the same type,
 * log_ignored() reports a value that we do not accept.
 */
#ifndef CNI_OWN_H
#define CNI_OWN_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/*
 * Each leaves *ret unchanged if the key is absent or not ours. obj, where and key are as in
 * cni/json.h. own_int() fails with CNI_CONFIG if the value is out of the range [min, max].
 */
void own_bool(const json_t *obj, const char *where, const char *key, bool *ret);
void own_string(const json_t *obj, const char *where, const char *key, const char **ret);
void own_object(const json_t *obj, const char *where, const char *key, json_t **ret);
int own_int(const json_t *obj, const char *where, const char *key, long long min, long long max,
	    long long *ret, struct cni_error *err);

/* A list of strings, and a list of objects with a string named member. NULL: absent, or not ours. */
json_t *own_strings(const json_t *obj, const char *where, const char *key);
json_t *own_objects(const json_t *obj, const char *where, const char *key, const char *member);

#endif
