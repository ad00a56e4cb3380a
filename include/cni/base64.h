/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 (RFC 4648): the form of bytes in etcd's gateway, in kubeconfig files and in the cache of
 * runtimes.
 */
#ifndef CNI_BASE64_H
#define CNI_BASE64_H

#include <stddef.h>

/* Both return memory that the caller frees, with a zero byte at its end. NULL: out of memory, or
 * text is not base64. */
char *base64_encode(const void *bytes, size_t len);
char *base64_decode(const char *text, size_t *len);

#endif
