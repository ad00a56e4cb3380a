/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kubeconfig by which addrpool-claim asks the API of Kubernetes, of the ServiceAccount of our pod.
 *
 * The kubelet renews the token in the pod's volume before it ends; each change is written to the node at
 * once. Certificate and token are in one file, so that they always belong together.
 */
#ifndef NODE_ACCOUNT_H
#define NODE_ACCOUNT_H

#include "node/options.h"
#include "node/place.h"

/* The kubeconfig, as JSON, which is YAML as well; the caller frees it. NULL with CNI_IO, CNI_CONFIG. */
char *account_kubeconfig(const struct options *options, struct cni_error *err);

#endif
