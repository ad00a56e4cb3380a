/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/base64.h"

#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t len)
{
	const unsigned char *in = bytes;
	char *text = malloc((len + 2) / 3 * 4 + 1), *out = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		unsigned int word = (unsigned int)in[i] << 16;

		if (i + 1 < len)
			word |= (unsigned int)in[i + 1] << 8;
		if (i + 2 < len)
			word |= in[i + 2];
		out[0] = alphabet[word >> 18];
		out[1] = alphabet[word >> 12 & 63];
		out[2] = out[3] = '=';
		if (i + 1 < len)
			out[2] = alphabet[word >> 6 & 63];
		if (i + 2 < len)
			out[3] = alphabet[word & 63];
		out += 4;
	}
	*out = '\0';
	return text;
}

char *base64_decode(const char *text, size_t *len)
{
	size_t digits = strspn(text, alphabet), padding = strspn(text + digits, "=");
	char *bytes, *out;
	unsigned int word = 0;

	if (text[digits + padding] || padding > 2 || (digits + padding) % 4)
		return NULL;
	bytes = out = calloc(1, digits / 4 * 3 + 4);
	if (!bytes)
		return NULL;
	for (size_t i = 0; i < digits; i++) {
		word = word << 6 | (unsigned int)(strchr(alphabet, text[i]) - alphabet);
		if (i % 4 == 0)
			continue;
		*out++ = (char)(word >> (6 - 2 * (i % 4)));
	}
	*out = '\0';
	*len = (size_t)(out - bytes);
	return bytes;
}
