#include "cni/plugin.h"
#include "plugin/verbs.h"

int main(void)
{
	static const struct plugin ipvlan = {
		.about = "CNI ipvlan plugin " PROJECT_VERSION " (ipvlan-cni)",
		.add = verb_add,
		.del = verb_del,
		.check = verb_check,
		.gc = verb_gc,
		.status = verb_status,
	};

	return plugin_main(&ipvlan);
}
