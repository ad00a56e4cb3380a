#include "plugin/conf.h"
#include "plugin/delegate.h"
#include "plugin/host.h"
#include "plugin/verbs.h"

/*
 * SPEC, GC: what is left of attachments that the runtime does not know. Links die
 * with their namespaces; what is to be collected is on the host, and the IPAM's.
 */
int verb_gc(const struct request *req, struct cni_error *err)
{
	const char *ipam;
	int rc = host_collect(req, err);

	if (conf_read_ipam(&ipam, req, err) < 0)
		return -1;
	if (ipam && delegate_run(req, ipam, "GC", err) < 0)
		return -1;
	return rc;
}
