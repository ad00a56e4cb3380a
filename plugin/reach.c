#include "plugin/reach.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "net/addr.h"
#include "net/netns.h"
#include "plugin/ledger.h"

static const struct ip *reflector_of(const struct conf *conf, sa_family_t family)
{
	for (size_t i = 0; i < conf->n_reflectors; i++)
		if (conf->reflectors[i].family == family)
			return &conf->reflectors[i];
	return NULL;
}

static bool covered(const struct result *given, const struct ip *ip)
{
	for (size_t i = 0; i < given->n_ips; i++)
		if (prefix_contains(&given->ips[i].address, ip))
			return true;
	return false;
}

static struct prefix whole(const struct ip *ip)
{
	return (struct prefix){ .ip = *ip, .len = (unsigned int)(8 * ip_size(ip)) };
}

/*
 * In l2 a pod looks for the others of its subnet on the link, where with vepa it
 * finds nobody. So it has no subnet: all of it is behind the reflector.
 */
static int reflect_in_pod(const struct conf *conf, struct result *given, struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		struct prefix *address = &given->ips[i].address;
		const struct ip *reflector = reflector_of(conf, address->ip.family);
		struct cni_route route = { .table = -1, .scope = -1 };

		if (!reflector)
			continue;
		route.dst = prefix_network(address);
		route.gw = *reflector;
		*address = whole(&address->ip);
		if (result_add_route(given, &route, err) < 0)
			return -1;
	}
	return 0;
}

/* A reflector that has the pods' subnet on the link tells them to send to each other
 * directly (RFC 1122 3.2.2.2), which is just what they cannot. */
static void ignore_redirects(const struct iface *iface)
{
	struct sysctl sysctls[] = {
		{ "ipv4/conf/all/accept_redirects", "0" },
		{ "", "0" },
		{ "", "0" },
	};

	snprintf(sysctls[1].name, sizeof(sysctls[1].name), "ipv4/conf/%s/accept_redirects",
		 iface->req->ifname);
	snprintf(sysctls[2].name, sizeof(sysctls[2].name), "ipv6/conf/%s/accept_redirects",
		 iface->req->ifname);
	netns_sysctl(iface->netns, sysctls, sizeof(sysctls) / sizeof(*sysctls));
}

/* Families of which the pod has an address. */
static bool has_family(const struct result *given, sa_family_t family)
{
	for (size_t i = 0; i < given->n_ips; i++)
		if (given->ips[i].address.ip.family == family)
			return true;
	return false;
}

static bool is(const char *sysctl, const char *value)
{
	return netns_sysctl_is(sysctl, value, NULL) == FOUND;
}

bool reach_is_strict(const char *master)
{
	char name[64];

	snprintf(name, sizeof(name), "ipv4/conf/%s/rp_filter", master);
	return !is(name, "2") && !is("ipv4/conf/all/rp_filter", "2") &&
	       !(is(name, "0") && is("ipv4/conf/all/rp_filter", "0"));
}

static void warn_of_rp_filter(const struct iface *iface)
{
	if (reach_is_strict(iface->master.name))
		cni_log("hostAccess: rp_filter of %s is strict, so that the host drops what pods send it; "
			"sysctl -w net.ipv4.conf.%s.rp_filter=2 makes it loose",
			iface->master.name, iface->master.name);
}

/* The host's addresses on the master, and a way to them that needs no gateway. */
static int find_host(struct iface *iface, struct result *given, struct cni_error *err)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };

	if (iface->link.ipvlan_flags)
		return cni_fail(err, CNI_CONFIG,
				"hostAccess does not work with flag %s, which master \"%s\" has",
				ipvlan_flags_text(iface->link.ipvlan_flags), iface->master.name);
	for (size_t i = 0; i < 2; i++) {
		struct ip *host = &iface->host_ips[i];
		struct cni_route route = { .table = -1, .scope = RT_SCOPE_LINK };

		if (!has_family(given, families[i]))
			continue;
		if (addr_main(&iface->host, iface->master.index, families[i], host, err) == FOUND_FAILED)
			return -1;
		if (!host->family || covered(given, host))
			continue;
		route.dst = whole(host);
		if (result_add_route(given, &route, err) < 0)
			return -1;
	}
	if (has_family(given, AF_INET))
		warn_of_rp_filter(iface);
	return 0;
}

