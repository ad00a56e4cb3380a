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

/* A JSON string of any bytes: what is not UTF-8 becomes U+FFFD, as in Go. */
json_t *json_text(const char *bytes);

#endif
