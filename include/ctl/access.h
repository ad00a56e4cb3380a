/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks that host and pods reach each other if "hostAccess" is set. The host's firewall can drop
 * their packets although the plugin has made all objects.
 */
#ifndef CTL_ACCESS_H
#define CTL_ACCESS_H

#include "ctl/examine.h"

/*
 * Sends from a running pod of the network. If none runs, makes one by ADD, and removes it by DEL.
 * machine: the document of scan().
 */
void examine_access(struct exam *exam, const json_t *machine);

#endif
