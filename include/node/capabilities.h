/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked for requires some of root's capabilities, and nothing else.
 */
#ifndef NODE_CAPABILITIES_H
#define NODE_CAPABILITIES_H

#include "cni/error.h"
#include "node/options.h"

/*
 * Drops all capabilities for ever, also for programs that we start, except these, if we have them:
 * CAP_DAC_OVERRIDE (files of pods that do not belong to root); for repairs, collections and metrics also
 * CAP_NET_ADMIN (links, routes, nftables), CAP_SYS_ADMIN (namespaces of pods; BPF before Linux 5.8), CAP_BPF
 * and CAP_SYS_PTRACE (namespaces that are found only by a process or a socket); with options->host_mounts
 * also CAP_SYS_CHROOT, which entering a mount namespace requires. Errors: CNI_INTERNAL.
 */
int capabilities_drop(const struct options *options, struct cni_error *err);

#endif
