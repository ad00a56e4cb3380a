/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/plan.h"

#include "cni/json.h"
#include "tap.h"

static const char two_addresses[] =
	"{\"ips\":[{\"address\":\"10.9.0.2/24\"},{\"address\":\"10.8.0.2/24\",\"gateway\":\"10.8.0.1\"},"
	"{\"address\":\"fd00::2/64\",\"gateway\":\"fd00::1\"}],\"routes\":";

static const char host_address[] = "{\"ips\":[{\"address\":\"10.9.0.2/32\",\"gateway\":\"10.9.0.1\"},"
				   "{\"address\":\"fd00::2/128\",\"gateway\":\"fd00::1\"}],\"routes\":";

static const char no_gateway[] = "{\"ips\":[{\"address\":\"10.9.0.2/24\"}],\"routes\":";

/* The plan for routes, about as iproute2 writes it, one route after the other. */
static const char *planned(const char *result_without_routes, const char *routes)
{
	static char text[2048];
	struct result result;
	struct plan plan;
	char document[2048];
	size_t used = 0;
	json_auto_t *doc = NULL;

	snprintf(document, sizeof(document), "%s%s}", result_without_routes, routes);
	doc = json_read(document, strlen(document), NULL);
	text[0] = '\0';
	if (result_read(&result, doc, CNI_1_1_0, NULL) < 0)
		return "unreadable";
	if (plan_make(&plan, &result, NULL) < 0)
		return "impossible";
#define add(...) (used += (size_t)snprintf(text + used, sizeof(text) - used, __VA_ARGS__))
	for (size_t i = 0; i < plan.n_routes; i++) {
		const struct route *route = &plan.routes[i];

		add("%s%s", i ? "; " : "", prefix_text(&route->dst).s);
		for (size_t h = 0; h < route->n_hops; h++)
			add(" via %s%s", route->hops[h].gw.family ? ip_text(&route->hops[h].gw).s : "link",
			    route->hops[h].onlink ? " onlink" : "");
		if (route->table != RT_TABLE_MAIN)
			add(" table %u", route->table);
		if (route->priority)
			add(" metric %u", route->priority);
		if (route->mtu || route->advmss)
			add(" mtu %u advmss %u", route->mtu, route->advmss);
		if (route->scope != RT_SCOPE_UNIVERSE)
			add(" scope %u", route->scope);
	}
#undef add
	plan_free(&plan);
	result_free(&result);
	return text;
}

static void test_gateways(void)
{
	is_str(planned(two_addresses, "[]"), "", "no routes make an empty plan");
	is_str(planned(two_addresses, "[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}]"),
	       "0.0.0.0/0 via 10.8.0.1; ::/0 via fd00::1",
	       "a route without gw gets the gateway of its family's first address that has one");
	is_str(planned(two_addresses, "[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.9.0.9\"}]"),
	       "0.0.0.0/0 via 10.9.0.9", "a route's own gw comes first");
	is_str(planned(no_gateway, "[{\"dst\":\"10.1.0.0/16\"}]"), "10.1.0.0/16 via link scope 253",
	       "without any gateway a route is on the link");
	is_str(planned(no_gateway, "[{\"dst\":\"::/0\"}]"), "::/0 via link scope 253",
	       "a gateway of the other family does not count");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"gw\":\"0.0.0.0\"},{\"dst\":\"fd01::/"
				      "64\",\"gw\":\"::\"}]"),
	       "10.1.0.0/16 via link scope 253; fd01::/64 via link scope 253",
	       "gw 0.0.0.0 or :: means no gateway, even if the addresses have one");
}

static void test_scopes(void)
{
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"scope\":253}]"),
	       "10.1.0.0/16 via link scope 253", "scope link takes no gateway from the addresses");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"scope\":254}]"),
	       "10.1.0.0/16 via link scope 254", "nor does scope host");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"scope\":200}]"),
	       "10.1.0.0/16 via 10.8.0.1 scope 200", "scope site takes one");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.1\",\"scope\":253}]"),
	       "10.1.0.0/16 via 10.9.0.1 scope 253", "a route's own gw stays, and the kernel decides");
	is_str(planned(no_gateway, "[{\"dst\":\"10.1.0.0/16\",\"scope\":0}]"), "10.1.0.0/16 via link",
	       "an explicit scope global stays");
}

static void test_onlink(void)
{
	is_str(planned(two_addresses, "[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.7.0.1\"}]"),
	       "0.0.0.0/0 via 10.7.0.1 onlink",
	       "a gateway outside all subnets of the addresses is on the link");
	is_str(planned(host_address, "[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}]"),
	       "0.0.0.0/0 via 10.9.0.1 onlink; ::/0 via fd00::1 onlink",
	       "with a /32 or /128 every gateway is");
	is_str(planned(host_address, "[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.9.0.2\"}]"),
	       "0.0.0.0/0 via 10.9.0.2 onlink", "also the address itself");
	is_str(planned(host_address, "[{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}]"), "::/0 via fe80::1",
	       "a link-local gateway needs no onlink");
	is_str(planned("{\"ips\":[{\"address\":\"10.0.0.0/31\"}],\"routes\":",
		       "[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"}]"),
	       "0.0.0.0/0 via 10.0.0.1", "a /31 contains its other address");
	is_str(planned("{\"ips\":[{\"address\":\"0.0.0.1/0\"}],\"routes\":",
		       "[{\"dst\":\"10.0.0.0/8\",\"gw\":\"10.0.0.1\"},{\"dst\":\"::/"
		       "0\",\"gw\":\"fd00::1\"}]"),
	       "10.0.0.0/8 via 10.0.0.1; ::/0 via fd00::1 onlink",
	       "a /0 contains all addresses of its family");
}

