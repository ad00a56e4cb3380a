/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask of a pool that nodes share, such as the list of its blocks, passes through three programs:
 * ipvlanctl runs addrpool, which runs addrpool-claim. Each waits longer than the program that it runs.
 */
#ifndef CNI_LISTING_H
#define CNI_LISTING_H

#include <stddef.h>

#define LISTING_S 600	  /* until the engine has answered all requests of addrpool-claim */
#define LISTING_LOCK_S 65 /* before that: until other calls of addrpool-claim have ended */

/* Bytes: a million blocks, with the longest names. */
#define LISTING_MAX ((size_t)1 << 30)

#endif
