/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/wishes.h"

#include "cni/log.h"
#include "tap.h"

struct read {
	int rc;
	struct cni_error err;
	char ips[1024]; /* the requested addresses, with a blank between */
	char sticky[2048];
};

/* The requests of CNI_ARGS, the configuration and its "ipam". */
static struct read read_wishes(const char *args, const char *conf_text, const char *ipam_text)
{
	json_t *doc = json_loads(conf_text, 0, NULL), *ipam = json_loads(ipam_text, 0, NULL);
	const struct request req = { .args = args, .conf = doc };
	struct conf conf = { .place = { .network = "net", .store = "net" } };
	struct read read = { 0 };
	size_t used = 0;

	read.rc = wishes_read(&conf, ipam, &req, &read.err);
	for (size_t i = 0; i < conf.n_wanted && used < sizeof(read.ips); i++)
		used += (size_t)snprintf(read.ips + used, sizeof(read.ips) - used, "%s%s", i ? " " : "",
					 ip_text(&conf.wanted[i]).s);
	snprintf(read.sticky, sizeof(read.sticky), "%s", conf.sticky ? conf.sticky : "(none)");
	addrpool_conf_free(&conf);
	json_decref(ipam);
	json_decref(doc);
	return read;
}

static void test_addresses(void)
{
	static const struct {
		const char *args, *conf, *ips;
	} cases[] = {
		{ "", "{}", "" },
		{ "IP=10.1.2.4", "{}", "10.1.2.4" },
		{ "IP=10.1.2.4/24", "{}", "10.1.2.4" },
		{ "IP=fd00::1/64", "{}", "fd00::1" },
		{ "IP=::ffff:10.1.2.4", "{}", "10.1.2.4" },
		{ "IP=", "{}", "" },
		{ "IP=10.1.2.4;IP=10.1.2.5", "{}", "10.1.2.5" },
		{ "IP=10.1.2.4;IP=", "{}", "" },
		{ "IgnoreUnknown=1;FOO=BAR;IP=10.1.2.4", "{}", "10.1.2.4" },
		{ "FOO=BAR;IP=10.1.2.4;IgnoreUnknown=TrUe", "{}", "10.1.2.4" },
		{ "IgnoreUnknown=0;IP=10.1.2.4", "{}", "10.1.2.4" },
		{ "IgnoreUnknown=False;IP=10.1.2.4", "{}", "10.1.2.4" },
		{ "",
		  "{\"args\": {\"cni\": {\"ips\": [\"10.1.2.11\", \"11.11.11.11\", \"2001:db8:1::11\"]}}}",
		  "10.1.2.11 11.11.11.11 2001:db8:1::11" },
		{ "", "{\"args\": {\"cni\": {\"ips\": [\"10.1.2.11/24\", \"2001:db8:1::11/64\"]}}}",
		  "10.1.2.11 2001:db8:1::11" },
		{ "", "{\"runtimeConfig\": {\"ips\": [\"192.168.0.1\", \"192.168.0.5/24\"]}}",
		  "192.168.0.1 192.168.0.5" },
		/* one after the other, each once */
		{ "IP=10.1.2.10",
		  "{\"args\": {\"cni\": {\"ips\": [\"10.1.2.11\", \"10.1.2.10/24\"]}}, "
		  "\"runtimeConfig\": {\"ips\": [\"10.1.2.12\", \"10.1.2.11\"]}}",
		  "10.1.2.10 10.1.2.11 10.1.2.12" },
		{ "", "{\"ARGS\": {\"CNI\": {\"IPs\": [\"10.1.2.11\"]}}}", "10.1.2.11" },
		{ "", "{\"args\": null, \"runtimeConfig\": {\"ips\": null}}", "" },
		{ "", "{\"args\": {\"labels\": [5], \"cni\": {\"ips\": []}}}", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct read read = read_wishes(cases[i].args, cases[i].conf, "{}");

		is_int(read.rc, 0, "\"%s\" with %s can be read", cases[i].args, cases[i].conf);
		is_str(read.ips, cases[i].ips, "and requests \"%s\"", cases[i].ips);
	}
}

static void test_wrong_args(void)
{
	static const struct {
		const char *args, *msg;
	} cases[] = {
		{ "IP", "ARGS: invalid pair \"IP\"" },
		{ ";", "ARGS: invalid pair \"\"" },
		{ "IP=10.1.2.4;", "ARGS: invalid pair \"\"" },
		{ ";IP=10.1.2.4", "ARGS: invalid pair \"\"" },
		{ "IP=10.1.2.4;;IgnoreUnknown=1", "ARGS: invalid pair \"\"" },
		{ "A=b=c", "ARGS: invalid pair \"A=b=c\"" },
		{ "IgnoreUnknown=1;A==", "ARGS: invalid pair \"A==\"" },
		{ "FOO=BAR", "ARGS: unknown args [\"FOO=BAR\"]" },
		{ "FOO=BAR;B=", "ARGS: unknown args [\"FOO=BAR\" \"B=\"]" },
		{ "=", "ARGS: unknown args [\"=\"]" },
		{ "ip=10.1.2.4", "ARGS: unknown args [\"ip=10.1.2.4\"]" },
		{ "IP=10.1.2.4; IgnoreUnknown=1", "ARGS: unknown args [\" IgnoreUnknown=1\"]" },
		{ "ignoreunknown=1;FOO=BAR", "ARGS: unknown args [\"ignoreunknown=1\" \"FOO=BAR\"]" },
		{ "IgnoreUnknown=1;IgnoreUnknown=0;FOO=BAR", "ARGS: unknown args [\"FOO=BAR\"]" },
		{ "IgnoreUnknown=maybe", "ARGS: error parsing value of pair \"IgnoreUnknown=maybe\": "
					 "boolean unmarshal error: invalid input maybe" },
		{ "IgnoreUnknown=", "ARGS: error parsing value of pair \"IgnoreUnknown=\": "
				    "boolean unmarshal error: invalid input " },
		{ "IP=zz", "ARGS: error parsing value of pair \"IP=zz\": invalid IP address zz" },
		{ "IP=10.1.2.04",
		  "ARGS: error parsing value of pair \"IP=10.1.2.04\": invalid IP address 10.1.2.04" },
		{ "IP=10.1.2.4/33",
		  "ARGS: error parsing value of pair \"IP=10.1.2.4/33\": invalid IP address 10.1.2.4/33" },
		{ "IP=fe80::1%eth0",
		  "ARGS: error parsing value of pair \"IP=fe80::1%eth0\": invalid IP address fe80::1%eth0" },
		/* an invalid address is reported before unknown arguments, at any place */
		{ "FOO=BAR;IP=zz", "ARGS: error parsing value of pair \"IP=zz\": invalid IP address zz" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct read read = read_wishes(cases[i].args, "{}", "{}");

		is_int(read.rc, -1, "CNI_ARGS \"%s\" are refused", cases[i].args);
		is_int(read.err.code, CNI_ENVIRONMENT, "as a wrong variable");
		is_str(read.err.msg, cases[i].msg, "with its reason");
	}
}

static void test_wrong_lists(void)
{
	static const struct {
		const char *conf, *msg;
	} cases[] = {
		{ "{\"args\": 5}", "args must be an object, not 5" },
		{ "{\"args\": {\"cni\": []}}", "args.cni must be an object, not []" },
		{ "{\"args\": {\"cni\": {\"ips\": \"10.1.2.4\"}}}",
		  "args.cni.ips must be a list, not \"10.1.2.4\"" },
		{ "{\"args\": {\"cni\": {\"ips\": [\"\"]}}}", "args.cni.ips: invalid IP address " },
		{ "{\"args\": {\"cni\": {\"ips\": [\"10.1.2.4\", null]}}}",
		  "args.cni.ips must be a list of strings" },
		{ "{\"runtimeConfig\": \"x\"}", "runtimeConfig must be an object, not \"x\"" },
		{ "{\"runtimeConfig\": {\"ips\": {}}}", "runtimeConfig.ips must be a list, not {}" },
		{ "{\"runtimeConfig\": {\"ips\": [\"10.1.2\"]}}",
		  "runtimeConfig.ips: invalid IP address 10.1.2" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct read read = read_wishes("", cases[i].conf, "{}");

		is_int(read.rc, -1, "%s is refused", cases[i].conf);
		is_int(read.err.code, CNI_CONFIG, "as a wrong configuration");
		is_str(read.err.msg, cases[i].msg, "with its reason");
	}
}

static void test_too_many(void)
{
	char text[32768] = "{\"runtimeConfig\": {\"ips\": [\"10.0.0.0\"";
	size_t used = strlen(text);
	struct read read;

	for (int i = 1; i <= 1024; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ", \"10.0.%d.%d\"", i / 256,
					 i % 256);
	snprintf(text + used, sizeof(text) - used, "]}}");
	read = read_wishes("", text, "{}");
	is_int(read.rc, -1, "1025 addresses are refused");
	is_str(read.err.msg, "more than 1024 requested addresses", "with its reason");
}

static void hear_nothing(void *arg, const char *line)
{
	(void)arg;
	(void)line;
}

static void test_sticky(void)
{
	static const struct {
		const char *args, *names, *sticky;
	} cases[] = {
		{ "A=x", "A", "x" },
		{ "A=x;B=y", "A/B", "x/y" },
		{ "A=x;B=y", "B/A", "y/x" },
		{ "A=x;A=z", "A", "z" },
		{ "IgnoreUnknown=1;A=x;C=y", "A", "x" },
		{ "IgnoreUnknown=1;A=x", "IgnoreUnknown/A", "1/x" },
		{ "A=../x", "A", "../x" },
		/* not all of the names */
		{ "A=x", "A/B", "(none)" },
		{ "A=x;B=", "A/B", "(none)" },
		{ "", "A", "(none)" },
		{ "IP=10.0.0.1", "A", "(none)" },
		{ "IgnoreUnknown=1;AB=x", "A", "(none)" },
		{ "IgnoreUnknown=1;A=x", "", "(none)" },
		{ "IgnoreUnknown=1;A=x", "/", "(none)" },
		{ "A=x;B=y", "/A//B/", "x/y" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char ipam[256];
		struct read read;

		snprintf(ipam, sizeof(ipam), "{\"sticky\": \"%s\"}", cases[i].names);
		read = read_wishes(cases[i].args, "{}", ipam);
		is_int(read.rc, 0, "\"%s\" with sticky %s can be read", cases[i].args, cases[i].names);
		is_str(read.sticky, cases[i].sticky, "the name is %s", cases[i].sticky);
	}
	is_str(read_wishes("A=x;AB=y", "{}", "{\"sticky\": \"A/B\"}").err.msg,
	       "ARGS: unknown args [\"AB=y\"]", "a part of a name is unknown");
	log_divert(hear_nothing, NULL);
	is_str(read_wishes("A=x;IgnoreUnknown=1", "{}", "{\"sticky\": 5}").sticky, "(none)",
	       "a value that is not a string has no names");
}

static void test_long_names(void)
{
	char args[4096] = "A=";
	struct read read;

	memset(args + 2, 'x', 1023);
	read = read_wishes(args, "{}", "{\"sticky\": \"A\"}");
	is_int((long long)strlen(read.sticky), 1023, "the values can have 1023 characters");
	args[2 + 1023] = 'x';
	read = read_wishes(args, "{}", "{\"sticky\": \"A\"}");
	is_int(read.err.code, CNI_ENVIRONMENT, "one more is an error");
	is_str(read.err.msg, "ARGS: the values of A are longer than 1023 characters", "with its reason");
	/* the message has as many unknown arguments as it has room for */
	read = read_wishes(args, "{}", "{}");
	ok(!strncmp(read.err.msg, "ARGS: unknown args [\"A=xxx", 26), "a long unknown argument is cut");
}

int main(void)
{
	test_addresses();
	test_wrong_args();
	test_wrong_lists();
	test_too_many();
	test_sticky();
	test_long_names();
	return done();
}
