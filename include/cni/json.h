/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads JSON objects as the Go library does, since configurations rely on it: the case of a key
 * does not matter, the last of several equal keys counts, null means absent. A value of the wrong
 * type is an error that names the key.
 *
 * Strings and objects are borrowed from the document, never copied.
 */
#ifndef CNI_JSON_H
#define CNI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"

/* The only document of the text, with nothing after it except white space; NULL with CNI_DECODE. */
json_t *json_read(const char *text, size_t len, struct cni_error *err);

/* The value of key, or NULL. obj may be any value, or NULL. */
json_t *json_field(const json_t *obj, const char *key);
json_t *json_member(const json_t *obj, const char *key); /* the same, but null is a value */

/*
 * Each leaves *ret unchanged if the key is absent. Each fails with CNI_CONFIG if the value has
 * another type, or if an integer is out of the range [min, max]. where precedes the key in
 * messages: "ipam." for instance, or "".
 */
int field_string(const json_t *obj, const char *where, const char *key, const char **ret,
		 struct cni_error *err);
int field_int(const json_t *obj, const char *where, const char *key, long long min, long long max,
	      long long *ret, struct cni_error *err);
int field_bool(const json_t *obj, const char *where, const char *key, bool *ret, struct cni_error *err);
int field_object(const json_t *obj, const char *where, const char *key, json_t **ret, struct cni_error *err);
int field_array(const json_t *obj, const char *where, const char *key, json_t **ret, struct cni_error *err);

/* Fails with CNI_CONFIG: the value of key is not of the type wanted, "a string" for instance. */
int field_wrong(const json_t *got, const char *where, const char *key, const char *wanted,
		struct cni_error *err);

/* The length of the UTF-8 character at s; 0 if jansson does not accept it. */
size_t utf8_length(const unsigned char *s);

/* A JSON string of any bytes: those that are not UTF-8 become U+FFFD, as in Go. */
json_t *json_text(const char *bytes);
bool json_text_is(const char *text, const char *bytes); /* text: from a document */

/* A JSON string of any bytes, from which json_bytes_read() restores them: each byte that is not
 * UTF-8, and each '%', becomes "%" and two hexadecimal digits. */
json_t *json_bytes(const char *bytes);

/* Returns false if value is not a string of json_bytes(), or ret is too small. */
bool json_bytes_read(const json_t *value, char *ret, size_t size);

#endif
