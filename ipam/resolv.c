/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/resolv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/json.h"
#include "cni/result.h"

#define BLANKS " \t\r\n"
#define LINES_MAX 10000

static json_t *resolv_list_of(json_t *dns, const char *key)
{
	json_t *list = json_object_get(dns, key);

	if (!list) {
		list = json_array();
		json_object_set_new(dns, key, list);
	}
	return list;
}

static void resolv_read_line(json_t *dns, char *line)
{
	char *rest = NULL;
	const char *key = strtok_r(line, BLANKS, &rest), *value;

	if (!key || *key == '#' || *key == ';')
		return;
	value = strtok_r(NULL, BLANKS, &rest);
	if (!value)
		return;
	if (!strcmp(key, "domain"))
		json_object_set_new(dns, "domain", json_text(value));
	if (!strcmp(key, "nameserver"))
		json_array_append_new(resolv_list_of(dns, "nameservers"), json_text(value));
	if (!strcmp(key, "search") || !strcmp(key, "options"))
		for (; value; value = strtok_r(NULL, BLANKS, &rest))
			json_array_append_new(resolv_list_of(dns, key), json_text(value));
}

int resolv_read(json_t **ret, const char *path, struct cni_error *err)
{
	json_auto_t *dns = json_object(), *doc = json_object();
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	int rc = 0;

	if (!file)
		return cni_fail(err, CNI_IO, "open %s: %s", path, errno_text(errno));
	for (int n = 0; n < LINES_MAX && getline(&line, &room, file) >= 0; n++)
		resolv_read_line(dns, line);
	if (ferror(file))
		rc = cni_fail(err, CNI_IO, "read %s: %s", path, errno_text(errno));
	free(line);
	fclose(file);
	json_object_set(doc, "dns", dns);
	return rc == 0 ? dns_read(ret, doc, err) : -1;
}
