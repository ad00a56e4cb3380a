/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON objects as the Go library does, which configurations rely on:
 * keys match whatever their case, the last of several equal ones wins, null
 * means absent. A value of the wrong type is an error that names the key.
 *
 * What is read stays the property of the document: strings and objects are
 * borrowed, never copied.
 */
#ifndef CNI_JSON_H
#define CNI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"

/* One document and nothing after it but white space; NULL with err->code 6. */
json_t *json_read(const char *text, size_t len, struct cni_error *err);

/* The value of key, or NULL. obj may be anything, also NULL. */
json_t *json_field(const json_t *obj, const char *key);
json_t *json_member(const json_t *obj, const char *key); /* the same, but null is a value */

/*
 * Each leaves *ret alone when the key is absent, and fails with CNI_CONFIG when
 * the value is of another type (integers: or out of the range [min, max]).
 * where precedes the key in messages: "ipam." for instance, or "".
 */
int field_string(const json_t *obj, const char *where, const char *key, const char **ret,
		 struct cni_error *err);
int field_int(const json_t *obj, const char *where, const char *key, long long min, long long max,
	      long long *ret, struct cni_error *err);
int field_bool(const json_t *obj, const char *where, const char *key, bool *ret, struct cni_error *err);
int field_object(const json_t *obj, const char *where, const char *key, json_t **ret, struct cni_error *err);
int field_array(const json_t *obj, const char *where, const char *key, json_t **ret, struct cni_error *err);

/* Fails with CNI_CONFIG: the value of key is not what is wanted, "a string" for instance. */
int field_wrong(const json_t *got, const char *where, const char *key, const char *wanted,
		struct cni_error *err);

/* Length of the UTF-8 character at s, or 0 when it is none that jansson takes. */
size_t utf8_length(const unsigned char *s);

/* A JSON string of any bytes: what is not UTF-8 becomes U+FFFD, as in Go. */
json_t *json_text(const char *bytes);
bool json_text_is(const char *text, const char *bytes); /* text: of a document */

/* A JSON string of any bytes that json_bytes_read() turns back into them: what is not UTF-8,
 * and '%', becomes "%" and two hexadecimal digits. */
json_t *json_bytes(const char *bytes);

/* False: value is no string of json_bytes(), or has no room in ret. */
bool json_bytes_read(const json_t *value, char *ret, size_t size);

#endif
