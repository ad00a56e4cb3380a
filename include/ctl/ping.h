/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends echo requests from inside a network namespace.
 */
#ifndef CTL_PING_H
#define CTL_PING_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/ip.h"

/* Sends one request a second, for three seconds. FOUND: *ms is the time until the answer.
 * FOUND_FAILED: sending failed with CNI_IO, for instance without a route. */
enum found ping(int netns, const struct ip *to, double *ms, struct cni_error *err);

#define PING_SIZE_MAX 65535

/* Sends one packet of size bytes, IP header included, that routers must not fragment. */
enum found ping_large(int netns, const struct ip *to, size_t size, struct cni_error *err);

/* Has the namespace's neighbour table a link-layer address of to? Then to has answered ARP or a neighbour
 * solicitation. */
bool ping_is_neighbour(int netns, const struct ip *to);

#endif
