/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does an address answer an echo request that is sent from inside a namespace?
 */
#ifndef CTL_PING_H
#define CTL_PING_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/ip.h"

/* Asks once a second, for three seconds. FOUND: *ms is how long the answer took.
 * FOUND_FAILED: it cannot be sent, CNI_IO tells why (there is no route, for instance). */
enum found ping(int netns, const struct ip *to, double *ms, struct cni_error *err);

#define PING_SIZE_MAX 65535

/* The same, once, with a packet of so many bytes, its IP header counted, that no router may cut into pieces.
 */
enum found ping_large(int netns, const struct ip *to, size_t size, struct cni_error *err);

/* Does the namespace know the link-layer address of to, since that answered ARP or neighbour solicitation? */
bool ping_is_neighbour(int netns, const struct ip *to);

#endif
