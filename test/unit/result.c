/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/result.h"

#include "cni/json.h"
#include "tap.h"

static int read_text(struct result *ret, const char *text, enum cni_version version, json_t **doc,
		     struct cni_error *err)
{
	*doc = json_read(text, strlen(text), NULL);
	return result_read(ret, *doc, version, err);
}

/* Converts text from one version to another; *err says why it cannot. */
static const char *converted(const char *text, enum cni_version from, enum cni_version to,
			     struct cni_error *err)
{
	static char printed[4096];
	struct result result;
	json_auto_t *doc = NULL, *shaped = NULL;
	char *dumped;

	*err = (struct cni_error){ 0 };
	if (read_text(&result, text, from, &doc, err) < 0)
		return err->msg;
	shaped = result_json(&result, to, err);
	result_free(&result);
	if (!shaped)
		return err->msg;
	dumped = json_dumps(shaped, JSON_COMPACT);
	snprintf(printed, sizeof(printed), "%s", dumped);
	free(dumped);
	return printed;
}

static const char full[] =
	"{\"cniVersion\":\"1.1.0\","
	"\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500,\"sandbox\":\"/run/"
	"netns/a\","
	"\"socketPath\":\"/run/s\",\"pciID\":\"0000:00:1f.6\"},{\"name\":\"br0\"}],"
	"\"ips\":[{\"interface\":0,\"address\":\"10.9.0.2/24\",\"gateway\":\"10.9.0.1\"},"
	"{\"address\":\"10.9.1.2/24\"},{\"interface\":1,\"address\":\"fd00::2/64\",\"gateway\":\"fd00::1\"}],"
	"\"routes\":[{\"dst\":\"0.0.0.0/0\"},"
	"{\"dst\":\"10.8.0.0/"
	"16\",\"gw\":\"10.9.0.9\",\"mtu\":1400,\"advmss\":1360,\"priority\":5,\"table\":0,\"scope\":0},"
	"{\"dst\":\"::/0\",\"gw\":\"fd00::1\",\"table\":4294967295,\"scope\":255}],"
	"\"dns\":{\"nameservers\":[\"10.9.0.1\"],\"domain\":\"x.org\",\"search\":[\"x.org\"],\"options\":["
	"\"ndots:5\"]}}";

static const char full_0_4_0[] =
	"{\"cniVersion\":\"0.4.0\","
	"\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"sandbox\":\"/run/netns/a\"},"
	"{\"name\":\"br0\"}],"
	"\"ips\":[{\"version\":\"4\",\"interface\":0,\"address\":\"10.9.0.2/24\",\"gateway\":\"10.9.0.1\"},"
	"{\"version\":\"4\",\"address\":\"10.9.1.2/24\"},"
	"{\"version\":\"6\",\"interface\":1,\"address\":\"fd00::2/64\",\"gateway\":\"fd00::1\"}],"
	"\"routes\":[{\"dst\":\"0.0.0.0/0\"},"
	"{\"dst\":\"10.8.0.0/"
	"16\",\"gw\":\"10.9.0.9\",\"mtu\":1400,\"advmss\":1360,\"priority\":5,\"table\":0,\"scope\":0},"
	"{\"dst\":\"::/0\",\"gw\":\"fd00::1\",\"table\":4294967295,\"scope\":255}],"
	"\"dns\":{\"nameservers\":[\"10.9.0.1\"],\"domain\":\"x.org\",\"search\":[\"x.org\"],\"options\":["
	"\"ndots:5\"]}}";

static const char full_0_2_0[] =
	"{\"cniVersion\":\"0.2.0\","
	"\"ip4\":{\"ip\":\"10.9.0.2/24\",\"gateway\":\"10.9.0.1\","
	"\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.8.0.0/16\",\"gw\":\"10.9.0.9\"}]},"
	"\"ip6\":{\"ip\":\"fd00::2/64\",\"gateway\":\"fd00::1\",\"routes\":[{\"dst\":\"::/"
	"0\",\"gw\":\"fd00::1\"}]},"
	"\"dns\":{\"nameservers\":[\"10.9.0.1\"],\"domain\":\"x.org\",\"search\":[\"x.org\"],\"options\":["
	"\"ndots:5\"]}}";

