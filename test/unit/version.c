/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/version.h"

#include "cni/json.h"
#include "tap.h"

/* The version that a configuration negotiates for a verb, or -1 with *err filled. */
static int negotiate(const char *conf, const char *verb, enum cni_version since, struct cni_error *err)
{
	json_auto_t *doc = json_read(conf, strlen(conf), NULL);
	enum cni_version version = CNI_VERSIONS;

	*err = (struct cni_error){ 0 };
	if (version_negotiate(doc, verb, since, &version, err) < 0)
		return version == CNI_VERSIONS ? -1 : -2;
	return (int)version;
}

static void test_find(void)
{
	static const char *const none[] = { "",	      "1",	"1.0",	 "1.0.00", "01.0.0",
					    " 1.0.0", "1.0.0 ", "0.3.2", "1.2.0" };

	for (int v = 0; v < CNI_VERSIONS; v++)
		is_int(version_find(cni_versions[v]), v, "%s is found", cni_versions[v]);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		is_int(version_find(none[i]), -1, "\"%s\" is none of ours", none[i]);
}

static void test_spoken(void)
{
	struct cni_error err;
	char conf[64];

	for (int v = 0; v < CNI_VERSIONS; v++) {
		snprintf(conf, sizeof(conf), "{\"cniVersion\":\"%s\"}", cni_versions[v]);
		is_int(negotiate(conf, "ADD", CNI_0_1_0, &err), v, "ADD speaks %s", cni_versions[v]);
		is_int(negotiate(conf, "CHECK", CNI_0_4_0, &err), v >= CNI_0_4_0 ? v : -1, "CHECK %s %s",
		       v >= CNI_0_4_0 ? "speaks" : "does not speak", cni_versions[v]);
		is_int(negotiate(conf, "GC", CNI_1_1_0, &err), v >= CNI_1_1_0 ? v : -1, "GC %s %s",
		       v >= CNI_1_1_0 ? "speaks" : "does not speak", cni_versions[v]);
	}
	is_int(negotiate("{\"CNIVERSION\":\"1.0.0\"}", "ADD", CNI_0_1_0, &err), CNI_1_0_0,
	       "the key matches in upper and lower case");
	is_int(negotiate("{}", "ADD", CNI_0_1_0, &err), CNI_0_1_0, "without a version it is 0.1.0");
	is_int(negotiate("{\"cniVersion\":\"\"}", "ADD", CNI_0_1_0, &err), CNI_0_1_0, "an empty one as well");
	is_int(negotiate("{\"cniVersion\":null}", "ADD", CNI_0_1_0, &err), CNI_0_1_0, "and null");
	is_int(negotiate("null", "ADD", CNI_0_1_0, &err), CNI_0_1_0, "and a configuration of null");
}

static void test_refused(void)
{
	static const struct {
		const char *version, *verb;
		enum cni_version since;
		int code;
		const char *msg;
	} cases[] = {
		{ "\"9.9.9\"", "ADD", CNI_0_1_0, 1, "incompatible CNI versions" },
		{ "\"1.0\"", "ADD", CNI_0_1_0, 1, "incompatible CNI versions" },
		{ "\"nonsense\"", "ADD", CNI_0_1_0, 1, "incompatible CNI versions" },
		{ "\"0.3.1\"", "CHECK", CNI_0_4_0, 1, "config version does not allow CHECK" },
		{ "\"\"", "CHECK", CNI_0_4_0, 1, "config version does not allow CHECK" },
		{ "\"1.0.0\"", "STATUS", CNI_1_1_0, 1, "config version does not allow STATUS" },
		{ "\"1.0\"", "GC", CNI_1_1_0, 1, "config version does not allow GC" },
		{ "\"1\"", "GC", CNI_1_1_0, 1, "config version does not allow GC" },
		{ "\"1.2.0\"", "CHECK", CNI_0_4_0, 1, "plugin version does not allow CHECK" },
		{ "\"1.10.0\"", "GC", CNI_1_1_0, 1, "plugin version does not allow GC" },
		{ "\"2\"", "STATUS", CNI_1_1_0, 1, "plugin version does not allow STATUS" },
		{ "\"1.0.5\"", "CHECK", CNI_0_4_0, 1, "incompatible CNI versions" },
		{ "\"1.2.3.4\"", "GC", CNI_1_1_0, 6, "invalid version \"1.2.3.4\": too many parts" },
		{ "\"1.1.0.\"", "GC", CNI_1_1_0, 6, "invalid version \"1.1.0.\": too many parts" },
		{ "\"x.1\"", "GC", CNI_1_1_0, 6, "failed to convert major version part \"x\": not a number" },
		{ "\"1.x\"", "CHECK", CNI_0_4_0, 6,
		  "failed to convert minor version part \"x\": not a number" },
		{ "\"1.1.0-rc1\"", "GC", CNI_1_1_0, 6,
		  "failed to convert micro version part \"0-rc1\": not a number" },
		{ "\"1.\"", "GC", CNI_1_1_0, 6, "failed to convert minor version part \"\": not a number" },
		{ "\"99999999999999999999\"", "GC", CNI_1_1_0, 6,
		  "failed to convert major version part \"99999999999999999999\": not a number" },
		{ "1", "ADD", CNI_0_1_0, 6,
		  "decoding version from network config: cniVersion must be a string, not 1" },
		{ "{}", "GC", CNI_1_1_0, 6,
		  "decoding version from network config: cniVersion must be a string, not {}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_error err;
		char conf[64];

		snprintf(conf, sizeof(conf), "{\"cniVersion\":%s}", cases[i].version);
		is_int(negotiate(conf, cases[i].verb, cases[i].since, &err), -1, "%s refuses version %s",
		       cases[i].verb, cases[i].version);
		is_int(err.code, cases[i].code, "with code %d", cases[i].code);
		is_str(err.msg, cases[i].msg, "with the Go library's message");
	}
}

static void test_details(void)
{
	struct cni_error err;

	negotiate("{\"cniVersion\":\"9.9.0\"}", "ADD", CNI_0_1_0, &err);
	is_str(err.details,
	       "config is \"9.9.0\", plugin supports "
	       "[\"0.1.0\" \"0.2.0\" \"0.3.0\" \"0.3.1\" \"0.4.0\" \"1.0.0\" \"1.1.0\"]",
	       "details of an incompatible version name the compatible ones");
}

int main(void)
{
	test_find();
	test_spoken();
	test_refused();
	test_details();
	return done();
}
