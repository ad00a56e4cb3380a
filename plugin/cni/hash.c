/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/hash.h"

uint64_t hash_add(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3;
	return hash;
}
