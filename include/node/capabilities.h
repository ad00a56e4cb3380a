/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked for requires some of root's capabilities, and nothing else.
 */
#ifndef NODE_CAPABILITIES_H
#define NODE_CAPABILITIES_H

#include "cni/error.h"
#include "node/options.h"

/*
 * For repairs, collections and metrics keeps CAP_NET_ADMIN (links, routes, nftables), CAP_SYS_ADMIN (the
 * namespaces of pods; before Linux 5.8 BPF), CAP_BPF, CAP_SYS_PTRACE (namespaces that only a process or a
 * socket leads to) and CAP_DAC_OVERRIDE (files of pods that are not root's); with options->host_mounts
 * CAP_SYS_CHROOT as well, without which no namespace of mounts can be entered; and else CAP_DAC_OVERRIDE
 * alone. As far as it has them: for us, for what we start, and no more to be had back. Errors: CNI_INTERNAL.
 */
int capabilities_drop(const struct options *options, struct cni_error *err);

#endif
