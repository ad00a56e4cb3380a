/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes secrets from configurations, and their values from any other text.
 */
#ifndef CTL_REDACT_H
#define CTL_REDACT_H

#include <jansson.h>

struct secrets {
	json_t *values; /* the secrets found so far */
};

void secrets_open(struct secrets *ret);
void secrets_close(struct secrets *secrets);

/* Returns a copy in which "(removed)" replaces each value whose key names a secret (token, password,
 * key, ...), user information in URLs, and PEM blocks. Remembers the values. A new reference. */
json_t *redact_json(struct secrets *secrets, const json_t *doc);

/* Replaces the same in any text, and each remembered value. The caller frees the result; never NULL. */
char *redact_text(const struct secrets *secrets, const char *text);

#endif
