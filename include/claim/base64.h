/*
 * RFC 4648: what etcd's gateway and kubeconfig files use for bytes.
 */
#ifndef CLAIM_BASE64_H
#define CLAIM_BASE64_H

#include <stddef.h>

/* Both return what the caller frees, with a zero byte after it; NULL: no memory, or
 * (decoding) no base64. */
char *base64_encode(const void *bytes, size_t len);
char *base64_decode(const char *text, size_t *len);

#endif
