/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The versions of the specification that we support, oldest first, so that they compare as numbers.
 */
#ifndef CNI_VERSION_H
#define CNI_VERSION_H

#include <jansson.h>

#include "cni/error.h"

enum cni_version {
	CNI_0_1_0,
	CNI_0_2_0,
	CNI_0_3_0,
	CNI_0_3_1,
	CNI_0_4_0,
	CNI_1_0_0,
	CNI_1_1_0,
	CNI_VERSIONS,
};

extern const char *const cni_versions[CNI_VERSIONS];

/* The version with this text, or -1. */
int version_find(const char *text);

/*
 * The version of a configuration; 0.1.0 if it names none. Fails with CNI_DECODE if it is not a
 * version, and with CNI_VERSION if we do not support it. verb is the verb to run, and since the
 * version that introduced it. Texts and order are those of the skeleton of the Go library.
 */
int version_negotiate(const json_t *conf, const char *verb, enum cni_version since, enum cni_version *ret,
		      struct cni_error *err);

#endif
