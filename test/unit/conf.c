/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/conf.h"

#include <linux/if_link.h>

#include "cni/json.h"
#include "cni/log.h"
#include "tap.h"

/* Reads the configuration that a runtime would write to standard input, for a verb. */
static int read_for(const char *verb, const char *text, struct conf *ret, json_t **doc, struct cni_error *err)
{
	struct request req = { .command = verb };

	*err = (struct cni_error){ 0 };
	*doc = json_read(text, strlen(text), err);
	if (!*doc || request_read_conf(&req, *doc, err) < 0)
		return -2;
	return conf_read(ret, &req, err);
}

static void test_defaults(void)
{
	struct cni_error err;
	struct conf conf = { 0 };
	json_auto_t *doc = NULL;

	is_int(read_for("ADD", "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"type\":\"ipvlan\"}", &conf, &doc,
			&err),
	       0, "a name alone is enough");
	ok(!conf.master, "there is no master in it");
	is_int(conf.mode, IPVLAN_MODE_L2, "the mode is l2");
	is_int(conf.mtu, 0, "the MTU is the master's");
	ok(!conf.link_in_container, "the master is outside of the container");
	ok(!conf.ipam, "there is no IPAM");
	ok(!conf.dns, "there is no dns");
	ok(!conf.has_prev, "there is no prevResult");
	conf_free(&conf);
}

static void test_empty(void)
{
	struct cni_error err;
	struct conf conf = { 0 };
	json_auto_t *doc = NULL;

	is_int(read_for("ADD",
			"{\"name\":\"n\",\"type\":\"ipvlan\",\"master\":\"\",\"mode\":\"\",\"mtu\":-5,"
			"\"ipam\":{\"type\":\"\"},"
			"\"dns\":{\"nameservers\":[]},\"prevResult\":null,\"linkInContainer\":null,"
			"\"capabilities\":{}}",
			&conf, &doc, &err),
	       0, "empty values are no failure");
	ok(!conf.master && !conf.ipam && !conf.dns && !conf.has_prev, "and count as not given");
	is_int(conf.mtu, 0, "a negative MTU counts as not given too");
	conf_free(&conf);
}

static void test_full(void)
{
	struct cni_error err;
	struct conf conf = { 0 };
	json_auto_t *doc = NULL;

	is_int(read_for("ADD",
			"{\"cniVersion\":\"1.0.0\",\"NAME\":\"n\",\"type\":\"ipvlan\",\"Master\":\"eth0\","
			"\"MODE\":\"l3s\","
			"\"mtu\":1400,\"linkincontainer\":true,\"ipam\":{\"type\":\"static\"},\"dns\":{"
			"\"domain\":\"x.org\"},"
			"\"capabilities\":{\"ips\":true,\"mac\":null},\"unknown\":[{}],"
			"\"prevResult\":{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.2/8\"}}}",
			&conf, &doc, &err),
	       0, "keys match in upper and lower case");
	is_str(conf.master, "eth0", "the master is the one given");
	is_int(conf.mode, IPVLAN_MODE_L3S, "the mode is the one given");
	is_int(conf.mtu, 1400, "the MTU is the one given");
	ok(conf.link_in_container, "the master is inside of the container");
	is_str(conf.ipam, "static", "the IPAM is the one given");
	is_str(json_string_value(json_object_get(conf.dns, "domain")), "x.org", "dns is the one given");
	ok(conf.has_prev, "there is a prevResult");
	is_int((long long)conf.prev.n_ips, 1, "it is read in its own version");
	conf_free(&conf);
}

