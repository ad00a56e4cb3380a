/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do host and pods reach each other, where "hostAccess" says that they shall? What the kernel has
 * been told for it is one thing, the host's own firewall another.
 */
#ifndef CTL_ACCESS_H
#define CTL_ACCESS_H

#include "ctl/examine.h"

/*
 * Sends from a pod of the network that runs, or else from one that is made for it by ADD and
 * removed by DEL, as a runtime would. machine: what scan() found.
 */
void examine_access(struct exam *exam, const json_t *machine);

#endif
