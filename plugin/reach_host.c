/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/reach.h"

#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "net/addr.h"
#include "net/netns.h"
#include "plugin/kinds.h"
#include "plugin/release.h"

/* The objects to make on the host. */
struct wanted {
	struct object *list;
	size_t n;
};

static int reach_want(struct wanted *wanted, const struct object *object, struct cni_error *err)
{
	struct object *bigger = realloc(wanted->list, (wanted->n + 1) * sizeof(*bigger));

	if (!bigger)
		return cni_fail(err, CNI_RETRY, "out of memory");
	bigger[wanted->n++] = *object;
	wanted->list = bigger;
	return 0;
}

static int reach_want_host_routes(struct wanted *wanted, const struct conf *conf, int master,
				  struct cni_error *err)
{
	for (size_t i = 0; i < conf->host_routes.n_routes; i++) {
		const struct cni_route *from = &conf->host_routes.routes[i];
		const struct object route = object_route(master, &from->dst, &from->gw, NULL);

		if (reach_want(wanted, &route, err) < 0)
			return -1;
	}
	return 0;
}

/* In l3 the host routes the packets of pods, so it requires routes to the pods' subnets. */
static int reach_want_reflected(struct wanted *wanted, struct iface *iface, const struct conf *conf,
				const struct result *given, struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct prefix *address = &given->ips[i].address;
		const struct ip *reflector = conf_reflector(conf, address->ip.family);
		struct object route;
		struct ip own;

		if (!reflector)
			continue;
		if (addr_main(&iface->host, iface->master.index, address->ip.family, &own, err) ==
		    FOUND_FAILED)
			return -1;
		if (own.family && prefix_contains(address, &own)) {
			cni_fail(err, CNI_CONFIG, "reflector: the pods' subnet %s is the host's own",
				 prefix_text(&(struct prefix){ prefix_network(address).ip, address->len }).s);
			return cni_hint(err, "a route to it through the reflector would cut the host off "
					     "from the LAN; in l3 give the pods another subnet");
		}
		route = object_route(iface->master.index, address, reflector, NULL);
		if (reach_want(wanted, &route, err) < 0)
			return -1;
	}
	return 0;
}

/* In l2: pods are neighbours of the host. */
static int reach_want_hairpin(struct wanted *wanted, int master, int *dev, struct cni_error *err)
{
	const struct object hairpin = object_hairpin(master);

	*dev = master;
	return reach_want(wanted, &hairpin, err);
}

/* In l3 and l3s: over the anchor, which sends no ARP, since pods do not answer it. */
static int reach_want_access(struct wanted *wanted, struct iface *iface, int *dev, struct cni_error *err)
{
	const struct object access = object_access(iface->master.index);
	struct link anchor;

	if (anchor_find(&iface->host, access.dev, &anchor, err) != FOUND)
		return cni_fail(err, CNI_INTERNAL, "the anchor of link %d is gone", access.dev);
	*dev = anchor.index;
	return reach_want(wanted, &access, err);
}

/* The host's routes to the addresses of the pod. */
static int reach_want_ways(struct wanted *wanted, struct iface *iface, const struct conf *conf,
			   const struct result *given, struct cni_error *err)
{
	int dev = 0;
	int rc = conf->mode == IPVLAN_MODE_L2 ? reach_want_hairpin(wanted, iface->master.index, &dev, err)
					      : reach_want_access(wanted, iface, &dev, err);

	for (size_t i = 0; rc == 0 && i < given->n_ips; i++) {
		const struct ip *ip = &given->ips[i].address.ip;
		const struct prefix to = prefix_host(ip);
		const struct object route =
			object_route(dev, &to, NULL, &iface->hosts.main[ip->family == AF_INET6]);

		rc = reach_want(wanted, &route, err);
	}
	return rc;
}

static int reach_want_sysctls(struct wanted *wanted, int master, const char *const *names, size_t n,
			      struct cni_error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct object object = object_sysctl(master, names[i]);

		if (reach_want(wanted, &object, err) < 0)
			return -1;
	}
	return 0;
}

static const char *const proxy_arp[] = { "proxy_arp", "forwarding" };

/*
 * The host answers on the master for pods' addresses. The kernel does that only on a router
 * (net/ipv4/arp.c, arp_process(); net/ipv6/ndisc.c, ndisc_recv_ns()). An IPv6 router ignores router
 * advertisements unless accept_ra is 2. With 2 the host keeps the address and default route that it
 * has from them.
 */
static int reach_want_proxy(struct wanted *wanted, const struct iface *iface, const struct result *given,
			    struct cni_error *err)
{
	static const char *const ndp[] = { "ipv6.accept_ra", "ipv6.proxy_ndp", "ipv6.forwarding" };
	const int master = iface->master.index;
	char accept_ra[64];
	size_t skip;

