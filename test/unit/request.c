/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "cni/json.h"
#include "cni/plugin.h"
#include "tap.h"

/* Reads a request from the environment: a NULL-terminated list of "NAME=value". */
static int read_env(struct request *req, struct cni_error *err, const char *const *variables)
{
	*req = (struct request){ .version = CNI_1_1_0 };
	*err = (struct cni_error){ 0 };
	clearenv();
	for (; *variables; variables++)
		putenv((char *)(uintptr_t)*variables); /* it takes no const, but changes nothing */
	return request_read_env(req, err);
}

#define env(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ID "CNI_CONTAINERID=pod-1"
#define NS "CNI_NETNS=/run/netns/a"
#define IF "CNI_IFNAME=eth0"
#define DIR "CNI_PATH=/opt/cni/bin"

static void test_complete(void)
{
	struct cni_error err;
	struct request req;

	is_int(read_env(&req, &err, env("CNI_COMMAND=ADD", ID, NS, IF, DIR, "CNI_ARGS=IP=10.0.0.1")), 0,
	       "ADD with all its variables is complete");
	is_str(req.command, "ADD", "the command is read");
	is_str(req.container, "pod-1", "the container is read");
	is_str(req.netns, "/run/netns/a", "the namespace is read");
	is_str(req.ifname, "eth0", "the interface is read");
	is_str(req.args, "IP=10.0.0.1", "the arguments are read");
	is_str(req.path, "/opt/cni/bin", "the path is read");
	ok(!req.our_netns_allowed, "the plugin's own namespace is not allowed");

	is_int(read_env(&req, &err, env("CNI_COMMAND=CHECK", ID, NS, IF, DIR)), 0,
	       "CHECK requires the same as ADD");
	is_str(req.args, "", "a missing variable is empty");
	is_int(read_env(&req, &err, env("CNI_COMMAND=DEL", ID, IF, DIR)), 0, "DEL requires no namespace");
	is_str(req.netns, "", "then it is empty");
	is_int(read_env(&req, &err, env("CNI_COMMAND=GC", DIR)), 0, "GC requires only the path");
	is_int(read_env(&req, &err, env("CNI_COMMAND=STATUS", DIR)), 0, "so does STATUS");
	is_int(read_env(&req, &err, env("CNI_COMMAND=VERSION")), 0, "VERSION requires nothing");
	is_int(read_env(&req, &err, env("CNI_COMMAND=FOO")), 0, "an unknown command requires nothing yet");
}

static void test_missing(void)
{
	static const struct {
		const char *command, *msg;
	} cases[] = {
		{ "CNI_COMMAND=ADD",
		  "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing" },
		{ "CNI_COMMAND=CHECK",
		  "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing" },
		{ "CNI_COMMAND=DEL", "required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing" },
		{ "CNI_COMMAND=GC", "required env variables [CNI_PATH] missing" },
		{ "CNI_COMMAND=STATUS", "required env variables [CNI_PATH] missing" },
		{ "CNI_COMMAND=", "required env variables [CNI_COMMAND] missing" },
		{ "X=", "required env variables [CNI_COMMAND] missing" },
	};
	struct cni_error err;
	struct request req;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char command[64];

		snprintf(command, sizeof(command), "%s", cases[i].command);
		is_int(read_env(&req, &err, env(command)), -1, "%s alone is not enough", cases[i].command);
		is_str(err.msg, cases[i].msg,
		       "the message lists the missing variables in the order of Go's skeleton");
		is_int(err.code, CNI_ENVIRONMENT, "with code 4");
	}
	read_env(&req, &err, env("CNI_COMMAND=ADD", "CNI_CONTAINERID=", NS, "CNI_IFNAME=", DIR));
	is_str(err.msg, "required env variables [CNI_CONTAINERID,CNI_IFNAME] missing",
	       "an empty variable counts as missing");
	read_env(&req, &err, env("CNI_COMMAND=ADD", "CNI_CONTAINERID=_x", IF));
	is_str(err.msg, "invalid characters in containerID",
	       "a wrong variable is reported before a missing one");
	read_env(&req, &err, env("CNI_COMMAND=ADD", "CNI_IFNAME=a/b"));
	is_str(err.msg, "interface name contains / or : or whitespace characters",
	       "also if it comes later in the list");
}

