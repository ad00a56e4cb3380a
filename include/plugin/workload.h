/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name, for people, of the pod or the container of an attachment. Runtimes pass it in CNI_ARGS.
 *
 *	Kubernetes (containerd, CRI-O)   K8S_POD_NAMESPACE, K8S_POD_NAME
 *	Podman                           K8S_POD_NAME: the container's name
 *	Nomad                            NOMAD_NAMESPACE, NOMAD_JOB_ID
 *	nerdctl                          NERDCTL_CNI_DHCP_HOSTNAME: the container's host name
 */
#ifndef PLUGIN_WORKLOAD_H
#define PLUGIN_WORKLOAD_H

/* The longest name in Kubernetes. */
#define WORKLOAD_NAME_MAX 253

struct workload {
	char namespace[WORKLOAD_NAME_MAX + 1], name[WORKLOAD_NAME_MAX + 1]; /* "": not known */
};

/*
 * args: CNI_ARGS, KEY=VALUE;KEY=VALUE. A name that is too long counts as not known. Malformed
 * arguments are ignored without a message: only plugins that use them report them.
 */
struct workload workload_read(const char *args);

#endif