static void test_shapes(void)
{
	struct cni_error err;

	is_str(converted(full, CNI_1_1_0, CNI_1_1_0, &err), full, "1.1.0 keeps everything");
	is_str(converted(full, CNI_1_0_0, CNI_1_1_0, &err), full, "1.0.0 has the shape of 1.1.0");
	is_str(converted(full, CNI_1_1_0, CNI_0_4_0, &err), full_0_4_0,
	       "0.4.0 has address versions and no mtu, socketPath or pciID of interfaces");
	is_str(converted(full_0_4_0, CNI_0_4_0, CNI_0_4_0, &err), full_0_4_0,
	       "0.4.0 is read as it is printed");
	is_str(converted(full, CNI_1_1_0, CNI_0_2_0, &err), full_0_2_0,
	       "0.2.0 has the first address of each family, with its family's routes");
	is_str(converted(full_0_2_0, CNI_0_2_0, CNI_0_2_0, &err), full_0_2_0,
	       "0.2.0 is read as it is printed");
	is_str(converted(full_0_2_0, CNI_0_1_0, CNI_0_2_0, &err), full_0_2_0, "0.1.0 has the shape of 0.2.0");
	is_str(converted(full_0_2_0, CNI_0_2_0, CNI_1_0_0, &err),
	       "{\"cniVersion\":\"1.0.0\","
	       "\"ips\":[{\"address\":\"10.9.0.2/24\",\"gateway\":\"10.9.0.1\"},"
	       "{\"address\":\"fd00::2/64\",\"gateway\":\"fd00::1\"}],"
	       "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.8.0.0/16\",\"gw\":\"10.9.0.9\"},"
	       "{\"dst\":\"::/0\",\"gw\":\"fd00::1\"}],"
	       "\"dns\":{\"nameservers\":[\"10.9.0.1\"],\"domain\":\"x.org\",\"search\":[\"x.org\"],"
	       "\"options\":[\"ndots:5\"]}}",
	       "0.2.0 becomes IPv4 first, IPv6 second");
}

static void test_every_version(void)
{
	struct result result;
	json_auto_t *doc = NULL;

	read_text(&result, full, CNI_1_1_0, &doc, NULL);
	for (int v = 0; v < CNI_VERSIONS; v++) {
		json_auto_t *printed = result_json(&result, (enum cni_version)v, NULL), *again = NULL;
		struct result back;

		is_str(json_string_value(json_object_get(printed, "cniVersion")), cni_versions[v],
		       "a result has the version %s", cni_versions[v]);
		is_int(result_read(&back, printed, (enum cni_version)v, NULL), 0, "it can be read as %s",
		       cni_versions[v]);
		again = result_json(&back, (enum cni_version)v, NULL);
		ok(json_equal(printed, again), "and is the same when printed once more");
		result_free(&back);
	}
	result_free(&result);
}

static void test_empty(void)
{
	struct cni_error err;

	is_str(converted("{}", CNI_1_1_0, CNI_1_1_0, &err), "{\"cniVersion\":\"1.1.0\"}",
	       "an empty result of 1.1.0 has no keys but its version");
	is_str(converted("{\"dns\":{}}", CNI_1_0_0, CNI_1_0_0, &err), "{\"cniVersion\":\"1.0.0\"}",
	       "an empty dns is left out of 1.0.0");
	is_str(converted("{}", CNI_1_1_0, CNI_0_4_0, &err), "{\"cniVersion\":\"0.4.0\",\"dns\":{}}",
	       "and is always present before");
	is_str(converted("{\"ip4\":{\"ip\":\"10.0.0.1/8\"}}", CNI_0_2_0, CNI_0_1_0, &err),
	       "{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\"},\"dns\":{}}",
	       "a result of 0.1.0 may have only an address");
	is_str(converted("{\"ip6\":{\"ip\":\"fd00::1/8\"}}", CNI_0_2_0, CNI_0_2_0, &err),
	       "{\"cniVersion\":\"0.2.0\",\"ip6\":{\"ip\":\"fd00::1/8\"},\"dns\":{}}",
	       "also an IPv6 address");
	is_str(converted("{\"interfaces\":[],\"ips\":[],\"routes\":[],\"dns\":null}", CNI_1_1_0, CNI_1_1_0,
			 &err),
	       "{\"cniVersion\":\"1.1.0\"}", "empty lists are left out");
	is_str(converted("{\"interfaces\":[{\"name\":\"\",\"mac\":\"\",\"sandbox\":\"\"}]}", CNI_1_1_0,
			 CNI_1_1_0, &err),
	       "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"\"}]}",
	       "an interface with only a name keeps it");
	is_str(converted("{\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":\"\"}]}", CNI_1_1_0, CNI_1_1_0,
			 &err),
	       "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.0.0.1/8\"}]}",
	       "an empty gateway counts as not given");
}

