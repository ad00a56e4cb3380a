/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/master.h"

#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "cni/attachment.h"
#include "net/addr.h"

#define MTU_MIN 68 /* ETH_MIN_MTU */

struct names {
	char text[512];
	size_t used;
};

static void master_add_name(const struct link *link, void *arg)
{
	struct names *names = arg;

	if (names->used < sizeof(names->text))
		names->used += (size_t)snprintf(names->text + names->used, sizeof(names->text) - names->used,
						"%s%s", names->used ? ", " : "", link->name);
}

static int master_not_found(struct rtnl *nl, const char *name, struct cni_error *err)
{
	struct names names = { .used = 0 };

	cni_fail(err, CNI_CONFIG, "failed to lookup master \"%s\": Link not found", name);
	link_each(nl, master_add_name, &names, NULL);
	return cni_hint(err, "links in that namespace: %s", names.text);
}

struct choice {
	int link;
	unsigned int priority;
};

static void master_prefer(const struct route_seen *route, void *arg)
{
	struct choice *best = arg;

	if (route->dst.len || route->type != RTN_UNICAST || route->link <= 0)
		return;
	if (best->link && best->priority <= route->priority)
		return;
	best->link = route->link;
	best->priority = route->priority;
}

static int master_find_default(struct rtnl *nl, struct link *ret, struct cni_error *err)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < 2; i++) {
		struct choice best = { 0 };
		enum found found;

		if (route_each(nl, families[i], RT_TABLE_MAIN, master_prefer, &best, err) < 0)
			return -1;
		if (!best.link)
			continue;
		found = link_find_index(nl, best.link, ret, err);
		if (found != FOUND_NOT)
			return found == FOUND ? 0 : -1;
	}
	cni_fail(err, CNI_CONFIG, "no default route interface found");
	return cni_hint(err, "the configuration names no master, and this namespace has no default route "
			     "to take it from: set the key \"master\"");
}

int master_find(struct rtnl *nl, const char *name, struct link *ret, struct cni_error *err)
{
	if (!rtnl_strict(nl)) {
		cni_fail(err, CNI_CONFIG, "this kernel is older than Linux 4.20");
		return cni_hint(err,
				"nothing was changed; README lists the kernels that ipvlan-cni supports");
	}
	if (!name)
		return master_find_default(nl, ret, err);
	switch (link_find(nl, name, ret, err)) {
	case FOUND:
		return 0;
	case FOUND_NOT:
		return master_not_found(nl, name, err);
	default:
		return -1;
	}
}

static bool master_is_kind(const struct link *link, const char *kind)
{
	return !strcmp(link->kind, kind);
}

int master_check_type(const struct link *master, struct cni_error *err)
{
	if (!(master->flags & IFF_LOOPBACK) && master->type == ARPHRD_ETHER)
		return 0;
	cni_fail(err, CNI_CONFIG, "master \"%s\" cannot carry ipvlan", master->name);
	return cni_hint(err, "ipvlan needs an Ethernet interface that is not lo");
}

int master_usable(struct rtnl *nl, const struct link *master, struct cni_error *err)
{
	struct link holder = { .index = 0 };

	if (master_check_type(master, err) < 0)
		return -1;
	if (master->holder && link_find_index(nl, master->holder, &holder, err) == FOUND &&
	    !master_is_kind(&holder, "vrf")) {
		cni_fail(err, CNI_CONFIG, "master \"%s\" is a port of \"%s\"", master->name, holder.name);
		return cni_hint(
			err,
			"the %s \"%s\" takes every packet of %s; use it as the master, or take %s out of it",
			*holder.kind ? holder.kind : "device", holder.name, master->name, master->name);
	}
	return 0;
}

int master_check_mtu(const struct link *master, unsigned int mtu, struct cni_error *err)
{
	if (!mtu || (mtu >= MTU_MIN && mtu <= master->mtu))
		return 0;
	cni_fail(err, CNI_CONFIG, "invalid MTU %u, must be [%d, master MTU(%u)]", mtu, MTU_MIN, master->mtu);
	return cni_hint(err, "\"%s\" would drop larger packets without an error", master->name);
}

/* The name of the master that ADD makes. */
static int master_name(const struct conf *conf, const char *parent, const char *network, char ret[IFNAMSIZ],
		       struct cni_error *err)
{
	int len = conf->internal
			  ? snprintf(ret, IFNAMSIZ, "ipvd%08x", (unsigned int)attachment_hash(network, ""))
			  : snprintf(ret, IFNAMSIZ, "%s.%u", parent, conf->vlan);

	if (len < IFNAMSIZ)
		return 0;
	cni_fail(err, CNI_CONFIG, "vlan: \"%s.%u\" is too long for an interface", parent, conf->vlan);
	return cni_hint(err,
			"make the VLAN yourself, with a name of at most %d characters, and set \"master\" to "
			"that name",
			IFNAMSIZ - 1);
}

struct vlan_search {
	int parent;
	unsigned int id;
	struct link found;
};

