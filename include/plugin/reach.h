/*
 * Who reaches whom: what the keys hostRoutes, reflector, hostAccess, proxyArp
 * and ipMasq add to what the IPAM has given.
 *
 *	reach_pod()	addresses and routes, before the pod's interface gets them
 *	reach_host()	objects on the host, after it has
 */
#ifndef PLUGIN_REACH_H
#define PLUGIN_REACH_H

#include "plugin/conf.h"
#include "plugin/iface.h"

/* CNI_CONFIG when what is asked for cannot work on this master. */
int reach_pod(struct iface *iface, const struct conf *conf, struct result *given, struct cni_error *err);

/* What fails is left to host_detach(). */
int reach_host(struct iface *iface, const struct conf *conf, const struct result *given,
	       struct cni_error *err);

/*
 * Does the host drop what pods send it by hostAccess? Its way back goes out by the
 * anchor, so that the way there must not be strict about where packets come from
 * (RFC 3704, rp_filter). IPv6 has no such check.
 */
bool reach_is_strict(const char *master);

#endif
