#include "plugin/host.h"

#include "plugin/guard.h"
#include "plugin/kinds.h"
#include "plugin/ledger.h"
#include "plugin/master.h"

/* The master that is made when it is missing. */
static int make_master(struct iface *iface, const struct conf *conf, struct ledger *ledger,
		       struct cni_error *err)
{
	struct object object = { .kind = conf->internal ? OBJECT_DUMMY : OBJECT_VLAN, .mtu = conf->mtu };

	if (!conf->vlan && !conf->internal)
		return 0;
	object.dev = iface->master.index;
	object.id = conf->vlan;
	if (master_name(conf, iface->master.name, iface->req->name, object.name, err) < 0 ||
	    ledger_hold(ledger, iface->req, &object, err) < 0)
		return -1;
	return master_find(iface->home, object.name, &iface->master, err);
}

static int make_slave(struct iface *iface, const struct conf *conf, struct ledger *ledger,
		      struct cni_error *err)
{
	struct object anchor;
	int flags;

	if (make_master(iface, conf, ledger, err) < 0 ||
	    master_check_mtu(&iface->master, conf->mtu, err) < 0 ||
	    guard_admit(iface->home, &iface->master, conf, &flags, err) < 0 ||
	    iface_create(iface, conf, flags, err) < 0)
		return -1;
	if (!ledger)
		return 0;
	anchor = guard_anchor(&iface->master, conf);
	if (ledger_hold(ledger, iface->req, &anchor, err) == 0)
		return 0;
	iface_delete(iface->req, iface->netns, NULL);
	return -1;
}

int host_attach(struct iface *iface, const struct conf *conf, struct cni_error *err)
{
	struct ledger ledger;
	const char *nft;
	int rc;

	/* later it would be missing for the undoing, too */
	if ((conf->ip_masq && nft_require(&nft, err) < 0) || iface_prepare(iface, conf, err) < 0)
		return -1;
	if (conf->link_in_container) /* the master is the pod's own affair */
		return make_slave(iface, conf, NULL, err);
	if (ledger_open(&ledger, &iface->host, true, err) != FOUND)
		return -1;
	rc = make_slave(iface, conf, &ledger, err);
	if (rc < 0)
		ledger_release(&ledger, iface->req, NULL);
	ledger_close(&ledger);
	return rc;
}

int host_detach(const struct request *req, struct cni_error *err)
{
	struct ledger ledger;
	struct rtnl host;
	enum found found;
	int rc;

	if (rtnl_open(&host, -1, err) < 0)
		return -1;
	found = ledger_open(&ledger, &host, false, err);
	rc = found == FOUND ? ledger_release(&ledger, req, err) : (int)found;
	if (found == FOUND)
		ledger_close(&ledger);
	rtnl_close(&host);
	return rc;
}

static int collect(const struct request *req, const struct valid *valid, struct cni_error *err)
{
	struct ledger ledger;
	struct rtnl host;
	enum found found;
	int rc;

	if (rtnl_open(&host, -1, err) < 0)
		return -1;
	found = ledger_open(&ledger, &host, false, err);
	rc = found == FOUND ? ledger_collect(&ledger, req, valid, err) : (int)found;
	if (found == FOUND)
		ledger_close(&ledger);
	rtnl_close(&host);
	return rc;
}

int host_collect(const struct request *req, struct cni_error *err)
{
	struct valid valid;
	enum found found = valid_read(&valid, req, err);
	int rc;

	if (found != FOUND)
		return (int)found;
	rc = collect(req, &valid, err);
	valid_free(&valid);
	return rc;
}

int host_verify(struct iface *iface, struct cni_error *err)
{
	struct ledger ledger;
	enum found found = ledger_open(&ledger, &iface->host, false, err);
	int rc;

	if (found != FOUND)
		return (int)found;
	rc = ledger_verify(&ledger, iface->req, err);
	ledger_close(&ledger);
	return rc;
}
