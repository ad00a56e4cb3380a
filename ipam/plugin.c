/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/json.h"
#include "ipam/verbs.h"

const struct plugin addrpool = {
	.name = "addrpool",
	.about = "CNI addrpool plugin " PROJECT_VERSION " (ipvlan-cni)",
	.add = addrpool_add,
	.del = addrpool_del,
	.check = addrpool_check,
	.gc = addrpool_gc,
	.status = addrpool_status,
};

bool addrpool_is_alone(const struct request *req)
{
	return !json_field(json_field(req->conf, "ipam"), "cluster");
}
