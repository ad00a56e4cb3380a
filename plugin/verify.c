#include <string.h>

#include "net/addr.h"
#include "plugin/iface.h"
#include "plugin/master.h"

/* prevResult's entry for the interface, or -1. */
static long long find_in_prev(const struct iface *iface, const struct result *prev, struct cni_error *err)
{
	for (size_t i = 0; i < prev->n_interfaces; i++) {
		const struct cni_interface *entry = &prev->interfaces[i];

		if (!strcmp(entry->name, iface->req->ifname) && entry->sandbox &&
		    !strcmp(entry->sandbox, iface->req->netns))
			return (long long)i;
	}
	cni_fail(err, CNI_DAMAGED, "Sandbox in prevResult doesn't match configured netns: %s",
		 iface->req->netns);
	return cni_hint(err, "prevResult lists no interface \"%s\" in that namespace", iface->req->ifname);
}

/* An ipvlan slave of a slave sits on the master's own master. */
static int parent_of(const struct link *master)
{
	return !strcmp(master->kind, "ipvlan") ? master->parent : master->index;
}

static int verify_master(struct iface *iface, const struct conf *conf, struct cni_error *err)
{
	const char *name = conf->master;
	char made[IFNAMSIZ];
	struct link master;

	if (!name && !conf->internal)
		return 0; /* the default route may have moved since ADD */
	if (conf->vlan || conf->internal) {
		if (master_name(conf, name, iface->req->name, made, err) < 0)
			return -1;
		name = made;
	}
	if (master_find(iface->home, name, &master, err) < 0)
		return -1;
	if (iface->link.parent == parent_of(&master))
		return 0;
	return cni_fail(err, CNI_DAMAGED, "Container interface %s is not on master %s", iface->req->ifname,
			name);
}

static int verify_link(struct iface *iface, const struct conf *conf, const struct cni_interface *expected,
		       struct cni_error *err)
{
	const char *ifname = iface->req->ifname;
	struct link *link = &iface->link;

	switch (link_find(&iface->pod, ifname, link, err)) {
	case FOUND_NOT:
		return cni_fail(err, CNI_DAMAGED, "Container Interface name in prevResult: %s not found",
				ifname);
	case FOUND_FAILED:
		return -1;
	default:
		break;
	}
	if (strcmp(link->kind, "ipvlan") != 0)
		return cni_fail(err, CNI_DAMAGED, "Error: Container interface %s not of type ipvlan", ifname);
	if (link->ipvlan_mode != conf->mode) {
		cni_fail(err, CNI_DAMAGED, "Container IPVlan mode %s does not match expected value: %s",
			 ipvlan_mode_text(link->ipvlan_mode), ipvlan_mode_text(conf->mode));
		return cni_hint(err,
				"all ipvlan interfaces of a master share its mode; another one changed it");
	}
	if (conf->flags >= 0 && link->ipvlan_flags != conf->flags) {
		cni_fail(err, CNI_DAMAGED, "Container IPVlan flag %s does not match expected value: %s",
			 ipvlan_flags_text(link->ipvlan_flags), ipvlan_flags_text((uint16_t)conf->flags));
		return cni_hint(err,
				"all ipvlan interfaces of a master share its flag; another one changed it");
	}
	if (expected->mac && *expected->mac && strcasecmp(expected->mac, link->mac) != 0)
		return cni_fail(err, CNI_DAMAGED, "Interface %s Mac %s doesn't match container Mac: %s",
				ifname, expected->mac, link->mac);
	if (conf->mtu && link->mtu != conf->mtu) {
		cni_fail(err, CNI_DAMAGED, "Interface %s has MTU %u, not %u", ifname, link->mtu, conf->mtu);
		return cni_hint(err, "changing the master's MTU changes that of all its ipvlan interfaces");
	}
	if (!(link->flags & IFF_UP))
		return cni_fail(err, CNI_DAMAGED, "Interface %s is down", ifname);
	return verify_master(iface, conf, err);
}

struct search {
	struct prefix dst;
	const struct cni_route *wanted;
	bool found;
};

static void match_route(const struct route_seen *seen, void *arg)
{
	struct search *search = arg;
	const struct cni_route *wanted = search->wanted;

	if (!prefix_equal(&seen->dst, &search->dst))
		return;
	/* what a later plugin of the chain may have done to a default route is its own affair */
	if (seen->dst.len && wanted->gw.family && !ip_is_any(&wanted->gw) &&
	    !ip_equal(&seen->gw, &wanted->gw))
		return;
	if (wanted->priority && seen->priority != wanted->priority)
		return;
	search->found = true;
}

/* Is there a way to wanted, in whatever table? */
static enum found find_route(struct iface *iface, const struct cni_route *wanted, struct cni_error *err)
{
	struct search search = { prefix_network(&wanted->dst), wanted, false };

	if (route_each(&iface->pod, wanted->dst.ip.family, 0, match_route, &search, err) < 0)
		return FOUND_FAILED;
	return search.found ? FOUND : FOUND_NOT;
}

static int verify_address(struct iface *iface, const struct prefix *address, struct cni_error *err)
{
	const struct cni_route subnet = { .dst = *address };
	enum found found = addr_find(&iface->pod, iface->link.index, address, NULL, err);

	if (found == FOUND_NOT)
		return cni_fail(err, CNI_DAMAGED, "Failed to match addr %s on interface %s",
				prefix_text(address).s, iface->req->ifname);
	/* the kernel adds a route to the subnet with the address, if there is a subnet */
	if (found == FOUND && address->len < 8 * ip_size(&address->ip))
		found = find_route(iface, &subnet, err);
	if (found == FOUND_NOT)
		return cni_fail(err, CNI_DAMAGED,
				"Expected Route to the subnet of %s not found in routing table",
				prefix_text(address).s);
	return found == FOUND ? 0 : -1;
}

static int verify_addresses(struct iface *iface, const struct result *prev, long long own,
			    struct cni_error *err)
{
	for (size_t i = 0; i < prev->n_ips; i++) {
		const struct cni_ip *ip = &prev->ips[i];

		if ((ip->interface == own || ip->interface == -1) &&
		    verify_address(iface, &ip->address, err) < 0)
			return -1;
	}
	return 0;
}

static int verify_routes(struct iface *iface, const struct result *prev, struct cni_error *err)
{
	for (size_t i = 0; i < prev->n_routes; i++) {
		const struct cni_route *route = &prev->routes[i];
		enum found found = find_route(iface, route, err);

		if (found == FOUND_NOT)
			cni_fail(err, CNI_DAMAGED, "Expected Route %s%s%s not found in routing table",
				 prefix_text(&route->dst).s, route->gw.family ? " via " : "",
				 ip_text(&route->gw).s);
		if (found != FOUND)
			return -1;
	}
	return 0;
}

int iface_verify(struct iface *iface, const struct conf *conf, struct cni_error *err)
{
	long long own = find_in_prev(iface, &conf->prev, err);

	if (own < 0 || verify_link(iface, conf, &conf->prev.interfaces[own], err) < 0 ||
	    verify_addresses(iface, &conf->prev, own, err) < 0)
		return -1;
	return verify_routes(iface, &conf->prev, err);
}
