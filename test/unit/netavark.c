/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of ipvlan for a network of Podman. */
#include "netavark/network.h"

#include <stdlib.h>

#include "netavark/container.h"
#include "tap.h"

#define HEAD "{\"cniVersion\":\"1.1.0\""
#define TAIL ",\"name\":\"n\",\"type\":\"ipvlan\"}"

static json_t *doc(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);

	if (!value)
		abort();
	return value;
}

/* Both with their keys in one order. */
static void is_json(const json_t *got, const char *wanted, const char *name)
{
	json_t *want = doc(wanted);
	char *a = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS),
	     *b = json_dumps(want, JSON_COMPACT | JSON_SORT_KEYS);

	is_str(a, b, "%s", name);
	free(a);
	free(b);
	json_decref(want);
}

static void test_networks(void)
{
	static const struct {
		const char *name, *network, *conf;
	} cases[] = {
		{ "a network with only a name", "{\"name\":\"n\"}", HEAD TAIL },
		{ "the master", "{\"name\":\"n\",\"network_interface\":\"eth0\"}",
		  HEAD ",\"master\":\"eth0\"" TAIL },
		{ "text, true, a number, an object",
		  "{\"name\":\"n\",\"options\":{\"mode\":\"l3\",\"hostAccess\":\"true\","
		  "\"vlan\":\"5\",\"dns\":\"{\\\"domain\\\":\\\"d\\\"}\"}}",
		  HEAD ",\"mode\":\"l3\",\"hostAccess\":true,\"vlan\":5,\"dns\":{\"domain\":\"d\"}" TAIL },
		{ "the driver's own options do not become keys",
		  "{\"name\":\"n\",\"options\":{\"metric\":\"5\",\"no_default_route\":\"true\"}}",
		  HEAD TAIL },
		{ "an option cannot change the network's name or type",
		  "{\"name\":\"n\",\"options\":{\"name\":\"x\",\"type\":\"bridge\"}}", HEAD TAIL },
		{ "internal", "{\"name\":\"n\",\"internal\":true}", HEAD ",\"internal\":true" TAIL },
		{ "routes of Podman and of the option",
		  "{\"name\":\"n\",\"options\":{\"routes\":\"[{\\\"dst\\\":\\\"10.1.0.0/16\\\"}]\"},"
		  "\"routes\":[{\"destination\":\"10.2.0.0/16\",\"gateway\":\"10.0.0.1\",\"metric\":3}]}",
		  HEAD ",\"routes\":[{\"dst\":\"10.1.0.0/16\"},{\"dst\":\"10.2.0.0/"
		       "16\",\"gw\":\"10.0.0.1\",\"priority\":3}]" TAIL },
		{ "addrpool has the subnets, with their ranges and gateways",
		  "{\"name\":\"n\",\"options\":{\"ipam\":\"addrpool\"},\"subnets\":[{\"subnet\":\"10.0.0.0/"
		  "24\","
		  "\"gateway\":\"10.0.0.1\",\"lease_range\":{\"start_ip\":\"10.0.0.9\",\"end_ip\":\"10.0.0."
		  "12\"}},"
		  "{\"subnet\":\"fd00::/64\",\"gateway\":null}]}",
		  HEAD ",\"ipam\":{\"type\":\"addrpool\",\"ranges\":[[{\"subnet\":\"10.0.0.0/"
		       "24\",\"rangeStart\":\"10.0.0.9\","
		       "\"rangeEnd\":\"10.0.0.12\",\"gateway\":\"10.0.0.1\"}],[{\"subnet\":\"fd00::/"
		       "64\",\"gateway\":\"none\"}]],"
		       "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}]}" TAIL },
		{ "ranges of the option stay as they are",
		  "{\"name\":\"n\",\"options\":{\"ipam\":\"{\\\"ranges\\\":[]}\"},\"subnets\":[{\"subnet\":"
		  "\"10.0.0.0/24\"}]}",
		  HEAD ",\"ipam\":{\"type\":\"addrpool\",\"ranges\":[]}" TAIL },
		{ "an internal network has no default route",
		  "{\"name\":\"n\",\"internal\":true,\"options\":{\"ipam\":\"addrpool\"},\"subnets\":[{"
		  "\"subnet\":\"10.0.0.0/24\"}]}",
		  HEAD ",\"internal\":true,\"ipam\":{\"type\":\"addrpool\",\"ranges\":[[{\"subnet\":\"10.0.0."
		       "0/24\","
		       "\"gateway\":\"none\"}]],\"routes\":[]}" TAIL },
		{ "the driver dhcp", "{\"name\":\"n\",\"ipam_options\":{\"driver\":\"dhcp\"}}",
		  HEAD ",\"ipam\":{\"type\":\"dhcp\"}" TAIL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_error err = { 0 };
		json_t *network = doc(cases[i].network), *conf = network_conf(network, &err);

		is_json(conf, cases[i].conf, cases[i].name);
		json_decref(conf);
		json_decref(network);
	}
}

static void test_refused(void)
{
	static const char *const networks[] = {
		"{\"options\":{\"dns\":\"{\"}}",
		"{\"options\":{\"ipam\":\"7\"}}",
		"{\"options\":{\"ipam\":\"addrpool\",\"metric\":\"x\"},\"subnets\":[{\"subnet\":\"::/0\"}]}",
		"{\"routes\":[{\"destination\":\"10.0.0.0/8\",\"route_type\":\"prohibit\"}]}",
	};

	for (size_t i = 0; i < sizeof(networks) / sizeof(*networks); i++) {
		struct cni_error err = { 0 };
		json_t *network = doc(networks[i]), *conf = network_conf(network, &err);

		ok(!conf && err.code == CNI_CONFIG && *err.msg, "refused: %s", err.msg);
		json_decref(conf);
		json_decref(network);
	}
}

static void test_status(void)
{
	json_t *result =
		doc("{\"interfaces\":[{\"name\":\"eth1\",\"mac\":\"02:00:00:00:00:01\"}],\"ips\":["
		    "{\"address\":\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\",\"interface\":0},"
		    "{\"address\":\"fd00::2/64\",\"interface\":0}],\"dns\":{\"nameservers\":[\"10.0.0.1\"],"
		    "\"domain\":\"a\",\"search\":[\"b\"]}}");
	json_t *status = container_status(result, "eth1");

	is_json(status,
		"{\"interfaces\":{\"eth1\":{\"mac_address\":\"02:00:00:00:00:01\",\"subnets\":[{\"ipnet\":"
		"\"10.0.0.2/24\","
		"\"gateway\":\"10.0.0.1\"},{\"ipnet\":\"fd00::2/64\"}]}},\"dns_server_ips\":[\"10.0.0.1\"],"
		"\"dns_search_domains\":[\"a\",\"b\"]}",
		"the answer to setup");
	json_decref(status);
	json_decref(result);
}

int main(void)
{
	test_networks();
	test_refused();
	test_status();
	return done();
}
