/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses of a LAN somebody has.
 */
#ifndef CTL_SWEEP_H
#define CTL_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "net/link.h"

/*
 * Asks by ARP for n IPv4 addresses from first on, on the LAN of the link, and sets taken[i] for each that
 * answers; the others are left alone. Takes two seconds. Machines that are switched off do not answer.
 * CNI_IO.
 */
int sweep(const struct link *link, const struct ip *first, size_t n, bool *taken, struct cni_error *err);

#endif
