/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people call the pod, or the container, that an attachment is for: runtimes pass its name in
 * CNI_ARGS, beside the id, which people do not know by heart.
 *
 *	Kubernetes (containerd, CRI-O)   K8S_POD_NAMESPACE, K8S_POD_NAME
 *	Podman                           K8S_POD_NAME: the container's name
 *	Nomad                            NOMAD_NAMESPACE, NOMAD_JOB_ID
 *	nerdctl                          NERDCTL_CNI_DHCP_HOSTNAME: the container's host name
 */
#ifndef PLUGIN_WORKLOAD_H
#define PLUGIN_WORKLOAD_H

/* As long as names are in Kubernetes. */
#define WORKLOAD_NAME_MAX 253

struct workload {
	char namespace[WORKLOAD_NAME_MAX + 1], name[WORKLOAD_NAME_MAX + 1]; /* "": not known */
};

/*
 * args: CNI_ARGS, KEY=VALUE;KEY=VALUE of whoever called. A name that is too long counts as not known. Nothing
 * is said of what is malformed: that is the business of plugins that go by it.
 */
struct workload workload_read(const char *args);

#endif
