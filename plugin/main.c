#include "cni/plugin.h"
#include "ipam/verbs.h"
#include "plugin/delegate.h"
#include "plugin/verbs.h"

_Static_assert(sizeof((const unsigned char[]){ ADDRPOOL_BUILD_ID }) == BUILD_ID_SIZE, "no SHA1 of addrpool");

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
	static const struct own_delegate own = {
		.build_id = { ADDRPOOL_BUILD_ID },
		.plugin = &addrpool,
		.serves = addrpool_is_alone,
	};

	delegate_own(&own);
	return plugin_main(&ipvlan);
}
