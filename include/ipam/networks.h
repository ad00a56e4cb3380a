/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks of a configuration file whose addresses addrpool or host-local assigns.
 */
#ifndef IPAM_NETWORKS_H
#define IPAM_NETWORKS_H

#include <jansson.h>

#include "ipam/conf.h"

struct network {
	const struct conf *conf;
	const json_t *doc; /* the configuration that a runtime would pass */
};

/*
 * Calls each() for every such network of a configuration or a list, in order, until it fails.
 * Errors: each()'s; CNI_IO, CNI_DECODE, CNI_CONFIG (also if there is no such network).
 */
int networks_each(const char *path,
		  int (*each)(const struct network *network, void *arg, struct cni_error *err), void *arg,
		  struct cni_error *err);

#endif
