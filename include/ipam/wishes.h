/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the caller requests beyond the configuration: addresses, and the name for "sticky".
 *
 *	CNI_ARGS            IP=10.9.0.7;IgnoreUnknown=1;K8S_POD_NAME=web-0
 *	args.cni.ips        ["10.9.0.7", "fd00::7/64"]
 *	runtimeConfig.ips   ["10.9.0.7/24"]
 */
#ifndef IPAM_WISHES_H
#define IPAM_WISHES_H

#include "ipam/conf.h"

/* Fills conf->args, conf->wanted and conf->sticky. Errors: CNI_ENVIRONMENT, CNI_CONFIG. */
int wishes_read(struct conf *conf, const json_t *ipam, const struct request *req, struct cni_error *err);

#endif
