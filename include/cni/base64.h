/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 4648: what etcd's gateway, kubeconfig files and the cache of runtimes use for bytes.
 */
#ifndef CNI_BASE64_H
#define CNI_BASE64_H

#include <stddef.h>

/* Both return what the caller frees, with a zero byte after it; NULL: no memory, or
 * (decoding) no base64. */
char *base64_encode(const void *bytes, size_t len);
char *base64_decode(const char *text, size_t *len);

#endif