/* It is no error, since static neighbours or routes on the LAN may make up for it. */
static int warn_of_silence(struct iface *iface, const struct conf *conf, const struct result *given,
			   struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct prefix *address = &given->ips[i].address;
		struct ip host;
		enum found found =
			addr_main(iface->home, iface->master.index, address->ip.family, &host, err);

		if (found == FOUND_FAILED)
			return -1;
		if (found == FOUND && prefix_contains(address, &host))
			cni_log("%s is of the subnet of %s, where in %s nobody answers for it: the LAN does "
				"not "
				"reach it",
				ip_text(&address->ip).s, iface->master.name, ipvlan_mode_text(conf->mode));
	}
	return 0;
}

/* Nowhere is where such a network leads. */
static void drop_default_routes(struct result *given)
{
	size_t kept = 0;

	for (size_t i = 0; i < given->n_routes; i++)
		if (given->routes[i].dst.len)
			given->routes[kept++] = given->routes[i];
	given->n_routes = kept;
}

int reach_pod(struct iface *iface, const struct conf *conf, struct result *given, struct cni_error *err)
{
	if (conf->internal)
		drop_default_routes(given);
	if (conf->mode != IPVLAN_MODE_L2 && !conf->proxy_arp && warn_of_silence(iface, conf, given, err) < 0)
		return -1;
	if (conf->host_access && find_host(iface, given, err) < 0)
		return -1;
	if (!conf->n_reflectors)
		return 0;
	ignore_redirects(iface);
	return conf->mode == IPVLAN_MODE_L2 ? reflect_in_pod(conf, given, err) : 0;
}

struct hold {
	struct ledger ledger;
	struct iface *iface;
};

static int hold(struct hold *hold, const struct object *object, struct cni_error *err)
{
	return ledger_hold(&hold->ledger, hold->iface->req, object, err);
}

static int hold_host_routes(struct hold *all, const struct conf *conf, struct cni_error *err)
{
	for (size_t i = 0; i < conf->host_routes.n_routes; i++) {
		const struct cni_route *from = &conf->host_routes.routes[i];
		const struct object route = {
			.kind = OBJECT_ROUTE,
			.dev = all->iface->master.index,
			.to = from->dst,
			.via = from->gw,
		};

		if (hold(all, &route, err) < 0)
			return -1;
	}
	return 0;
}

/* In l3 it is the host that routes what pods send, by the subnets that they have. */
static int hold_reflected(struct hold *all, const struct conf *conf, const struct result *given,
			  struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct prefix *address = &given->ips[i].address;
		const struct ip *reflector = reflector_of(conf, address->ip.family);
		struct object route = { .kind = OBJECT_ROUTE, .dev = all->iface->master.index };
		struct ip own;

		if (!reflector)
			continue;
		if (addr_main(&all->iface->host, route.dev, address->ip.family, &own, err) == FOUND_FAILED)
			return -1;
		if (own.family && prefix_contains(address, &own)) {
			cni_fail(err, CNI_CONFIG, "reflector: the pods' subnet %s is the host's own",
				 prefix_text(&(struct prefix){ prefix_network(address).ip, address->len }).s);
			return cni_hint(err,
					"a route to it by the reflector would take the LAN from the host; in "
					"l3 give the pods a subnet of their own");
		}
		route.to = prefix_network(address);
		route.via = *reflector;
		if (hold(all, &route, err) < 0)
			return -1;
	}
	return 0;
}

/* The host's way to an address of the pod: by the anchor, whose broadcasts nobody
 * would answer to it. */
static int hold_way(struct hold *all, const struct conf *conf, const struct link *anchor, const struct ip *ip,
		    struct cni_error *err)
{
	const struct iface *iface = all->iface;
	struct object route = { .kind = OBJECT_ROUTE, .dev = anchor->index, .to = whole(ip) };
	struct object neighbour = { .kind = OBJECT_NEIGHBOUR, .dev = anchor->index, .to = whole(ip) };

