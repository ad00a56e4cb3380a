/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the Kubernetes API is and who we are there: a kubeconfig file, or what a pod
 * finds in its own file system.
 */
#ifndef CLAIM_KUBECONFIG_H
#define CLAIM_KUBECONFIG_H

#include "claim/http.h"

/*
 * Both add to http: endpoint, certificates, token; and the namespace, if one is given,
 * to *namespace, which the caller frees. *doc owns what http borrows. Errors:
 * CNI_CONFIG, CNI_IO. Programs that print credentials ("exec") are not run.
 */
int kubeconfig_read(struct http *http, char **namespace, json_t **doc, const char *path,
		    struct cni_error *err);
int kubeconfig_of_pod(struct http *http, char **namespace, struct cni_error *err);

#endif
