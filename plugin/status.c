/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cni/json.h"
#include "net/netns.h"
#include "plugin/conf.h"
#include "plugin/delegate.h"
#include "plugin/fence.h"
#include "plugin/guard.h"
#include "plugin/host.h"
#include "plugin/kinds.h"
#include "plugin/ledger.h"
#include "plugin/master.h"
#include "plugin/reach.h"
#include "plugin/verbs.h"

static bool status_is(const json_t *obj, const char *key, bool v6)
{
	const char *text = json_string_value(json_field(obj, key));

	return text && !strchr(text, ':') == !v6;
}

/* Reads the ranges and addresses of host-local, addrpool and static. */
static bool status_gives(const json_t *ipam, bool v6)
{
	const json_t *set, *entry;
	size_t i, k;

	json_array_foreach(json_field(ipam, "ranges"), i, set)
		json_array_foreach(set, k, entry)
			if (status_is(entry, "subnet", v6))
				return true;
	json_array_foreach(json_field(ipam, "addresses"), i, entry)
		if (status_is(entry, "address", v6))
			return true;
	return status_is(ipam, "subnet", v6);
}

/* Of another plugin, such as dhcp, IPv4 is assumed. */
static struct families status_families(const json_t *ipam)
{
	const bool v6 = status_gives(ipam, true);

	return (struct families){ .v4 = !v6 || status_gives(ipam, false), .v6 = v6 };
}

/* Pods of an internal network get no default route. */
static bool status_routes_ipv6(const json_t *ipam, const struct conf *conf)
{
	const json_t *route;
	size_t i;

	json_array_foreach(json_field(ipam, "routes"), i, route)
		if (status_is(route, "dst", true) &&
		    !(conf->internal && !strcmp(json_string_value(json_field(route, "dst")), "::/0")))
			return true;
	return false;
}

static int status_check_ipv6(const json_t *ipam, const struct conf *conf, const struct families *pods,
			     struct cni_error *err)
{
	if ((!pods->v6 && !status_routes_ipv6(ipam, conf)) || netns_has_ipv6())
		return 0;
	return host_lacks_ipv6("ipam", err);
}

static int status_check_kernel(struct rtnl *nl, struct cni_error *err)
{
	enum found found = link_kind_known(nl, "ipvlan", err);

	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	cni_fail(err, CNI_UNAVAILABLE, "this kernel has no ipvlan");
	return cni_hint(err, "load the module (modprobe ipvlan) or use a kernel with CONFIG_IPVLAN");
}

/* Would ADD fail to make the master? A VLAN in another namespace prevents ours, for instance. */
static int status_check_unmade(struct rtnl *nl, const struct conf *conf, const struct link *parent,
			       const struct link *made, struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct view view;
	const struct object object = conf->internal ? object_dummy(made->name, conf->mtu)
						    : object_vlan(parent->index, conf->vlan, made->name);
	int rc;

	if (!conf->internal &&
	    (master_check_type(parent, err) < 0 || master_must_be_up(parent, "vlan", err) < 0))
		return -1;
	view_open(&view, nl);
	rc = object_check(&view, &object, &why);
	view_close(&view);
	if (rc == 0 || (!conf->internal && guard_check_vlan(parent, conf->vlan, err) < 0))
		return rc;
	*err = why;
	return -1;
}

/* Finds the master, or what it will be like if ADD would make it: ret->index is 0 then. */
static int status_find_master(struct link *ret, struct link *parent, struct rtnl *nl, const struct conf *conf,
			      const char *network, struct cni_error *err)
{
	*parent = (struct link){ .index = 0 };
	if (!conf->internal && master_find(nl, conf->master, parent, err) < 0)
		return -1;
	*ret = *parent;
	if (!conf->vlan && !conf->internal)
		return 0;
	return master_made(nl, conf, parent, network, ret, err) == FOUND_FAILED ? -1 : 0;
}

#define LOOPBACK_INDEX 1

/* What other interfaces on the master prevent, and a kernel without the filters. A new master has no other
 * interfaces. */
static int status_check_slaves(struct rtnl *nl, const struct conf *conf, const struct link *master,
			       const struct link *parent, struct cni_error *err)
{
	const int like = parent->index ? parent->index : LOOPBACK_INDEX;

	if (!master->index)
		return fence_key(conf) ? fence_check_kernel(nl, like, conf, err) : 0;
	/* runtimes call STATUS every few seconds: it reads only mounted namespaces */
	if (guard_check(nl, master, conf, alive_read_mounted, err) < 0)
		return -1;
	return fence_check(nl, conf, master->index, err);
}

static int status_check_master(struct rtnl *nl, const struct conf *conf, const char *network,
			       const struct families *pods, struct cni_error *err)
{
	struct link master, parent;
	int rc;

	/* only ADD knows a master inside the pod, or one of prevResult */
	if (conf->link_in_container || (!conf->master && !conf->ipam && !conf->internal))
		return 0;
	if (status_find_master(&master, &parent, nl, conf, network, err) < 0)
		return -1;
	rc = master.index ? master_usable(nl, &master, err)
			  : status_check_unmade(nl, conf, &parent, &master, err);
	if (rc < 0 || master_check_mtu(&master, conf->mtu, err) < 0 ||
	    master_check_up(&master, conf, err) < 0 ||
	    (pods->v6 && master_check_carrier(&master, conf, err) < 0) ||
	    master_check_vrf(nl, &master, conf, err) < 0)
		return -1;
	if (status_check_slaves(nl, conf, &master, &parent, err) < 0)
		return -1;
	return reach_check(nl, conf, &master, pods, err);
}

static int status_ready(const struct request *req, const struct conf *conf, struct cni_error *err)
{
	const json_t *ipam = json_field(req->conf, "ipam");
	const struct families pods = status_families(ipam);
	struct rtnl nl;
	int rc;

	if (host_check_machine(conf, err) < 0 || status_check_ipv6(ipam, conf, &pods, err) < 0)
		return -1;
	if (rtnl_open(&nl, -1, err) < 0)
		return -1;
	rc = status_check_kernel(&nl, err);
	if (rc == 0)
		rc = ledger_check(&nl, err);
	if (rc == 0)
		rc = status_check_master(&nl, conf, req->name, &pods, err);
	rtnl_close(&nl);
	if (rc == 0 && conf->ipam)
		rc = delegate_run(req, conf->ipam, "STATUS", err);
	return rc;
}

/* SPEC, STATUS: error 50 if an ADD would fail now. */
int verb_status(const struct request *req, struct cni_error *err)
{
	struct conf conf;
	int rc;

	if (conf_read(&conf, req, err) < 0)
		return -1;
	rc = status_ready(req, &conf, err);
	if (rc < 0 && err->code != CNI_LIMITED)
		err->code = CNI_UNAVAILABLE;
	conf_free(&conf);
	return rc;
}
