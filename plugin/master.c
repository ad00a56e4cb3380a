#include "plugin/master.h"

#include <linux/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "cni/attachment.h"
#include "net/addr.h"

#define MTU_MIN 68 /* ETH_MIN_MTU */

struct names {
	char text[512];
	size_t used;
};

static void add_name(const struct link *link, void *arg)
{
	struct names *names = arg;

	if (names->used < sizeof(names->text))
		names->used += (size_t)snprintf(names->text + names->used, sizeof(names->text) - names->used,
						"%s%s", names->used ? ", " : "", link->name);
}

static int not_found(struct rtnl *nl, const char *name, struct cni_error *err)
{
	struct names names = { .used = 0 };

	cni_fail(err, CNI_CONFIG, "failed to lookup master \"%s\": Link not found", name);
	link_each(nl, add_name, &names, NULL);
	return cni_hint(err, "links in that namespace: %s", names.text);
}

struct choice {
	int link;
	unsigned int priority;
};

static void prefer(const struct route_seen *route, void *arg)
{
	struct choice *best = arg;

	if (route->dst.len || route->type != RTN_UNICAST || route->link <= 0)
		return;
	if (best->link && best->priority <= route->priority)
		return;
	best->link = route->link;
	best->priority = route->priority;
}

static int find_default(struct rtnl *nl, struct link *ret, struct cni_error *err)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < 2; i++) {
		struct choice best = { 0 };
		enum found found;

		if (route_each(nl, families[i], RT_TABLE_MAIN, prefer, &best, err) < 0)
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
	if (!name)
		return find_default(nl, ret, err);
	switch (link_find(nl, name, ret, err)) {
	case FOUND:
		return 0;
	case FOUND_NOT:
		return not_found(nl, name, err);
	default:
		return -1;
	}
}

static bool is_kind(const struct link *link, const char *kind)
{
	return !strcmp(link->kind, kind);
}

struct child_search {
	int parent;
	struct link found;
};

static void find_macvlan(const struct link *link, void *arg)
{
	struct child_search *search = arg;

	if (!search->found.index && link->parent == search->parent && !link->parent_elsewhere &&
	    (is_kind(link, "macvlan") || is_kind(link, "macvtap")))
		search->found = *link;
}

int master_usable(struct rtnl *nl, const struct link *master, struct cni_error *err)
{
	struct child_search search = { .parent = master->index };
	struct link holder = { .index = 0 };

	if (master->flags & IFF_LOOPBACK || master->type != ARPHRD_ETHER) {
		cni_fail(err, CNI_CONFIG, "master \"%s\" cannot carry ipvlan", master->name);
		return cni_hint(err, "ipvlan needs an Ethernet interface that is not lo");
	}
	if (master->holder && link_find_index(nl, master->holder, &holder, err) == FOUND &&
	    !is_kind(&holder, "vrf")) {
		cni_fail(err, CNI_CONFIG, "master \"%s\" is a port of \"%s\"", master->name, holder.name);
		return cni_hint(
			err,
			"the %s \"%s\" takes every packet of %s; use it as the master, or take %s out of it",
			*holder.kind ? holder.kind : "device", holder.name, master->name, master->name);
	}
	if (link_each(nl, find_macvlan, &search, err) < 0)
		return -1;
	if (search.found.index) {
		cni_fail(err, CNI_CONFIG, "master \"%s\" carries the %s interface \"%s\"", master->name,
			 search.found.kind, search.found.name);
		return cni_hint(
			err, "macvlan and ipvlan cannot share a master; delete \"%s\" or use another master",
			search.found.name);
	}
	return 0;
}

int master_check_mtu(const struct link *master, unsigned int mtu, struct cni_error *err)
{
	if (!mtu || (mtu >= MTU_MIN && mtu <= master->mtu))
		return 0;
	cni_fail(err, CNI_CONFIG, "invalid MTU %u, must be [%d, master MTU(%u)]", mtu, MTU_MIN, master->mtu);
	return cni_hint(err, "what is larger than the MTU of \"%s\" would be lost without a trace",
			master->name);
}

int master_name(const struct conf *conf, const char *parent, const char *network, char ret[IFNAMSIZ],
		struct cni_error *err)
{
	int len = conf->internal
			  ? snprintf(ret, IFNAMSIZ, "ipvd%08x", (unsigned int)attachment_hash(network, ""))
			  : snprintf(ret, IFNAMSIZ, "%s.%u", parent, conf->vlan);

	if (len < IFNAMSIZ)
		return 0;
	cni_fail(err, CNI_CONFIG, "vlan: \"%s.%u\" is too long for an interface", parent, conf->vlan);
	return cni_hint(err,
			"make the VLAN yourself, under a name of at most %d characters, and give that as "
			"the master",
			IFNAMSIZ - 1);
}
