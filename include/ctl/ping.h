/*
 * Does an address answer an echo request that is sent from inside a namespace?
 */
#ifndef CTL_PING_H
#define CTL_PING_H

#include "cni/error.h"
#include "cni/ip.h"

/* Asks once a second, for three seconds. FOUND: *ms is how long the answer took.
 * FOUND_FAILED: it cannot be sent, CNI_IO tells why (there is no route, for instance). */
enum found ping(int netns, const struct ip *to, double *ms, struct cni_error *err);

#endif