static void test_inexpressible(void)
{
	static const char no_ips[] = "{\"interfaces\":[{\"name\":\"eth0\"}],\"routes\":[{\"dst\":\"::/0\"}]}";
	struct cni_error err;

	is_str(converted(no_ips, CNI_1_1_0, CNI_0_2_0, &err), "cannot convert: no valid IP addresses",
	       "0.2.0 cannot say that there is no address");
	is_int(err.code, CNI_CONFIG, "with the code of a wrong configuration");
	ok(strstr(err.details, "0.3.0 or later"), "and details name the remedy");
	is_str(converted("{}", CNI_0_1_0, CNI_0_1_0, &err), "cannot convert: no valid IP addresses",
	       "0.1.0 cannot either");
	is_str(converted(no_ips, CNI_1_1_0, CNI_0_3_0, &err),
	       "{\"cniVersion\":\"0.3.0\",\"interfaces\":[{\"name\":\"eth0\"}],\"routes\":[{\"dst\":\"::/"
	       "0\"}],"
	       "\"dns\":{}}",
	       "0.3.0 can");
	is_str(converted("{\"ips\":[{\"address\":\"10.0.0.1/8\"}],\"routes\":[{\"dst\":\"::/0\"}]}",
			 CNI_1_1_0, CNI_0_2_0, &err),
	       "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\"},\"dns\":{}}",
	       "0.2.0 has no place for the routes of a family without address");
}

static void test_text(void)
{
	struct cni_error err;

	is_str(converted("{\"ips\":[{\"ADDRESS\":\"::FFFF:10.0.0.1/104\",\"Gateway\":\"FD00:0::1\"}]}",
			 CNI_1_1_0, CNI_1_1_0, &err),
	       "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":\"fd00::1\"}]}",
	       "keys match in upper and lower case, and addresses are printed as Go prints them");
	is_str(converted("{\"ips\":[{\"address\":\"10.1.2.3/8\"}],\"extra\":[1]}", CNI_0_3_1, CNI_0_3_1,
			 &err),
	       "{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":\"4\",\"address\":\"10.1.2.3/"
	       "8\"}],\"dns\":{}}",
	       "host bits stay, the version is that of the address, and unknown keys are dropped");
	is_str(converted("{\"dns\":{\"nameservers\":[],\"domain\":\"\",\"search\":[\"a\"],\"options\":null,"
			 "\"x\":1}}",
			 CNI_1_1_0, CNI_1_1_0, &err),
	       "{\"cniVersion\":\"1.1.0\",\"dns\":{\"search\":[\"a\"]}}",
	       "dns keeps only keys of the specification that are not empty");
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		enum cni_version version;
		const char *msg;
	} cases[] = {
		{ "[]", CNI_1_1_0, "a result must be an object" },
		{ "null", CNI_0_2_0, "a result must be an object" },
		{ "{\"interfaces\":{}}", CNI_1_1_0, "interfaces must be a list, not {}" },
		{ "{\"interfaces\":[{\"mac\":1}]}", CNI_1_1_0, "mac must be a string, not 1" },
		{ "{\"interfaces\":[{\"mtu\":-1}]}", CNI_1_1_0, "mtu must be 0 to 2147483647, not -1" },
		{ "{\"ips\":[{}]}", CNI_1_1_0, "invalid CIDR address: " },
		{ "{\"ips\":[\"10.0.0.1/8\"]}", CNI_1_1_0, "an entry of ips is not an object" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1\"}]}", CNI_1_1_0, "invalid CIDR address: 10.0.0.1" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":\"x\"}]}", CNI_1_1_0,
		  "invalid IP address: x" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":\"0\"}]}", CNI_1_1_0,
		  "interface must be an integer, not \"0\"" },
		{ "{\"routes\":[{\"gw\":\"10.0.0.1\"}]}", CNI_1_1_0, "invalid CIDR address: " },
		{ "{\"routes\":[{\"dst\":\"::/0\",\"gw\":\"10.0.0.1\"}]}", CNI_1_1_0,
		  "route to ::/0 has gateway 10.0.0.1 of the other family" },
		{ "{\"routes\":[{\"dst\":\"::/0\",\"table\":4294967296}]}", CNI_1_1_0,
		  "table must be 0 to 4294967295, not 4294967296" },
		{ "{\"routes\":[{\"dst\":\"::/0\",\"scope\":256}]}", CNI_1_1_0,
		  "scope must be 0 to 255, not 256" },
		{ "{\"ip4\":[]}", CNI_0_2_0, "ip4 must be an object, not []" },
		{ "{\"ip4\":{}}", CNI_0_2_0, "invalid CIDR address: " },
		{ "{\"ip4\":{\"ip\":\"10.0.0.1/8\"},\"ip6\":{\"ip\":\"\"}}", CNI_0_1_0,
		  "invalid CIDR address: " },
		{ "{\"dns\":[]}", CNI_1_1_0, "dns must be an object, not []" },
		{ "{\"dns\":{\"domain\":1}}", CNI_1_1_0, "dns.domain must be a string, not 1" },
		{ "{\"dns\":{\"search\":\"x\"}}", CNI_1_1_0, "dns.search must be a list, not \"x\"" },
		{ "{\"dns\":{\"search\":[\"x\",1]}}", CNI_1_1_0, "dns.search must be a list of strings" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/8\"}],\"dns\":0}", CNI_1_1_0,
		  "dns must be an object, not 0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct result result = { .n_ips = 99 };
		struct cni_error err = { 0 };
		json_auto_t *doc = NULL;

		is_int(read_text(&result, cases[i].text, cases[i].version, &doc, &err), -1, "%s is refused",
		       cases[i].text);
		is_str(err.msg, cases[i].msg, "because: %s", cases[i].msg);
		is_int(err.code, CNI_DECODE, "as a decoding failure");
		ok(!result.n_ips && !result.ips && !result.dns, "and the result is empty");
		is_int(result_read(&result, doc, cases[i].version, NULL), -1, "also with a NULL error");
	}
}