static void test_containers(void)
{
	static const char *const good[] = { "a", "0", "Z", "a_b.c-d", "0123456789abcdef", "a..", "a__" };
	static const char *const bad[] = { "_x",  "-x",	 ".x",	      "a/b",  "a b",
					   "a\n", "a:b", "a\xc3\xa4", "\xff", "a;b" };
	struct cni_error err;
	struct request req;
	char id[64];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		snprintf(id, sizeof(id), "CNI_CONTAINERID=%s", good[i]);
		is_int(read_env(&req, &err, env("CNI_COMMAND=ADD", id, NS, IF, DIR)), 0,
		       "%s is a container id", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(id, sizeof(id), "CNI_CONTAINERID=%s", bad[i]);
		is_int(read_env(&req, &err, env("CNI_COMMAND=DEL", id, IF, DIR)), -1,
		       "%s is not a container id", bad[i]);
		is_int(err.code, CNI_ENVIRONMENT, "with code 4");
		is_str(err.msg, "invalid characters in containerID", "with the message of Go's skeleton");
		is_str(err.details, bad[i], "the details are the id");
	}
	is_int(read_env(&req, &err, env("CNI_COMMAND=GC", "CNI_CONTAINERID=_x", "CNI_IFNAME=a/b", DIR)), 0,
	       "GC ignores the container");
}

static void test_ifnames(void)
{
	static const char wrong[] = "interface name contains / or : or whitespace characters";
	static const struct {
		const char *name, *msg;
	} cases[] = {
		{ "eth0", "" },
		{ "123456789012345", "" },
		{ "...", "" },
		{ "\xf0\x9f\x90\x9f", "" },
		{ "\xc3\x85\xc3\x85", "" },
		{ "a\xa0\x85", "" }, /* invalid UTF-8 is not white space */
		{ "a%d", "" },
		{ "1234567890123456", "interface name is too long" },
		{ "1234567890123\xc2\xa0x", "interface name is too long" }, /* bytes count */
		{ ".", "interface name is . or .." },
		{ "..", "interface name is . or .." },
		{ "a/b", wrong },
		{ "a:b", wrong },
		{ " ", wrong },
		{ "a\tb", wrong },
		{ "a\n", wrong },
		{ "a\v", wrong },
		{ "\fa", wrong },
		{ "a\r", wrong },
		{ "a\u00a0", wrong },
		{ "a\xc2\x85", wrong },
		{ "a\u1680", wrong },
		{ "a\u2000", wrong },
		{ "a\u200a", wrong },
		{ "a\u200b", "" }, /* Unicode does not count a zero-width space as white space */
		{ "a\u2028", wrong },
		{ "a\u2029", wrong },
		{ "a\u202f", wrong },
		{ "a\u205f", wrong },
		{ "\u3000", wrong },
	};
	struct cni_error err;
	struct request req;
	char ifname[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(ifname, sizeof(ifname), "CNI_IFNAME=%s", cases[i].name);
		is_int(read_env(&req, &err, env("CNI_COMMAND=ADD", ID, NS, ifname, DIR)),
		       *cases[i].msg ? -1 : 0, "\"%s\" %s an interface name", cases[i].name,
		       *cases[i].msg ? "is not" : "is");
		is_str(err.msg, cases[i].msg, "with the message of Go's skeleton");
		is_int(err.code, *cases[i].msg ? CNI_ENVIRONMENT : 0, "with the code for it");
	}
	read_env(&req, &err, env("CNI_COMMAND=ADD", ID, NS, "CNI_IFNAME=1234567890123456", DIR));
	is_str(err.details, "interface name should be less than 16 characters", "details have the limit");
}

