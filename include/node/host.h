/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the machine, seen from a container: the namespace of mounts of process 1, which a pod with
 * hostPID sees as the machine's. There a repair finds nft, /proc/sys that can be written, the ledger and
 * the namespaces of pods, as if the container were none.
 */
#ifndef NODE_HOST_H
#define NODE_HOST_H

#include "cni/error.h"
#include "node/options.h"

struct host {
	int mounts;    /* -1: those of our own */
	int ipvlanctl; /* the program beside ours, -1: there is none */
	const struct options *options;
};

/* Errors: CNI_IO. */
int host_open(struct host *ret, const struct options *options, struct cni_error *err);
void host_close(struct host *host);

/* For a process that does not come back. */
int host_enter(const struct host *host, struct cni_error *err);

/* Becomes "ipvlanctl ARGUMENT..." there. output: the descriptor that its standard output is, or -1. Returns
 * if that fails, with an exit status. */
int host_ipvlanctl(const struct host *host, char *const *argv, int output);

#endif
