/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a repair requires of root's capabilities, and nothing else.
 */
#ifndef NODE_CAPABILITIES_H
#define NODE_CAPABILITIES_H

#include "cni/error.h"

/*
 * Keeps CAP_NET_ADMIN (links, routes, nftables), CAP_SYS_ADMIN (the namespaces of pods; before Linux 5.8
 * BPF), CAP_BPF, CAP_SYS_PTRACE (namespaces that only a process or a socket leads to) and CAP_DAC_OVERRIDE
 * (files of pods that are not root's), as far as it has them: for us, for what we start, and no more to
 * be had back. Errors: CNI_INTERNAL.
 */
int capabilities_drop(struct cni_error *err);

#endif
