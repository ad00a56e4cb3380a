/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets of configurations: what hides them, there and wherever else their values have come to.
 */
#ifndef CTL_REDACT_H
#define CTL_REDACT_H

#include <jansson.h>

struct secrets {
	json_t *values; /* those that were met */
};

void secrets_open(struct secrets *ret);
void secrets_close(struct secrets *secrets);

/* A copy in which the values of keys that are called after a secret (token, password, key, ...), user
 * information in URLs, and PEM blocks say "(removed)". The values are remembered. A new reference. */
json_t *redact_json(struct secrets *secrets, const json_t *doc);

/* The same of any text, and each value that was remembered. The caller frees it; never NULL. */
char *redact_text(const struct secrets *secrets, const char *text);

#endif
