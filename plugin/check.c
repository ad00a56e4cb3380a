/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/cleanup.h"
#include "net/netns.h"
#include "plugin/delegate.h"
#include "plugin/host.h"
#include "plugin/iface.h"
#include "plugin/learn.h"
#include "plugin/verbs.h"

static int check_open(const struct request *req, struct conf *conf, struct cni_error *err)
{
	autoclose int netns = -1;
	enum netns there = netns_open(req->netns, req->our_netns_allowed, &netns, err);
	struct iface iface;
	int rc;

	if (there == NETNS_GONE && err)
		err->code = CNI_CONTAINER;
	if (there != NETNS_OPEN)
		return -1;
	if (!conf->has_prev) {
		cni_fail(err, CNI_CONFIG, "Required prevResult missing");
		return cni_hint(
			err, "CHECK compares with the result of ADD, which the runtime passes as prevResult");
	}
	if (conf->ipam && delegate_run(req, conf->ipam, "CHECK", err) < 0)
		return -1;
	if (iface_open(&iface, conf, req, netns, err) < 0)
		return -1;
	rc = conf->accept_ra ? learn_forget(&iface, &conf->prev, err) : 0;
	if (rc == 0)
		rc = iface_verify(&iface, conf, err);
	if (rc == 0)
		rc = host_verify(&iface, err);
	iface_close(&iface);
	return rc;
}

int verb_check(const struct request *req, struct cni_error *err)
{
	struct conf conf;
	int rc;

	if (conf_read(&conf, req, err) < 0)
		return -1;
	rc = check_open(req, &conf, err);
	conf_free(&conf);
	return rc;
}
