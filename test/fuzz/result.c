/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any answer of an IPAM plugin in any version, '0' (0.1.0) to '6' (1.1.0) before
 * it: read, planned, printed in every version, and read again.
 */
#include <stdint.h>

#include "cni/json.h"
#include "fuzz.h"
#include "plugin/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_plan(const struct result *result)
{
	struct cni_error err = { 0 };
	struct plan plan;
	size_t n_hops = 0;

	if (plan_make(&plan, result, &err) < 0) {
		must(err.code == CNI_CONFIG && result->n_routes > PLAN_HOPS_MAX);
		return;
	}
	must(plan.n_routes <= result->n_routes);
	for (size_t i = 0; i < plan.n_routes; i++) {
		const struct route *route = &plan.routes[i];
		struct prefix network = prefix_network(&route->dst);

		must(route->n_hops > 0 && route->hops == plan.hops + n_hops);
		must(route->table != 0 && prefix_equal(&network, &route->dst));
		for (size_t h = 0; h < route->n_hops; h++) {
			must(!route->hops[h].gw.family || route->hops[h].gw.family == route->dst.ip.family);
			must(!ip_is_any(&route->hops[h].gw));
		}
		n_hops += route->n_hops;
	}
	must(n_hops <= result->n_routes);
	plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_error err = { 0 };
	json_auto_t *doc = NULL;
	enum cni_version version;
	struct result result;

	if (!size)
		return 0;
	version = (enum cni_version)((data[0] + (CNI_VERSIONS - '0' % CNI_VERSIONS)) % CNI_VERSIONS);
	doc = json_read((const char *)data + 1, size - 1, NULL);
	if (!doc)
		return 0;
	if (result_read(&result, doc, version, &err) < 0) {
		must(*err.msg && err.code == CNI_DECODE);
		must(!result.ips && !result.interfaces && !result.routes && !result.dns);
		return 0;
	}
	check_plan(&result);
	in_every_version(&result);
	result_free(&result);
	return 0;
}
