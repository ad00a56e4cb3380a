/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/json.h"

const char *const cni_versions[CNI_VERSIONS] = {
	"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0",
};

struct triple {
	unsigned long part[3]; /* major, minor, micro */
};

int version_find(const char *text)
{
	for (int v = 0; v < CNI_VERSIONS; v++)
		if (!strcmp(text, cni_versions[v]))
			return v;
	return -1;
}

static int version_parse(const char *text, struct triple *ret, struct cni_error *err)
{
	static const char *const names[] = { "major", "minor", "micro" };
	struct triple triple = { { 0 } };
	const char *at = text;
	int dots = 0;

	for (const char *c = text; *c; c++)
		dots += *c == '.';
	if (dots > 2)
		return cni_fail(err, CNI_DECODE, "invalid version \"%s\": too many parts", text);
	for (int i = 0; i < 3; i++) {
		size_t len = strcspn(at, ".");

		if (!len || len > 9 || strspn(at, "0123456789") != len)
			return cni_fail(err, CNI_DECODE,
					"failed to convert %s version part \"%.*s\": "
					"not a number",
					names[i], (int)len, at);
		triple.part[i] = strtoul(at, NULL, 10);
		at += len;
		if (!*at)
			break;
		at++;
	}
	*ret = triple;
	return 0;
}

static bool version_before(const struct triple *a, const struct triple *b)
{
	for (int i = 0; i < 3; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i];
	return false;
}

static int version_refuse(const char *text, struct cni_error *err)
{
	char list[128];
	size_t used = 0;

	for (int v = 0; v < CNI_VERSIONS; v++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"", v ? " " : "",
					 cni_versions[v]);
	cni_fail(err, CNI_VERSION, "incompatible CNI versions");
	return cni_hint(err, "config is \"%s\", plugin supports [%s]", text, list);
}

int version_negotiate(const json_t *conf, const char *verb, enum cni_version since, enum cni_version *ret,
		      struct cni_error *err)
{
	struct triple asked, introduced, newest;
	struct cni_error why = { 0 };
	const char *text = "";
	int found;

	if (field_string(conf, "", "cniVersion", &text, &why) < 0)
		return cni_fail(err, CNI_DECODE, "decoding version from network config: %s", why.msg);
	if (!*text)
		text = cni_versions[CNI_0_1_0];

	if (since > CNI_0_2_0) {
		if (version_parse(text, &asked, err) < 0 ||
		    version_parse(cni_versions[since], &introduced, err) < 0 ||
		    version_parse(cni_versions[CNI_VERSIONS - 1], &newest, err) < 0)
			return -1;
		if (version_before(&asked, &introduced))
			return cni_fail(err, CNI_VERSION, "config version does not allow %s", verb);
		if (version_before(&newest, &asked))
			return cni_fail(err, CNI_VERSION, "plugin version does not allow %s", verb);
	}
	found = version_find(text);
	if (found < 0)
		return version_refuse(text, err);
	*ret = (enum cni_version)found;
	return 0;
}