static void test_grouping(void)
{
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.8\"},{\"dst\":\"::/0\"},"
				      "{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.9\"}]"),
	       "10.1.0.0/16 via 10.9.0.8 via 10.9.0.9; ::/0 via fd00::1",
	       "gateways to one destination become one route, in the place of the first");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\"},{\"dst\":\"10.1.0.0/16\"},"
				      "{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.8.0.1\"}]"),
	       "10.1.0.0/16 via 10.8.0.1", "repeated routes are dropped, also after a gateway was filled in");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.2.3/16\",\"gw\":\"10.9.0.8\"},"
				      "{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.9\"}]"),
	       "10.1.0.0/16 via 10.9.0.8 via 10.9.0.9", "host bits of a destination are cleared before");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.8\"},"
				      "{\"dst\":\"10.1.0.0/17\",\"gw\":\"10.9.0.9\"}]"),
	       "10.1.0.0/16 via 10.9.0.8; 10.1.0.0/17 via 10.9.0.9", "another length is another route");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.8\",\"priority\":5},"
				      "{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.9\",\"priority\":6}]"),
	       "10.1.0.0/16 via 10.9.0.8 metric 5; 10.1.0.0/16 via 10.9.0.9 metric 6",
	       "another priority is another route");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.8\",\"table\":100},"
				      "{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.9\"}]"),
	       "10.1.0.0/16 via 10.9.0.8 table 100; 10.1.0.0/16 via 10.9.0.9",
	       "another table is another route");
	is_str(planned(two_addresses,
		       "[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.7.0.1\"},{\"dst\":\"0.0.0.0/0\"}]"),
	       "0.0.0.0/0 via 10.7.0.1 onlink via 10.8.0.1",
	       "each gateway is on the link or not, independently");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.8\"},"
				      "{\"dst\":\"10.1.0.0/16\",\"gw\":\"0.0.0.0\"},"
				      "{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.9\"}]"),
	       "10.1.0.0/16 via 10.9.0.8 via 10.9.0.9; 10.1.0.0/16 via link scope 253",
	       "gateways become one route also if a route by none is between them");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"gw\":\"0.0.0.0\"},"
				      "{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.8\"},"
				      "{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.9\"}]"),
	       "10.1.0.0/16 via link scope 253; 10.1.0.0/16 via 10.9.0.8 via 10.9.0.9",
	       "and the route by none keeps its place");
}

static void test_details(void)
{
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"mtu\":1400,\"advmss\":1360}]"),
	       "10.1.0.0/16 via 10.8.0.1 mtu 1400 advmss 1360", "mtu and advmss are kept");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"table\":0}]"), "10.1.0.0/16 via 10.8.0.1",
	       "table 0 is the main table");
	is_str(planned(two_addresses, "[{\"dst\":\"10.1.0.0/16\",\"table\":4294967295}]"),
	       "10.1.0.0/16 via 10.8.0.1 table 4294967295", "a table can have any number of 32 bits");
	is_str(planned("{\"routes\":", "[{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.9.0.1\"}]"),
	       "10.1.0.0/16 via 10.9.0.1 onlink", "a plan requires no address");
}

static void test_bound(void)
{
	struct cni_route routes[PLAN_HOPS_MAX + 1];
	struct result result = { .routes = routes, .n_routes = PLAN_HOPS_MAX };
	struct cni_error err = { 0 };
	struct plan plan;

	for (int i = 0; i <= PLAN_HOPS_MAX; i++) {
		routes[i] = (struct cni_route){ .dst.ip.family = AF_INET, .table = -1, .scope = -1 };
		routes[i].gw = (struct ip){ .family = AF_INET, .bytes = { 10, 9, (unsigned char)i, 1 } };
	}
	is_int(plan_make(&plan, &result, &err), 0, "a route can have %d gateways", PLAN_HOPS_MAX);
	is_int((long long)plan.routes[0].n_hops, PLAN_HOPS_MAX, "and has all of them");
	plan_free(&plan);
	result.n_routes++;
	is_int(plan_make(&plan, &result, &err), -1, "one more is an error");
	is_str(err.msg, "more than 128 gateways to 0.0.0.0/0", "which names the destination");
	is_int(err.code, CNI_CONFIG, "with the code of a wrong configuration");
}

int main(void)
{
	test_gateways();
	test_scopes();
	test_onlink();
	test_grouping();
	test_details();
	test_bound();
	return done();
}