	if (result_has_family(given, AF_INET) && reach_want_sysctls(wanted, master, proxy_arp, 2, err) < 0)
		return -1;
	if (!result_has_family(given, AF_INET6))
		return 0;
	snprintf(accept_ra, sizeof(accept_ra), "ipv6/conf/%s/accept_ra", iface->master.name);
	skip = netns_sysctl_is(accept_ra, "0", NULL) == FOUND ? 1 : 0;
	if (reach_want_sysctls(wanted, master, ndp + skip, 3 - skip, err) < 0)
		return -1;
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct ip *ip = &given->ips[i].address.ip;
		const struct object proxy = object_proxy(master, ip);

		if (ip->family == AF_INET6 && reach_want(wanted, &proxy, err) < 0)
			return -1;
	}
	return 0;
}

static int reach_want_masquerade(struct wanted *wanted, const struct result *given, struct cni_error *err)
{
	const struct object table = object_table();

	if (reach_want(wanted, &table, err) < 0)
		return -1;
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct object address = object_masquerade(&given->ips[i].address);

		if (reach_want(wanted, &address, err) < 0)
			return -1;
	}
	return 0;
}

/* The name of the pod's namespace for ip-netns(8); NULL: it has none. */
static const char *reach_netns_name(const char *path)
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

static int reach_want_resolv_conf(struct wanted *wanted, const struct iface *iface, const json_t *dns,
				  struct cni_error *err)
{
	const char *name = reach_netns_name(iface->req->netns);
	struct object file;

	if (!name || !dns)
		return 0;
	if (strlen(name) >= sizeof(file.name))
		return cni_fail(err, CNI_CONFIG, "resolvConf: the name of the namespace is too long: %s",
				name);
	file = object_resolv(name, dns);
	return reach_want(wanted, &file, err);
}

static int reach_want_all(struct wanted *wanted, struct iface *iface, const struct conf *conf,
			  const struct result *given, struct cni_error *err)
{
	const int master = iface->master.index;

	if (reach_want_host_routes(wanted, conf, master, err) < 0)
		return -1;
	if (conf->n_reflectors && conf->mode != IPVLAN_MODE_L2 &&
	    reach_want_reflected(wanted, iface, conf, given, err) < 0)
		return -1;
	if ((conf->host_access || conf->proxy_arp) && reach_want_ways(wanted, iface, conf, given, err) < 0)
		return -1;
	if (conf->proxy_arp && reach_want_proxy(wanted, iface, given, err) < 0)
		return -1;
	if (conf->resolv_conf && reach_want_resolv_conf(wanted, iface, conf_dns(conf, given), err) < 0)
		return -1;
	return conf->ip_masq ? reach_want_masquerade(wanted, given, err) : 0;
}

/* Call it while the ledger is locked. */
static int reach_hold_locked(const struct ledger *ledger, struct page *page, struct view *view,
			     const struct wanted *wanted, struct rival *rival, struct cni_error *err)
{
	const size_t before = page->n_objects;

	if (page_is_ours(ledger, page, err) < 0 ||
	    page_hold(ledger, page, view, wanted->list, wanted->n, NULL, rival, err) < 0) {
		page->n_objects = before;
		return -1;
	}
	return page_make(page, view, before, err);
}

/* Who has locked the page releases it, or only looks whether its pod lives. So this waits, and then asks
 * whether the page is ours. As in a release the page is locked before the ledger. */
static int reach_hold_once(struct iface *iface, struct page *page, struct view *view,
			   const struct wanted *wanted, struct rival *rival, struct cni_error *err)
{
	const struct attachment who = page_who(page);
	autoclose int lock = -1;
	struct ledger ledger;
	enum found found = ledger_open(&ledger, &iface->host, err);
	int rc = -1;

	*rival = (struct rival){ .ifname = "" };
	if (found == FOUND)
		found = page_lock(&lock, &ledger, &who, true, err);
	if (found == FOUND_NOT)
		page_gone(page, err);
	if (found == FOUND && ledger_lock_open(&ledger, err) == 0)
		rc = reach_hold_locked(&ledger, page, view, wanted, rival, err);
	ledger_close(&ledger);
	return rc;
}

#define RIVALS_MAX 20 /* each is gone, and is released */

