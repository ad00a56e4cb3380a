/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/redact.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cni/cleanup.h"
#include "cni/json.h"

#define REMOVED "(removed)"
/* A shorter value may be any word. So it is removed at its key, but not from other texts. */
#define VALUE_MIN 4

void secrets_open(struct secrets *ret)
{
	ret->values = json_array();
}

void secrets_close(struct secrets *secrets)
{
	json_decref(secrets->values);
}

static void redact_remember(struct secrets *secrets, const char *value, size_t len)
{
	if (len >= VALUE_MIN)
		json_array_append_new(secrets->values, json_stringn_nocheck(value, len));
}

/* A path to a secret is not a secret. */
static bool redact_is_path(const json_t *value)
{
	return json_is_string(value) && *json_string_value(value) == '/';
}

static bool redact_is_secret(const char *key, const json_t *value)
{
	static const char *const parts[] = { "token",	   "password", "passwd", "passphrase", "secret",
					     "credential", "private",  "apikey", "api_key",    "api-key",
					     "auth",	   "psk",      "-data" };
	static const char *const words[] = { "key", "pass", "pwd" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strcasestr(key, parts[i]))
			return !redact_is_path(value);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(key, words[i]))
			return !redact_is_path(value);
	return false;
}

/* Returns the length of a URL's user information, or 0. text: after "//". */
static size_t redact_userinfo(const char *text)
{
	const size_t authority = strcspn(text, "/ \t\r\n\"'<>,;\\");
	const char *at = memrchr(text, '@', authority);

	return at ? (size_t)(at - text) : 0;
}

/* Returns the length of a PEM block at text, or 0. Without an end it reaches to the end of the text. */
static size_t redact_pem_block(const char *text)
{
	const char *end;

	if (strncmp(text, "-----BEGIN ", 11) != 0)
		return 0;
	end = strstr(text, "-----END ");
	if (!end)
		return strlen(text);
	end = strstr(end + 9, "-----");
	return end ? (size_t)(end + 5 - text) : strlen(text);
}

/* Returns the length of the secret at this place, or 0. */
static size_t redact_secret_here(const struct secrets *secrets, const char *begin, const char *at)
{
	size_t len = redact_pem_block(at), i;
	const json_t *value;

	if (len)
		return len;
	if (at - begin >= 3 && !strncmp(at - 3, "://", 3))
		len = redact_userinfo(at);
	if (!len && at - begin >= 7 && !strncasecmp(at - 7, "bearer ", 7))
		len = strcspn(at, " \t\r\n\"'");
	json_array_foreach(secrets->values, i, value)
		if (json_string_length(value) > len &&
		    !strncmp(at, json_string_value(value), json_string_length(value)))
			len = json_string_length(value);
	return len;
}

char *redact_text(const struct secrets *secrets, const char *text)
{
	char *clean = NULL;
	size_t size;
	FILE *out = open_memstream(&clean, &size);
	const char *at = text;

	if (!out)
		abort();
	while (*at) {
		const size_t len = redact_secret_here(secrets, text, at);

		if (len)
			fputs(REMOVED, out);
		else
			putc(*at, out);
		at += len ? len : 1;
	}
	if (fclose(out) != 0)
		abort();
	return clean;
}

/* Remembers "user:password" of a URL, and the password. */
static void redact_remember_userinfo(struct secrets *secrets, const char *text)
{
	for (const char *url = strstr(text, "://"); url; url = strstr(url + 3, "://")) {
		const size_t len = redact_userinfo(url + 3);
		const char *colon = memchr(url + 3, ':', len);

		redact_remember(secrets, url + 3, len);
		if (colon)
			redact_remember(secrets, colon + 1, len - (size_t)(colon + 1 - (url + 3)));
	}
}

/* Remembers all strings of a value. */
// NOLINTNEXTLINE(misc-no-recursion): a document is as deep as jansson reads it
static void redact_remember_all(struct secrets *secrets, const json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_string(value))
		redact_remember(secrets, json_string_value(value), json_string_length(value));
	json_object_foreach((json_t *)value, key, member)
		redact_remember_all(secrets, member);
	json_array_foreach(value, i, member)
		redact_remember_all(secrets, member);
}

/* The document that a string is, such as spec.config of a NetworkAttachmentDefinition. NULL: none. The caller
 * releases it. */
static json_t *redact_inside(const json_t *doc)
{
	return json_is_string(doc) ? json_loads(json_string_value(doc), 0, NULL) : NULL;
}

static bool redact_is_document(const json_t *doc)
{
	const char *text = json_string_value(doc);

	if (text)
		text += strspn(text, " \t\r\n");
	return text && (*text == '{' || *text == '[');
}

// NOLINTNEXTLINE(misc-no-recursion): see above
static void redact_collect(struct secrets *secrets, const json_t *doc)
{
	json_auto_t *inside = redact_inside(doc);
	const char *key;
	json_t *member;
	size_t i;

	if (inside)
		redact_collect(secrets, inside);
	else if (json_is_string(doc))
		redact_remember_userinfo(secrets, json_string_value(doc));
	json_array_foreach(doc, i, member)
		redact_collect(secrets, member);
	json_object_foreach((json_t *)doc, key, member)
		if (redact_is_secret(key, member))
			redact_remember_all(secrets, member);
		else
			redact_collect(secrets, member);
}

static json_t *redact_string(const struct secrets *secrets, const char *text)
{
	autofree char *clean = redact_text(secrets, text);

	return json_text(clean);
}

// NOLINTNEXTLINE(misc-no-recursion): see above
static json_t *redact_copy_without(const struct secrets *secrets, const json_t *doc)
{
	json_auto_t *inside = redact_inside(doc), *clean = NULL;
	autofree char *text = NULL;
	const char *key;
	json_t *copy, *member;
	size_t i;

	if (inside) {
		clean = redact_copy_without(secrets, inside);
		text = json_dumps(clean, 0);
		return json_text(text);
	}
	if (redact_is_document(doc)) /* its secrets cannot be found */
		return json_string(REMOVED);
	if (json_is_string(doc))
		return redact_string(secrets, json_string_value(doc));
	if (json_is_array(doc)) {
		copy = json_array();
		json_array_foreach(doc, i, member)
			json_array_append_new(copy, redact_copy_without(secrets, member));
		return copy;
	}
	if (!json_is_object(doc))
		return json_deep_copy(doc);
	copy = json_object();
	json_object_foreach((json_t *)doc, key, member)
		json_object_set_new(copy, key,
				    redact_is_secret(key, member) ? json_string(REMOVED)
								  : redact_copy_without(secrets, member));
	return copy;
}

json_t *redact_json(struct secrets *secrets, const json_t *doc)
{
	redact_collect(secrets, doc);
	return redact_copy_without(secrets, doc);
}
