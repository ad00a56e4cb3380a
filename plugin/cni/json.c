/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/json.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

json_t *json_read(const char *text, size_t len, struct cni_error *err)
{
	json_error_t why;
	json_t *doc = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);

	if (doc)
		return doc;
	if (json_error_code(&why) == json_error_premature_end_of_input || !len)
		cni_fail(err, CNI_DECODE, "unexpected end of JSON input");
	else
		cni_fail(err, CNI_DECODE, "%s (line %d, column %d)", why.text, why.line, why.column);
	return NULL;
}

json_t *json_member(const json_t *obj, const char *key)
{
	json_t *value, *found = NULL;
	const char *name;

	/* jansson's iterator is not declared const, but changes nothing */
	json_object_foreach((json_t *)(uintptr_t)obj, name, value)
		if (!strcasecmp(name, key))
			found = value;
	return found;
}

json_t *json_field(const json_t *obj, const char *key)
{
	json_t *found = json_member(obj, key);

	return json_is_null(found) ? NULL : found;
}

/* Everybody who may read the log or a pod's events can read a message. */
static bool json_may_have_password(const json_t *value, const char *key)
{
	if (!strcmp(key, "password"))
		return true;
	if (!strcmp(key, "ipam"))
		return json_is_array(value) || json_is_object(value);
	return !json_is_number(value) && !json_is_boolean(value) &&
	       (!strcmp(key, "endpoints") || !strcmp(key, "etcd") || !strcmp(key, "cluster"));
}

int field_wrong(const json_t *got, const char *where, const char *key, const char *wanted,
		struct cni_error *err)
{
	char *text;

	if (json_may_have_password(got, key))
		return cni_fail(err, CNI_CONFIG, "%s%s must be %s", where, key, wanted);
	text = json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT);
	cni_fail(err, CNI_CONFIG, "%s%s must be %s, not %.200s", where, key, wanted, text ? text : "?");
	free(text);
	return -1;
}

int field_string(const json_t *obj, const char *where, const char *key, const char **ret,
		 struct cni_error *err)
{
	const json_t *value = json_field(obj, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return field_wrong(value, where, key, "a string", err);
	if (strlen(json_string_value(value)) != json_string_length(value))
		return field_wrong(value, where, key, "a string without NUL", err);
	*ret = json_string_value(value);
	return 0;
}

int field_int(const json_t *obj, const char *where, const char *key, long long min, long long max,
	      long long *ret, struct cni_error *err)
{
	const json_t *value = json_field(obj, key);

	if (!value)
		return 0;
	if (!json_is_integer(value))
		return field_wrong(value, where, key, "an integer", err);
	if (json_integer_value(value) < min || json_integer_value(value) > max)
		return cni_fail(err, CNI_CONFIG, "%s%s must be %lld to %lld, not %lld", where, key, min, max,
				(long long)json_integer_value(value));
	*ret = json_integer_value(value);
	return 0;
}

int field_bool(const json_t *obj, const char *where, const char *key, bool *ret, struct cni_error *err)
{
	const json_t *value = json_field(obj, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return field_wrong(value, where, key, "true or false", err);
	*ret = json_is_true(value);
	return 0;
}

int field_object(const json_t *obj, const char *where, const char *key, json_t **ret, struct cni_error *err)
{
	json_t *value = json_field(obj, key);

	if (!value)
		return 0;
	if (!json_is_object(value))
		return field_wrong(value, where, key, "an object", err);
	*ret = value;
	return 0;
}

int field_array(const json_t *obj, const char *where, const char *key, json_t **ret, struct cni_error *err)
{
	json_t *value = json_field(obj, key);

	if (!value)
		return 0;
	if (!json_is_array(value))
		return field_wrong(value, where, key, "a list", err);
	*ret = value;
	return 0;
}

size_t utf8_length(const unsigned char *s)
{
	size_t len = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
	    (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

json_t *json_text(const char *bytes)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t room = strlen(bytes) * 3 + 1, used = 0;
	char *text = malloc(room);
	json_t *value;

	if (!text)
		return NULL;
	while (*bytes) {
		size_t len = utf8_length((const unsigned char *)bytes);

		memcpy(text + used, len ? bytes : replacement, len ? len : 3);
		used += len ? len : 3;
		bytes += len ? len : 1;
	}
	value = json_stringn(text, used);
	free(text);
	return value;
}

bool json_text_is(const char *text, const char *bytes)
{
	json_auto_t *value = json_text(bytes);

	return value && !strcmp(text, json_string_value(value));
}

json_t *json_bytes(const char *bytes)
{
	char *text = malloc(strlen(bytes) * 3 + 1);
	size_t used = 0;
	json_t *value;

	if (!text)
		return NULL;
	while (*bytes) {
		size_t len = *bytes == '%' ? 0 : utf8_length((const unsigned char *)bytes);

		if (len)
			memcpy(text + used, bytes, len);
		else
			sprintf(text + used, "%%%02X", (unsigned char)*bytes);
		used += len ? len : 3;
		bytes += len ? len : 1;
	}
	value = json_stringn(text, used);
	free(text);
	return value;
}

static bool json_read_escape(const char *text, char *ret)
{
	char digits[3];

	snprintf(digits, sizeof(digits), "%.2s", text + 1);
	if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
		return false;
	*ret = (char)strtoul(digits, NULL, 16);
	return *ret != '\0';
}

bool json_bytes_read(const json_t *value, char *ret, size_t size)
{
	const char *text = json_string_value(value);
	size_t used = 0;

	if (!text || strlen(text) != json_string_length(value))
		return false;
	for (; *text && used + 1 < size; text += *text == '%' ? 3 : 1, used++) {
		ret[used] = *text;
		if (*text == '%' && !json_read_escape(text, &ret[used]))
			return false;
	}
	ret[used] = '\0';
	return !*text;
}
