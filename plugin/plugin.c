/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/verbs.h"

const struct plugin ipvlan = {
	.name = "ipvlan",
	.about = "CNI ipvlan plugin " PROJECT_VERSION " (ipvlan-cni)",
	.add = verb_add,
	.del = verb_del,
	.check = verb_check,
	.gc = verb_gc,
	.status = verb_status,
};
