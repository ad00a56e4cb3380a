#include "cni/cleanup.h"
#include "net/netns.h"
#include "plugin/conf.h"
#include "plugin/delegate.h"
#include "plugin/host.h"
#include "plugin/iface.h"
#include "plugin/verbs.h"

/*
 * SPEC, DEL: it succeeds although parts are missing, and repeatedly. The address
 * goes last, and not at all while the pod may have it still: nobody else must be
 * given it. The runtime calls again.
 */
int verb_del(const struct request *req, struct cni_error *err)
{
	struct cni_error why = { 0 }, unreadable = { 0 };
	autoclose int netns = -1;
	const char *ipam;
	bool readable = conf_read_ipam(&ipam, req, &unreadable) == 0;
	int rc = 0;

	switch (*req->netns ? netns_open(req->netns, req->own_netns_allowed, &netns, &why) : NETNS_GONE) {
	case NETNS_OURS:
		*err = why;
		return -1;
	case NETNS_FAILED:
		*err = why;
		rc = -1;
		break;
	case NETNS_GONE: /* and the link with it */
		if (*why.msg)
			cni_log("DEL: %s", why.msg);
		break;
	case NETNS_OPEN:
		delegate_release_by_link(req, ipam);
		rc = iface_delete(req, netns, err);
		break;
	}
	if (host_detach(req, err) < 0 || rc < 0)
		return -1;
	if (!readable) {
		*err = unreadable;
		return -1;
	}
	return ipam ? delegate_run(req, ipam, "DEL", err) : 0;
}