	route.src = iface->host_ips[ip->family == AF_INET6];
	snprintf(neighbour.lladdr, sizeof(neighbour.lladdr), "%.17s", iface->master.mac);
	if (hold(all, &route, err) < 0)
		return -1;
	return conf->mode == IPVLAN_MODE_L2 ? hold(all, &neighbour, err) : 0;
}

static int hold_ways(struct hold *all, const struct conf *conf, const struct result *given,
		     struct cni_error *err)
{
	const struct object access = { .kind = OBJECT_ACCESS, .dev = all->iface->master.index };
	struct link anchor;
	char name[IFNAMSIZ];

	if (hold(all, &access, err) < 0)
		return -1;
	anchor_name(access.dev, name);
	if (link_find(&all->iface->host, name, &anchor, err) != FOUND)
		return cni_fail(err, CNI_INTERNAL, "%s, which was just made, is gone", name);
	for (size_t i = 0; i < given->n_ips; i++)
		if (hold_way(all, conf, &anchor, &given->ips[i].address.ip, err) < 0)
			return -1;
	return 0;
}

static int hold_proxy_arp(struct hold *all, struct cni_error *err)
{
	static const char *const switches[] = { "proxy_arp", "forwarding" };

	for (size_t i = 0; i < 2; i++) {
		struct object object = { .kind = OBJECT_SYSCTL };

		snprintf(object.name, sizeof(object.name), "ipv4/conf/%s/%s", all->iface->master.name,
			 switches[i]);
		if (hold(all, &object, err) < 0)
			return -1;
	}
	return 0;
}

static int hold_masquerade(struct hold *all, const struct result *given, struct cni_error *err)
{
	const struct object table = { .kind = OBJECT_TABLE, .name = "ipvlan_cni" };

	if (hold(all, &table, err) < 0)
		return -1;
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct object address = { .kind = OBJECT_MASQUERADE, .to = given->ips[i].address };

		if (hold(all, &address, err) < 0)
			return -1;
	}
	return 0;
}

/* The name that ip-netns(8) knows the pod's namespace by; NULL: it has none. */
static const char *netns_name(const char *path)
{
	static const char *const places[] = { "/run/netns/", "/var/run/netns/" };

	for (size_t i = 0; i < 2; i++) {
		const char *name = path + strlen(places[i]);

		if (strncmp(path, places[i], strlen(places[i])) == 0 && *name && !strchr(name, '/') &&
		    strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			return name;
	}
	return NULL;
}

static int hold_resolv_conf(struct hold *all, const json_t *dns, struct cni_error *err)
{
	const char *name = netns_name(all->iface->req->netns);
	struct object file = { .kind = OBJECT_RESOLV, .dns = dns };

	if (!name || !dns)
		return 0;
	if (snprintf(file.name, sizeof(file.name), "%s", name) < (int)sizeof(file.name))
		return hold(all, &file, err);
	return cni_fail(err, CNI_CONFIG, "resolvConf: the name of the namespace is too long: %s", name);
}

static int hold_all(struct hold *all, const struct conf *conf, const struct result *given,
		    struct cni_error *err)
{
	if (hold_host_routes(all, conf, err) < 0)
		return -1;
	if (conf->n_reflectors && conf->mode != IPVLAN_MODE_L2 && hold_reflected(all, conf, given, err) < 0)
		return -1;
	if ((conf->host_access || conf->proxy_arp) && hold_ways(all, conf, given, err) < 0)
		return -1;
	if (conf->proxy_arp && hold_proxy_arp(all, err) < 0)
		return -1;
	if (conf->resolv_conf && hold_resolv_conf(all, conf_dns(conf, given), err) < 0)
		return -1;
	return conf->ip_masq ? hold_masquerade(all, given, err) : 0;
}

int reach_host(struct iface *iface, const struct conf *conf, const struct result *given,
	       struct cni_error *err)
{
	struct hold all = { .iface = iface };
	int rc;

	if (!conf->host_routes.n_routes && !conf->n_reflectors && !conf->host_access && !conf->proxy_arp &&
	    !conf->ip_masq && !conf->resolv_conf)
		return 0;
	if (ledger_open(&all.ledger, &iface->host, true, err) != FOUND)
		return -1;
	rc = hold_all(&all, conf, given, err);
	ledger_close(&all.ledger);
	return rc;
}
