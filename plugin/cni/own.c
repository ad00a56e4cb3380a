/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/own.h"

#include <stdio.h>

#include "cni/json.h"
#include "cni/log.h"

/* rc and why are the result of reading the field. */
static void own_check_type(int rc, const struct cni_error *why)
{
	if (rc < 0)
		log_ignored("%s", why->msg);
}

void own_bool(const json_t *obj, const char *where, const char *key, bool *ret)
{
	struct cni_error why = { 0 };

	own_check_type(field_bool(obj, where, key, ret, &why), &why);
}

void own_string(const json_t *obj, const char *where, const char *key, const char **ret)
{
	struct cni_error why = { 0 };

	own_check_type(field_string(obj, where, key, ret, &why), &why);
}

void own_object(const json_t *obj, const char *where, const char *key, json_t **ret)
{
	struct cni_error why = { 0 };

	own_check_type(field_object(obj, where, key, ret, &why), &why);
}

int own_int(const json_t *obj, const char *where, const char *key, long long min, long long max,
	    long long *ret, struct cni_error *err)
{
	struct cni_error why = { 0 };

	if (json_is_integer(json_field(obj, key)))
		return field_int(obj, where, key, min, max, ret, err);
	own_check_type(field_int(obj, where, key, min, max, ret, &why), &why);
	return 0;
}

/* Is it a list of strings, or of objects with a string named member? */
static bool own_is_list(const json_t *value, const char *member)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(value, i, entry)
		if (!json_is_string(member ? json_field(entry, member) : entry))
			return false;
	return json_is_array(value);
}

json_t *own_strings(const json_t *obj, const char *where, const char *key)
{
	json_t *value = json_field(obj, key);
	struct cni_error why = { 0 };

	if (!value || own_is_list(value, NULL))
		return value;
	own_check_type(field_wrong(value, where, key, "a list of strings", &why), &why);
	return NULL;
}

json_t *own_objects(const json_t *obj, const char *where, const char *key, const char *member)
{
	json_t *value = json_field(obj, key);
	struct cni_error why = { 0 };
	char wanted[64];

	if (!value || own_is_list(value, member))
		return value;
	snprintf(wanted, sizeof(wanted), "a list of objects with \"%s\"", member);
	own_check_type(field_wrong(value, where, key, wanted, &why), &why);
	return NULL;
}
