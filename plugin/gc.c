#include "plugin/conf.h"
#include "plugin/delegate.h"
#include "plugin/verbs.h"

/*
 * SPEC, GC: what is left of attachments that the runtime does not know. Links die
 * with their namespaces, so that all there is to collect is the IPAM's.
 */
int verb_gc(const struct request *req, struct cni_error *err)
{
	const char *ipam;

	if (conf_read_ipam(&ipam, req, err) < 0)
		return -1;
	return ipam ? delegate_run(req, ipam, "GC", err) : 0;
}
