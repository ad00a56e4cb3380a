/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The versions of the specification that we speak, oldest first, so that
 * comparing two of them is comparing numbers.
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

/* The version that is written text, or -1. */
int version_find(const char *text);

/*
 * The version of a configuration, which is 0.1.0 when it names none. Fails with
 * CNI_DECODE when it is no version at all, with CNI_VERSION when it is one that
 * we do not speak; verb and since are the verb about to run and the version that
 * introduced it. Texts and order are those of the Go library's skeleton.
 */
int version_negotiate(const json_t *conf, const char *verb, enum cni_version since, enum cni_version *ret,
		      struct cni_error *err);

#endif
