#include "plugin/conf.h"
#include "plugin/delegate.h"
#include "plugin/guard.h"
#include "plugin/kinds.h"
#include "plugin/master.h"
#include "plugin/verbs.h"

static int check_kernel(struct rtnl *nl, struct cni_error *err)
{
	enum found found = ipvlan_known(nl, err);

	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	cni_fail(err, CNI_UNAVAILABLE, "this kernel has no ipvlan");
	return cni_hint(err, "load the module (modprobe ipvlan) or use a kernel with CONFIG_IPVLAN");
}

static int check_master(struct rtnl *nl, const struct conf *conf, const char *network, struct cni_error *err)
{
	struct link master = { .index = 0 };
	char made[IFNAMSIZ];
	enum found found;
	int flags;

	/* only ADD knows these: a master inside the pod, or of the plugin before us */
	if (conf->link_in_container || (!conf->master && !conf->ipam && !conf->internal))
		return 0;
	if (!conf->internal && master_find(nl, conf->master, &master, err) < 0)
		return -1;
	if (conf->vlan || conf->internal) {
		if (master_name(conf, master.name, network, made, err) < 0)
			return -1;
		found = link_find(nl, made, &master, err);
		if (found != FOUND) /* ADD will make it */
			return (int)found;
	}
	if (master_usable(nl, &master, err) < 0)
		return -1;
	if (master_check_mtu(&master, conf->mtu, err) < 0)
		return -1;
	return guard_admit(nl, &master, conf, &flags, err);
}

static int ready(const struct request *req, const struct conf *conf, struct cni_error *err)
{
	struct rtnl nl;
	const char *nft;
	int rc;

	if (conf->ip_masq && nft_require(&nft, err) < 0)
		return -1;
	if (rtnl_open(&nl, -1, err) < 0)
		return -1;
	rc = check_kernel(&nl, err);
	if (rc == 0)
		rc = check_master(&nl, conf, req->name, err);
	rtnl_close(&nl);
	if (rc == 0 && conf->ipam)
		rc = delegate_run(req, conf->ipam, "STATUS", err);
	return rc;
}

/* SPEC, STATUS: 50 when an ADD would fail now. */
int verb_status(const struct request *req, struct cni_error *err)
{
	struct conf conf;
	int rc;

	if (conf_read(&conf, req, err) < 0)
		return -1;
	rc = ready(req, &conf, err);
	if (rc < 0 && err->code != CNI_LIMITED)
		err->code = CNI_UNAVAILABLE;
	conf_free(&conf);
	return rc;
}
