/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks that a file configures whose addresses are ours to give.
 */
#ifndef IPAM_NETWORKS_H
#define IPAM_NETWORKS_H

#include <jansson.h>

#include "ipam/conf.h"

struct network {
	const struct conf *conf;
	const json_t *doc; /* what a runtime would send */
};

/*
 * Calls each() for those of a configuration or a list, in their order, until it fails.
 * Errors: its own; CNI_IO, CNI_DECODE, CNI_CONFIG (also when there is none).
 */
int networks_each(const char *path,
		  int (*each)(const struct network *network, void *arg, struct cni_error *err), void *arg,
		  struct cni_error *err);

#endif
