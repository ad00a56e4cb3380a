/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FNV-1a: makes short names of long ones, and distributes names evenly. It does not withstand a person who
 * searches for two names with one hash.
 */
#ifndef CNI_HASH_H
#define CNI_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 0xcbf29ce484222325

/* Adds n bytes to a hash, which is HASH_START at first. */
uint64_t hash_add(uint64_t hash, const void *bytes, size_t n);

#endif