static int reach_hold_all(struct iface *iface, struct page *page, struct view *view,
			  const struct wanted *wanted, size_t first, struct cni_error *err)
{
	struct rival rival;
	int rc, tries = 0;

	for (size_t i = 0; i < wanted->n; i++)
		if (object_look(view, &wanted->list[i], false, err) < 0)
			return -1;
	do
		rc = reach_hold_once(iface, page, view, wanted, &rival, err);
	while (rc < 0 && *rival.ifname && ++tries < RIVALS_MAX &&
	       release_rival(&iface->host, &rival, err) == 0);
	return rc == 0 ? page_make_by_program(page, view, first, false, err) : -1;
}

int reach_hold(struct iface *iface, struct page *page, struct object *objects, size_t n, size_t first,
	       struct cni_error *err)
{
	const struct wanted wanted = { objects, n };
	struct view view;
	int rc;

	view_open(&view, &iface->host);
	rc = reach_hold_all(iface, page, &view, &wanted, first, err);
	view_close(&view);
	return rc;
}

int reach_host(struct iface *iface, const struct conf *conf, const struct result *given, struct page *page,
	       struct cni_error *err)
{
	struct wanted wanted = { .n = 0 };
	int rc = reach_want_all(&wanted, iface, conf, given, err);

	if (rc == 0 && (wanted.n || json_array_size(page->learned)))
		rc = reach_hold(iface, page, wanted.list, wanted.n, page->n_objects, err);
	free(wanted.list);
	return rc;
}

/* The objects that an ADD makes with any addresses. */
static int reach_want_always(struct wanted *wanted, const struct conf *conf, const struct link *master,
			     struct cni_error *err)
{
	const struct object anchor = object_anchor(master->index, conf->mode),
			    hairpin = object_hairpin(master->index), table = object_table(),
			    file = object_resolv("", NULL);

	if (reach_want_host_routes(wanted, conf, master->index, err) < 0 ||
	    (master->index && reach_want(wanted, &anchor, err) < 0))
		return -1;
	if (conf->host_access && master->index && conf->mode == IPVLAN_MODE_L2 &&
	    reach_want(wanted, &hairpin, err) < 0)
		return -1;
	if ((conf->ip_masq && reach_want(wanted, &table, err) < 0) ||
	    (conf->resolv_conf && (conf->dns || conf->ipam) && reach_want(wanted, &file, err) < 0))
		return -1;
	return conf->proxy_arp ? reach_want_sysctls(wanted, master->index, proxy_arp, 2, err) : 0;
}

/* A master that is still to be made has no address, so only a link-local gateway is on its link. */
static int reach_check_gateway(struct rtnl *host, const struct link *master, const struct ip *gw,
			       struct cni_error *err)
{
	if (master->index)
		return gateway_check(host, master->index, gw, err);
	return ip_is_link_local(gw) ? 0 : gateway_refuse(master->name, gw, err);
}

static int reach_check_gateways(struct rtnl *host, const struct conf *conf, const struct link *master,
				const struct families *pods, struct cni_error *err)
{
	for (size_t i = 0; conf->mode != IPVLAN_MODE_L2 && i < conf->n_reflectors; i++)
		if ((conf->reflectors[i].family == AF_INET6 ? pods->v6 : pods->v4) &&
		    reach_check_gateway(host, master, &conf->reflectors[i], err) < 0)
			return -1;
	/* object_check() checks those of a master that exists */
	for (size_t i = 0; !master->index && i < conf->host_routes.n_routes; i++)
		if (reach_check_gateway(host, master, &conf->host_routes.routes[i].gw, err) < 0)
			return -1;
	return 0;
}

/* ADD releases rivals that are gone. */
static int reach_check_rivals(const struct ledger *ledger, struct view *view, const struct object *object,
			      struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct rival rival;

	if (ledger->dir < 0 || object_check_rivals(ledger, view, object, &rival, &why) == 0 ||
	    release_would_end(ledger, &rival))
		return 0;
	*err = why;
	return -1;
}

int reach_check(struct rtnl *host, const struct conf *conf, const struct link *master,
		const struct families *pods, struct cni_error *err)
{
	struct wanted wanted = { .n = 0 };
	struct ledger ledger = { .lock = -1, .dir = -1 };
	struct view view;
	int rc = reach_want_always(&wanted, conf, master, err);

	view_open(&view, host);
	if (rc == 0)
		rc = ledger_open(&ledger, host, err) == FOUND_FAILED ? -1 : 0;
	for (size_t i = 0; rc == 0 && i < wanted.n; i++) {
		rc = reach_check_rivals(&ledger, &view, &wanted.list[i], err);
		if (rc == 0)
			rc = object_check(&view, &wanted.list[i], err);
	}
	if (rc == 0)
		rc = reach_check_gateways(host, conf, master, pods, err);
	ledger_close(&ledger);
	view_close(&view);
	free(wanted.list);
	return rc;
}
