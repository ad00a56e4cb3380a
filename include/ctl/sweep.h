/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the addresses of a LAN that are in use.
 */
#ifndef CTL_SWEEP_H
#define CTL_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "net/link.h"

/*
 * Asks the LAN of the link by ARP for n IPv4 addresses from first on. Sets taken[i] for each that answers,
 * and leaves the others unchanged. Takes two seconds. Machines that are switched off do not answer. CNI_IO.
 */
int sweep(const struct link *link, const struct ip *first, size_t n, bool *taken, struct cni_error *err);

#endif
