/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cni/json.h"
#include "net/addr.h"
#include "plugin/iface.h"
#include "plugin/master.h"

/* The index of the interface in prevResult, or -1. */
static long long verify_find_in_prev(const struct iface *iface, const struct result *prev,
				     struct cni_error *err)
{
	for (size_t i = 0; i < prev->n_interfaces; i++) {
		const struct cni_interface *entry = &prev->interfaces[i];

		if (json_text_is(entry->name, iface->req->ifname) && entry->sandbox &&
		    json_text_is(entry->sandbox, iface->req->netns))
			return (long long)i;
	}
	cni_fail(err, CNI_DAMAGED, "Sandbox in prevResult doesn't match configured netns: %s",
		 iface->req->netns);
	return cni_hint(err, "prevResult lists no interface \"%s\" in that namespace", iface->req->ifname);
}

/* The kernel makes an ipvlan slave of a slave on the master of that slave. */
static int verify_parent_of(const struct link *master)
{
	return link_is_ipvlan(master) ? master->parent : master->index;
}

/* *ret: the parent, and after the call the master that ADD has made. */
static int verify_find_made(struct iface *iface, const struct conf *conf, struct link *ret,
			    struct cni_error *err)
{
	const struct link parent = *ret;
	enum found found = master_made(iface->home, conf, &parent, iface->req->name, ret, err);
	char name[IFNAMSIZ];

	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	memcpy(name, ret->name, sizeof(name));
	return master_find(iface->home, name, ret, err);
}

/* Without the key "master" it is the link of the interface: the default route may have changed
 * since ADD. */
static int verify_find_master(struct iface *iface, const struct conf *conf, struct link *ret,
			      struct cni_error *err)
{
	if (!conf->master && !conf->internal)
		return link_find_index(iface->home, iface->link.parent, ret, err) == FOUND_FAILED ? -1 : 0;
	if (!conf->internal && master_find(iface->home, conf->master, ret, err) < 0)
		return -1;
	if ((conf->vlan || conf->internal) && verify_find_made(iface, conf, ret, err) < 0)
		return -1;
	if (iface->link.parent == verify_parent_of(ret))
		return 0;
	return cni_fail(err, CNI_DAMAGED, "Container interface %s is not on master %s", iface->req->ifname,
			ret->name);
}

/* The kernel keeps the MAC address of an ipvlan interface equal to that of its master. */
static int verify_mac(const struct link *link, const struct link *master, struct cni_error *err)
{
	if (!*master->mac || !strcasecmp(master->mac, link->mac))
		return 0;
	return cni_fail(err, CNI_DAMAGED, "Interface %s has MAC address %s, its master %s has %s", link->name,
			link->mac, master->name, master->mac);
}

/* The MTU of an interface cannot be larger than that of its master. */
static int verify_mtu(const struct link *link, const struct link *master, unsigned int wanted,
		      struct cni_error *err)
{
	const unsigned int mtu = master->mtu && master->mtu < wanted ? master->mtu : wanted;

	if (!wanted || link->mtu == mtu)
		return 0;
	cni_fail(err, CNI_DAMAGED, "Interface %s has MTU %u, not %u", link->name, link->mtu, mtu);
	return cni_hint(err, "changing the master's MTU changes that of all its ipvlan interfaces");
}

static int verify_master(struct iface *iface, const struct conf *conf, struct cni_error *err)
{
	struct link master = { .index = 0 };

	if (verify_find_master(iface, conf, &master, err) < 0)
		return -1;
	return verify_mac(&iface->link, &master, err) < 0 ? -1
							  : verify_mtu(&iface->link, &master, conf->mtu, err);
}

static int verify_link(struct iface *iface, const struct conf *conf, struct cni_error *err)
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
	if (!(link->flags & IFF_UP))
		return cni_fail(err, CNI_DAMAGED, "Interface %s is down", ifname);
	return verify_master(iface, conf, err);
}

/* The kernel's routes and addresses, each list read once, sorted for a quick search. */
struct seen {
	int link;
	bool any_link; /* a route may belong to another interface of the result */
	struct route_seen *routes;
	struct prefix *addresses; /* of the link */
	size_t n_routes, n_addresses;
	bool cut; /* out of memory: the lists are not complete */
};

/* Makes room for one more entry after n. The room is doubled when n is a power of two. NULL: out of
 * memory. */
static void *verify_one_more(struct seen *seen, void *list, size_t n, size_t size)
{
	void *larger = n & (n - 1) ? list : realloc(list, (n ? 2 * n : 1) * size);

	seen->cut |= !larger;
	return larger;
}

static void verify_keep_route(const struct route_seen *route, void *arg)
{
	struct seen *seen = arg;
	struct route_seen *list = verify_one_more(seen, seen->routes, seen->n_routes, sizeof(*list));

	if (!list)
		return;
	list[seen->n_routes++] = *route;
	seen->routes = list;
}

static void verify_keep_address(const struct addr_seen *address, void *arg)
{
	struct seen *seen = arg;
	struct prefix *list;

	if (address->link != seen->link)
		return;
	list = verify_one_more(seen, seen->addresses, seen->n_addresses, sizeof(*list));
	if (!list)
		return;
	list[seen->n_addresses++] = address->address;
	seen->addresses = list;
}