static bool master_is_vlan(const struct link *link, int parent, unsigned int id)
{
	return master_is_kind(link, "vlan") && link->parent == parent && !link->parent_elsewhere &&
	       link->vlan == id;
}

static void master_match_vlan(const struct link *link, void *arg)
{
	struct vlan_search *search = arg;

	if (master_is_vlan(link, search->parent, search->id))
		search->found = *link;
}

enum found master_find_vlan(struct rtnl *nl, int parent, unsigned int id, struct link *ret,
			    struct cni_error *err)
{
	struct vlan_search search = { .parent = parent, .id = id };

	if (link_each(nl, master_match_vlan, &search, err) < 0)
		return FOUND_FAILED;
	*ret = search.found;
	return search.found.index ? FOUND : FOUND_NOT;
}

/* What the link is like that ADD makes: up, and with the parent's MTU or, of a dummy, any. */
static struct link master_unmade(const struct conf *conf, const struct link *parent, const char *name)
{
	const unsigned int up = IFF_UP | IFF_RUNNING;
	struct link link = {
		.type = ARPHRD_ETHER,
		.flags = conf->internal ? up : parent->flags & up,
		.mtu = conf->internal ? MTU_MAX : parent->mtu,
	};

	snprintf(link.name, sizeof(link.name), "%s", name);
	return link;
}

enum found master_made(struct rtnl *nl, const struct conf *conf, const struct link *parent,
		       const char *network, struct link *ret, struct cni_error *err)
{
	struct cni_error unnamed = { 0 };
	char name[IFNAMSIZ] = "";
	enum found found = FOUND_NOT;

	if (master_name(conf, parent->name, network, name, &unnamed) == 0)
		found = link_find(nl, name, ret, err);
	if (found == FOUND &&
	    (conf->internal ? master_is_kind(ret, "dummy") : master_is_vlan(ret, parent->index, conf->vlan)))
		return FOUND;
	if (found != FOUND_FAILED && conf->vlan)
		found = master_find_vlan(nl, parent->index, conf->vlan, ret, err);
	if (found == FOUND_FAILED || (found == FOUND && conf->vlan))
		return found;
	*ret = master_unmade(conf, parent, name);
	if (!*unnamed.msg)
		return FOUND_NOT;
	return (enum found)cni_fail_as(err, &unnamed);
}

int master_must_be_up(const struct link *master, const char *key, struct cni_error *err)
{
	if (master->flags & IFF_UP)
		return 0;
	cni_fail(err, CNI_RETRY, "master \"%s\" is down", master->name);
	return cni_hint(err, "%s needs it up: ip link set %s up", key, master->name);
}

/* A key of conf that works only while the master is up; NULL: there is none. */
static const char *master_key_of_up(const struct conf *conf)
{
	if (conf->host_routes.n_routes)
		return "hostRoutes";
	if (conf->host_access && conf->mode == IPVLAN_MODE_L2)
		return "hostAccess";
	if (conf->n_reflectors && conf->mode != IPVLAN_MODE_L2)
		return "reflector";
	return conf->conflict_check ? "conflictCheck" : NULL;
}

int master_check_up(const struct link *master, const struct conf *conf, struct cni_error *err)
{
	const char *key = master_key_of_up(conf);

	return key ? master_must_be_up(master, key, err) : 0;
}

int master_check_carrier(const struct link *master, const struct conf *conf, struct cni_error *err)
{
	if (!conf->dad || conf->mode != IPVLAN_MODE_L2)
		return 0;
	if (master_must_be_up(master, "dad", err) < 0)
		return -1;
	if (master->flags & IFF_RUNNING)
		return 0;
	cni_fail(err, CNI_RETRY, "master \"%s\" has no carrier", master->name);
	return cni_hint(err, "dad requires a carrier: without it no host on the link can answer");
}

/* A key of conf that makes routes in the host's main table; NULL: there is none. */
static const char *master_key_of_routes(const struct conf *conf)
{
	if (conf->host_access)
		return "hostAccess";
	if (conf->proxy_arp)
		return "proxyArp";
	if (conf->host_routes.n_routes)
		return "hostRoutes";
	return conf->n_reflectors && conf->mode != IPVLAN_MODE_L2 ? "reflector" : NULL;
}

int master_check_vrf(struct rtnl *nl, const struct link *master, const struct conf *conf,
		     struct cni_error *err)
{
	const char *key = master_key_of_routes(conf);
	struct link holder;
	enum found found;

	if (!key || !master->holder)
		return 0;
	found = link_find_index(nl, master->holder, &holder, err);
	if (found != FOUND || !master_is_kind(&holder, "vrf"))
		return found == FOUND_FAILED ? -1 : 0;
	cni_fail(err, CNI_CONFIG, "%s does not work where master \"%s\" is a port of the VRF \"%s\"", key,
		 master->name, holder.name);
	return cni_hint(err,
			"its routes are in the main table, which the VRF does not use; leave %s out, or take "
			"%s out of %s",
			key, master->name, holder.name);
}
