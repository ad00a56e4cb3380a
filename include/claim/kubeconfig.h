/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address and credentials for the Kubernetes API: from a kubeconfig, or from the service account's files in a
 * pod.
 */
#ifndef CLAIM_KUBECONFIG_H
#define CLAIM_KUBECONFIG_H

#include "claim/http.h"

/*
 * Both set endpoint, certificates and token of http, and *namespace, if there is one; the caller frees it.
 * http borrows from *doc. Programs that print credentials ("exec") are refused. Errors: CNI_CONFIG, CNI_IO,
 * CNI_RETRY.
 */
int kubeconfig_read(struct http *http, char **namespace, json_t **doc, const char *path,
		    struct cni_error *err);
int kubeconfig_of_pod(struct http *http, char **namespace, struct cni_error *err);

#endif