static void test_refused(void)
{
	static const struct {
		const char *more;
		int code;
		const char *msg;
	} cases[] = {
		{ "\"mode\":\"zz\"", 7, "unknown ipvlan mode: \"zz\"" },
		{ "\"mode\":\"L2\"", 7, "unknown ipvlan mode: \"L2\"" },
		{ "\"mode\":2", 7, "failed to load netconf: mode must be a string, not 2" },
		{ "\"mtu\":\"1500\"", 7, "failed to load netconf: mtu must be an integer, not \"1500\"" },
		{ "\"mtu\":1500.5", 7, "failed to load netconf: mtu must be an integer, not 1500.5" },
		{ "\"mtu\":2147483648", 7,
		  "failed to load netconf: mtu must be -2147483648 to 2147483647, not 2147483648" },
		{ "\"master\":[]", 7, "failed to load netconf: master must be a string, not []" },
		{ "\"type\":7", 7, "failed to load netconf: type must be a string, not 7" },
		{ "\"linkInContainer\":\"true\"", 7,
		  "failed to load netconf: linkInContainer must be true or false, not \"true\"" },
		{ "\"ipam\":\"static\"", 7,
		  "failed to load netconf: ipam must be an object, not \"static\"" },
		{ "\"ipam\":{\"type\":1}", 7, "failed to load netconf: ipam.type must be a string, not 1" },
		{ "\"type\":\"ipvlan\",\"ipam\":{\"type\":\"ipvlan\"}", 7,
		  "failed to load netconf: ipam.type is \"ipvlan\", the plugin itself" },
		{ "\"dns\":{\"options\":[1]}", 7,
		  "failed to load netconf: dns.options must be a list of strings" },
		{ "\"capabilities\":[\"ips\"]", 7,
		  "failed to load netconf: capabilities must be an object, not [\"ips\"]" },
		{ "\"capabilities\":{\"ips\":\"yes\"}", 7,
		  "failed to load netconf: capabilities.ips must be true or false" },
		{ "\"vlan\":4095", 7, "failed to load netconf: vlan must be 0 to 4094, not 4095" },
		{ "\"flag\":\"hub\"", 7,
		  "failed to load netconf: flag must be \"bridge\", \"private\" or \"vepa\", not \"hub\"" },
		{ "\"routes\":[{\"dst\":\"x\"}]", 7, "failed to load netconf: invalid CIDR address: x" },
		{ "\"prevResult\":[]", 6,
		  "could not parse prevResult: prevResult must be an object, not []" },
		{ "\"prevResult\":{\"cniVersion\":\"7.0.0\"}", 6,
		  "could not parse prevResult: unsupported CNI result version \"7.0.0\"" },
		{ "\"prevResult\":{\"cniVersion\":1}", 6,
		  "could not parse prevResult: prevResult.cniVersion must be a string, not 1" },
		{ "\"prevResult\":{\"ips\":[{}]}", 6, "could not parse prevResult: invalid CIDR address: " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_error err;
		struct conf conf = { 0 };
		json_auto_t *doc = NULL;
		char text[512];

		snprintf(text, sizeof(text), "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",%s}", cases[i].more);
		is_int(read_for("ADD", text, &conf, &doc, &err), -1, "%s is refused", cases[i].more);
		is_str(err.msg, cases[i].msg, "with its reason");
		is_int(err.code, cases[i].code, "and code %d", cases[i].code);
	}
}

static void count_line(void *lines, const char *line)
{
	(void)line;
	++*(int *)lines;
}

/* A key that only ipvlan has, with a value of another type, belongs to another program. */
static void test_not_ours(void)
{
	static const struct {
		const char *more;
		int lines; /* in the log */
	} cases[] = {
		{ "\"vlan\":0", 0 },
		{ "\"dad\":\"\"", 0 },
		{ "\"conflictCheck\":\"\"", 0 },
		{ "\"routes\":[]", 0 },
		{ "\"ipMasq\":false", 0 },
		{ "\"flag\":1", 1 },
		{ "\"force\":\"yes\"", 1 },
		{ "\"vlan\":\"5\"", 1 },
		{ "\"vlan\":5.0", 1 },
		{ "\"internal\":{}", 1 },
		{ "\"routes\":[\"10.0.0.0/8\"]", 1 },
		{ "\"routes\":{\"dst\":\"10.0.0.0/8\"}", 1 },
		{ "\"routes\":[{\"dst\":\"10.0.0.0/8\"},{\"to\":\"x\"}]", 1 },
		{ "\"hostRoutes\":\"x\"", 1 },
		{ "\"hostRoutes\":[{\"dst\":5}]", 1 },
		{ "\"hostAccess\":1", 1 },
		{ "\"reflector\":5", 1 },
		{ "\"reflector\":[5]", 1 },
		{ "\"proxyArp\":\"on\"", 1 },
		{ "\"announce\":0", 1 },
		{ "\"dad\":true", 1 },
		{ "\"conflictCheck\":false", 1 },
		{ "\"resolvConf\":\"/etc/resolv.conf\"", 1 },
		{ "\"ipMasq\":\"true\"", 1 },
		{ "\"ipMasq\":true", 1 },
		{ "\"mode\":\"l3\",\"ipMasq\":true", 1 },
		{ "\"mode\":\"l3s\",\"ipMasq\":true,\"linkInContainer\":true", 1 },
		{ "\"mode\":\"l3s\",\"ipMasq\":true,\"internal\":true", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int lines = 0;
		struct cni_error err;
		struct conf conf = { 0 };
		json_auto_t *doc = NULL;
		char text[512];

		log_divert(count_line, &lines);
		snprintf(text, sizeof(text), "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",%s}", cases[i].more);
		is_int(read_for("ADD", text, &conf, &doc, &err), 0, "%s is not an error", cases[i].more);
		ok(conf.flags == -1 && !conf.force && !conf.vlan && !conf.host_access && !conf.proxy_arp &&
			   !conf.ip_masq && conf.announce && !conf.dad && !conf.conflict_check &&
			   !conf.resolv_conf && !conf.n_reflectors && !conf.routes.n_routes &&
			   !conf.host_routes.n_routes,
		   "and the configuration is as without it");
		is_int(lines, cases[i].lines, "and the log names the key");
		conf_free(&conf);
	}
	log_divert(NULL, NULL);
}

static void test_chained(void)
{
	static const char one[] =
		"{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"prevResult\":"
		"{\"interfaces\":[{\"name\":\"bond0\"}],\"ips\":[{\"address\":\"10.0.0.2/8\"}]}}";
	static const char two[] = "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"prevResult\":"
				  "{\"interfaces\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}";
	static const char unnamed[] =
		"{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"prevResult\":{\"interfaces\":[{}]}}";
	struct cni_error err;
	struct conf conf = { 0 };
	json_auto_t *doc = NULL, *doc2 = NULL, *doc3 = NULL, *doc4 = NULL, *doc5 = NULL;

	is_int(read_for("ADD", one, &conf, &doc, &err), 0, "a chained plugin requires no master");
	is_str(conf.master, "bond0", "it is the interface of prevResult");
	conf_free(&conf);

	is_int(read_for("ADD", two, &conf, &doc2, &err), -1, "with two interfaces ADD fails");
	is_str(err.msg, "chained master failure. PrevResult lacks a single named interface",
	       "with Go's message");
	ok(strstr(err.details, "2 interfaces"), "details have their number");
	is_int(read_for("ADD", unnamed, &conf, &doc3, &err), -1, "it also fails with one without a name");

	is_int(read_for("CHECK", two, &conf, &doc4, &err), 0, "other verbs do not require the master");
	ok(!conf.master, "and do not guess it");
	conf_free(&conf);
	is_int(read_for("CHECK", one, &conf, &doc5, &err), 0, "not even with a single interface");
	ok(!conf.master, "since that is the pod's interface");
	conf_free(&conf);
}

static void test_ipam_alone(void)
{
	static const char broken[] = "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"mtu\":\"x\",\"mode\":1,"
				     "\"prevResult\":7,\"ipam\":{\"type\":\"static\"}}";
	struct request req = { .command = "DEL" };
	json_auto_t *doc = json_read(broken, strlen(broken), NULL);
	struct cni_error err = { 0 };
	const char *ipam = NULL;

	request_read_conf(&req, doc, &err);
	is_int(conf_read_ipam(&ipam, &req, &err), 0,
	       "DEL finds the IPAM of a configuration with other errors");
	is_str(ipam, "static", "and has its name");
}

int main(void)
{
	test_defaults();
	test_empty();
	test_full();
	test_refused();
	test_not_ours();
	test_chained();
	test_ipam_alone();
	return done();
}