static json_t *many(const char *key, const char *entry, int n)
{
	json_t *doc = json_object(), *list = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(list, json_loads(entry, 0, NULL));
	json_object_set_new(doc, key, list);
	return doc;
}

static void test_bounds(void)
{
	static const struct {
		const char *key, *entry;
	} lists[] = {
		{ "interfaces", "{\"name\":\"eth0\"}" },
		{ "ips", "{\"address\":\"10.0.0.1/8\"}" },
		{ "routes", "{\"dst\":\"10.0.0.0/8\"}" },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		json_auto_t *enough = many(lists[i].key, lists[i].entry, 4096);
		json_auto_t *too_many = many(lists[i].key, lists[i].entry, 5000);
		struct cni_error err = { 0 };
		struct result result;

		is_int(result_read(&result, enough, CNI_1_1_0, NULL), 0, "4096 %s are taken", lists[i].key);
		result_free(&result);
		is_int(result_read(&result, too_many, CNI_1_1_0, &err), -1, "5000 %s are refused",
		       lists[i].key);
		is_str(err.msg, "a result with more than 4096 entries", "and the message has the limit");
	}
}

static void test_append(void)
{
	const struct cni_interface own = { .name = "eth1", .mac = "02:00:00:00:00:02" };
	struct result one, two, all = { 0 };
	json_auto_t *doc = NULL, *doc2 = NULL, *many_ips = many("ips", "{\"address\":\"10.0.0.1/8\"}", 4095);
	struct cni_error err = { 0 };

	read_text(&one, full, CNI_1_1_0, &doc, NULL);
	read_text(&two,
		  "{\"ips\":[{\"address\":\"10.7.0.1/8\",\"interface\":2}],\"routes\":[{\"dst\":\"10.6.0.0/"
		  "16\"}]}",
		  CNI_1_1_0, &doc2, NULL);
	is_int(result_append(&all, &one, &err), 0, "a result can be added to an empty one");
	is_int(result_add_interface(&all, &own, &err), 0, "then an interface");
	is_int(result_append(&all, &two, &err), 0, "then another result");
	is_int((long long)all.n_interfaces, 3, "there are the interfaces of all");
	is_str(all.interfaces[2].name, "eth1", "in that order");
	is_int((long long)all.n_ips, 4, "and the addresses");
	is_int(all.ips[3].interface, 2, "which keep their interface");
	is_str(prefix_text(&all.routes[3].dst).s, "10.6.0.0/16", "and the routes");
	ok(!all.dns, "dns is not added");

	result_free(&two);
	result_read(&two, many_ips, CNI_1_1_0, NULL);
	is_int(result_append(&all, &two, &err), -1, "too many together are refused");
	result_free(&two);
	result_free(&one);
	result_free(&all);
	ok(!all.ips && !all.n_ips, "a freed result is empty");
	result_free(&all);
}

int main(void)
{
	test_shapes();
	test_every_version();
	test_empty();
	test_inexpressible();
	test_text();
	test_refused();
	test_bounds();
	test_append();
	return done();
}
