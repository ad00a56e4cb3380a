/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolv.conf(5) as the "dns" object of a result.
 */
#ifndef IPAM_RESOLV_H
#define IPAM_RESOLV_H

#include <jansson.h>

#include "cni/error.h"

/* The caller owns *ret; it is NULL if the file configures nothing. Errors: CNI_IO. */
int resolv_read(json_t **ret, const char *path, struct cni_error *err);

#endif