static int verify_by_prefix(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static int verify_by_destination(const void *a, const void *b)
{
	const struct route_seen *x = a, *y = b;
	const struct prefix via_x = { .ip = x->gw }, via_y = { .ip = y->gw };
	int order = prefix_compare(&x->dst, &y->dst);

	return order ? order : prefix_compare(&via_x, &via_y);
}

static bool verify_mentions(const struct result *prev, int family)
{
	for (size_t i = 0; i < prev->n_ips; i++)
		if (prev->ips[i].address.ip.family == family)
			return true;
	for (size_t i = 0; i < prev->n_routes; i++)
		if (prev->routes[i].dst.ip.family == family)
			return true;
	return false;
}

static int verify_look(struct seen *seen, struct rtnl *pod, const struct result *prev, struct cni_error *err)
{
	static const int families[] = { AF_INET, AF_INET6 };

	if (addr_each(pod, verify_keep_address, seen, err) < 0)
		return -1;
	for (size_t i = 0; i < 2; i++)
		if (verify_mentions(prev, families[i]) &&
		    route_each(pod, families[i], 0, verify_keep_route, seen, err) < 0)
			return -1;
	if (seen->cut)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (seen->n_addresses)
		qsort(seen->addresses, seen->n_addresses, sizeof(*seen->addresses), verify_by_prefix);
	if (seen->n_routes)
		qsort(seen->routes, seen->n_routes, sizeof(*seen->routes), verify_by_destination);
	return 0;
}

/* The first route that does not precede key. */
static size_t verify_first_route(const struct seen *seen, const struct route_seen *key)
{
	size_t from = 0, to = seen->n_routes;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (verify_by_destination(&seen->routes[middle], key) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/*
 * Does the route exist? A later plugin of the chain may have changed the gateway of a default
 * route, and may have moved routes without a table to another one (sbr, vrf). If the result has
 * several interfaces, it does not say to which one a route belongs.
 */
static bool verify_has_route(const struct seen *seen, const struct cni_route *wanted)
{
	struct route_seen key = { .dst = prefix_network(&wanted->dst) };
	const bool any_gw = !key.dst.len || !wanted->gw.family || ip_is_any(&wanted->gw);

	if (!any_gw)
		key.gw = wanted->gw;
	for (size_t i = verify_first_route(seen, &key); i < seen->n_routes; i++) {
		const struct route_seen *route = &seen->routes[i];

		if (!prefix_equal(&route->dst, &key.dst) || (!any_gw && !ip_equal(&route->gw, &key.gw)))
			return false;
		if ((!wanted->priority || route->priority == wanted->priority) &&
		    (wanted->table <= 0 || route->table == wanted->table) &&
		    (seen->any_link || route->link == seen->link))
			return true;
	}
	return false;
}

static int verify_address(const struct iface *iface, const struct seen *seen, const struct prefix *address,
			  struct cni_error *err)
{
	const struct cni_route subnet = { .dst = *address };

	if (!bsearch(address, seen->addresses, seen->n_addresses, sizeof(*address), verify_by_prefix))
		return cni_fail(err, CNI_DAMAGED, "Failed to match addr %s on interface %s",
				prefix_text(address).s, iface->req->ifname);
	/* the kernel adds a route to the subnet of an address, if there is a subnet */
	if (address->len == 8 * ip_size(&address->ip) || verify_has_route(seen, &subnet))
		return 0;
	return cni_fail(err, CNI_DAMAGED, "Expected Route to the subnet of %s not found in routing table",
			prefix_text(address).s);
}

static int verify_addresses(const struct iface *iface, const struct seen *seen, const struct result *prev,
			    long long own, struct cni_error *err)
{
	for (size_t i = 0; i < prev->n_ips; i++) {
		const struct cni_ip *ip = &prev->ips[i];

		if ((ip->interface == own || ip->interface == -1) &&
		    verify_address(iface, seen, &ip->address, err) < 0)
			return -1;
	}
	return 0;
}

static int verify_routes(const struct seen *seen, const struct result *prev, struct cni_error *err)
{
	for (size_t i = 0; i < prev->n_routes; i++) {
		const struct cni_route *route = &prev->routes[i];

		if (!verify_has_route(seen, route))
			return cni_fail(err, CNI_DAMAGED, "Expected Route %s%s%s not found in routing table",
					prefix_text(&route->dst).s, route->gw.family ? " via " : "",
					ip_text(&route->gw).s);
	}
	return 0;
}

/* Does prevResult have interfaces of the pod that other plugins of the chain have made? */
static bool verify_has_others(const struct result *prev)
{
	size_t n = 0;

	for (size_t i = 0; i < prev->n_interfaces; i++)
		n += prev->interfaces[i].sandbox && *prev->interfaces[i].sandbox;
	return n > 1;
}

int iface_verify(struct iface *iface, const struct conf *conf, struct cni_error *err)
{
	const struct result *prev = &conf->prev;
	long long own = verify_find_in_prev(iface, prev, err);
	struct seen seen = { .routes = NULL };
	int rc;

	if (own < 0 || verify_link(iface, conf, err) < 0)
		return -1;
	seen.link = iface->link.index;
	seen.any_link = verify_has_others(prev);
	rc = verify_look(&seen, &iface->pod, prev, err);
	if (rc == 0)
		rc = verify_addresses(iface, &seen, prev, own, err);
	if (rc == 0)
		rc = verify_routes(&seen, prev, err);
	free(seen.addresses);
	free(seen.routes);
	return rc;
}