static void test_override(void)
{
	static const char *const yes[] = { "1", "true", "TRUE", "True" };
	static const char *const no[] = { "", "0", "false", "2", "yes", " 1", "truee" };
	struct cni_error err;
	struct request req;
	char override[64];

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		snprintf(override, sizeof(override), "CNI_NETNS_OVERRIDE=%s", yes[i]);
		read_env(&req, &err, env("CNI_COMMAND=GC", DIR, override));
		ok(req.our_netns_allowed, "CNI_NETNS_OVERRIDE=%s allows the plugin's own namespace", yes[i]);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		snprintf(override, sizeof(override), "CNI_NETNS_OVERRIDE=%s", no[i]);
		read_env(&req, &err, env("CNI_COMMAND=GC", DIR, override));
		ok(!req.our_netns_allowed, "CNI_NETNS_OVERRIDE=%s does not", no[i]);
	}
}

static void test_configurations(void)
{
	static const char not_identifier[] = "invalid characters found in network name";
	static const struct {
		const char *command, *conf;
		int code;
		const char *msg;
	} cases[] = {
		{ "ADD", "{\"name\":\"net\"}", 0, "" },
		{ "DEL", "{\"cniVersion\":\"0.2.0\",\"NAME\":\"net.1-a_b\"}", 0, "" },
		{ "GC", "{\"cniVersion\":\"1.1.0\",\"name\":\"net\"}", 0, "" },
		{ "ADD", "[]", 6, "error unmarshall network config: not an object" },
		{ "ADD", "7", 6, "error unmarshall network config: not an object" },
		{ "ADD", "null", 7, "missing network name" },
		{ "ADD", "{}", 7, "missing network name" },
		{ "ADD", "{\"name\":\"\"}", 7, "missing network name" },
		{ "ADD", "{\"name\":null}", 7, "missing network name" },
		{ "ADD", "{\"name\":7}", 6, "error unmarshall network config: name must be a string, not 7" },
		{ "ADD", "{\"name\":\"n/x\"}", 7, not_identifier },
		{ "ADD", "{\"name\":\"-x\"}", 7, not_identifier },
		{ "ADD", "{\"name\":\"a b\"}", 7, not_identifier },
		{ "ADD", "{\"name\":\"\\u00e4\"}", 7, not_identifier },
		{ "FOO", "{\"name\":\"net\"}", 4, "unknown CNI_COMMAND: FOO" },
		{ "add", "{\"name\":\"net\"}", 4, "unknown CNI_COMMAND: add" },
		{ "FOO", "{}", 7, "missing network name" },
		{ "FOO", "{\"name\":\"net\",\"cniVersion\":\"9.9.9\"}", 4, "unknown CNI_COMMAND: FOO" },
		{ "ADD", "{\"name\":\"net\",\"cniVersion\":\"9.9.9\"}", 1, "incompatible CNI versions" },
		{ "CHECK", "{\"name\":\"net\",\"cniVersion\":\"0.3.1\"}", 1,
		  "config version does not allow CHECK" },
		{ "STATUS", "{\"name\":\"net\",\"cniVersion\":\"1.0.0\"}", 1,
		  "config version does not allow STATUS" },
		{ "GC", "{\"name\":\"net\"}", 1, "config version does not allow GC" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct request req = { .command = cases[i].command };
		json_auto_t *doc = json_read(cases[i].conf, strlen(cases[i].conf), NULL);
		struct cni_error err = { 0 };

		is_int(request_read_conf(&req, doc, &err), cases[i].code ? -1 : 0, "%s %s %s",
		       cases[i].command, cases[i].code ? "refuses" : "takes", cases[i].conf);
		is_str(err.msg, cases[i].msg, "with the message of Go's skeleton");
		is_int(err.code, cases[i].code, "with code %d", cases[i].code);
	}
}

static void test_request(void)
{
	static const char conf[] = "{\"name\":\"n/x\",\"Name\":\"net\",\"cniVersion\":\"0.4.0\"}";
	struct request req = { .command = "ADD" };
	json_auto_t *doc = json_read(conf, strlen(conf), NULL);
	struct cni_error err = { 0 };

	is_int(request_read_conf(&req, doc, &err), 0, "the last of two names counts");
	is_str(req.name, "net", "and is the request's");
	is_int(req.version, CNI_0_4_0, "as is the version");
	ok(req.conf == doc, "and the document");
}

int main(void)
{
	test_complete();
	test_missing();
	test_containers();
	test_ifnames();
	test_override();
	test_configurations();
	test_request();
	return done();
}
