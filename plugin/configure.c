/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cni/cleanup.h"
#include "net/addr.h"
#include "net/alive.h"
#include "net/netns.h"
#include "net/shaper.h"
#include "plugin/beside.h"
#include "plugin/dad.h"
#include "plugin/iface.h"
#include "plugin/master.h"
#include "plugin/plan.h"

#define IPV6_MIN_MTU 1280
#define LOCAL_TRIES 100 /* for one second in all */
#define SHAPED_MIN 6056 /* four packets of Ethernet */

/* The requests of one exchange in their order, which identifies a refused one. */
struct exchange {
	const struct iface *iface;
	size_t first_other;   /* the number of the first request that is not for a shaper */
	size_t first_address; /* a request for announcements may precede it */
	const struct result *given;
	const struct plan *plan;
	bool *beside; /* for each route of the plan: is there another route to its destination? */
};

struct holder {
	const struct ip *ip;
	int master;
	int link; /* 0: none has it */
};

static void configure_match_holder(const struct addr_seen *seen, void *arg)
{
	struct holder *holder = arg;

	if (ip_equal(&seen->address.ip, holder->ip))
		holder->link = seen->link;
}

/* Returns 1 if an interface in netns has the address; err names it. */
static int configure_find_holder(int netns, const char *path, void *arg, struct cni_error *err)
{
	struct holder *holder = arg;
	struct link link = { .name = "" };
	struct rtnl nl;

	if (netns < 0 || rtnl_open(&nl, netns, NULL) < 0)
		return 0;
	holder->link = 0;
	if (addr_each(&nl, configure_match_holder, holder, NULL) == 0 && holder->link)
		link_find_index(&nl, holder->link, &link, NULL);
	rtnl_close(&nl);
	if (link.parent != holder->master || !link_is_ipvlan(&link))
		return 0;
	cni_hint(err,
		 "the interface \"%s\" in %s has it already; the IPAM plugin has released the new lease; "
		 "ipvlanctl doctor compares leases with pods",
		 link.name, path);
	return 1;
}

static int configure_hint_of_holder(const struct iface *iface, const struct ip *ip, struct cni_error *err)
{
	struct holder holder = { .ip = ip, .master = iface->master.index };
	struct alive alive;
	int rc;

	alive_read(&alive);
	rc = alive_each(&alive, configure_find_holder, &holder, err);
	alive_free(&alive);
	return rc == 1 ? -1
		       : cni_hint(err, "another ipvlan interface of the same master has it, in a namespace "
				       "that cannot be opened; the IPAM plugin has released the address");
}

static int configure_refused_address(const struct exchange *x, const struct prefix *address,
				     const struct rtnl_refusal *refusal, struct cni_error *err)
{
	bool in_use = refusal->error == EADDRINUSE;

	cni_fail(err, in_use ? CNI_CONFLICT : CNI_INTERNAL, "failed to add IP addr %s to \"%s\": %s",
		 prefix_text(address).s, x->iface->req->ifname,
		 in_use ? "address already in use" : errno_text(refusal->error));
	if (in_use)
		return configure_hint_of_holder(x->iface, &address->ip, err);
	if (address->ip.family == AF_INET6 && x->iface->link.mtu < IPV6_MIN_MTU)
		return cni_hint(err, "IPv6 needs an MTU of %d or more, \"%s\" has %u", IPV6_MIN_MTU,
				x->iface->req->ifname, x->iface->link.mtu);
	return cni_hint(err, "%s", refusal->why);
}

static int configure_refused_route(const struct exchange *x, const struct route *route,
				   const struct rtnl_refusal *refusal, struct cni_error *err)
{
	const struct ip *gw = &route->hops[0].gw;

	if (refusal->error == EEXIST) {
		x->beside[route - x->plan->routes] = true;
		return 0;
	}
	cni_fail(err, CNI_INTERNAL, "failed to add route '%s%s%s dev %s': %s", prefix_text(&route->dst).s,
		 gw->family ? " via " : "", ip_text(gw).s, x->iface->req->ifname, errno_text(refusal->error));
	return cni_hint(err, "%s", refusal->why);
}

/* The master enforces the rate, without a shaper too. */
static int configure_refused_shaper(const struct exchange *x, const struct rtnl_refusal *refusal)
{
	if (refusal->request == 0)
		cni_log("bandwidth: the kernel refuses the qdisc tbf on \"%s\": %s; packets above egressRate "
			"are dropped, not delayed",
			x->iface->req->ifname, *refusal->why ? refusal->why : errno_text(refusal->error));
	return 0;
}

static int configure_refused(const struct rtnl_refusal *refusal, void *arg, struct cni_error *err)
{
	const struct exchange *x = arg;
	size_t up = x->first_address + x->given->n_ips, request = refusal->request;

	if (request < x->first_other)
		return configure_refused_shaper(x, refusal);
	if (request < x->first_address)
		return 0; /* without an announcement neighbours learn the address later */
	if (request < up)
		return configure_refused_address(x, &x->given->ips[request - x->first_address].address,
						 refusal, err);
	if (request > up && request <= up + x->plan->n_routes)
		return configure_refused_route(x, &x->plan->routes[request - up - 1], refusal, err);
	if (request > up)
		cni_fail(err, CNI_INTERNAL, "failed to add the host as a neighbour: %s",
			 errno_text(refusal->error));
	else
		cni_fail(err, CNI_INTERNAL, "failed to set \"%s\" UP: %s", x->iface->req->ifname,
			 errno_text(refusal->error));
	return cni_hint(err, "%s", refusal->why);
}

/*
 * The kernel refuses an address that another slave of the master has, but not an address of the
 * host: then the host would receive packets of the pod, and the pod those of the host.
 */
static int configure_check_host_addresses(struct iface *iface, const struct result *given,
					  struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct ip *ip = &given->ips[i].address.ip;
		/* the only device above a master is a VRF: others take its packets */
		enum found found = addr_is_local(iface->home, iface->master.holder, ip, err);

		if (found == FOUND_FAILED)
			return -1;
		if (found == FOUND_NOT)
			continue;
		cni_fail(err, CNI_CONFLICT, "address %s is the host's own", ip_text(ip).s);
		return cni_hint(err, "exclude it from the range of the IPAM plugin, which has released it");
	}
	return 0;
}

/* The first IPv6 address, or NULL. */
static const struct prefix *configure_first_ipv6(const struct result *given)
{
	for (size_t i = 0; i < given->n_ips; i++)
		if (given->ips[i].address.ip.family == AF_INET6)
			return &given->ips[i].address;
	return NULL;
}

/* The destination of the first IPv6 route, or NULL. */
static const struct prefix *configure_first_ipv6_route(const struct result *given)
{
	for (size_t i = 0; i < given->n_routes; i++)
		if (given->routes[i].dst.ip.family == AF_INET6)
			return &given->routes[i].dst;
	return NULL;
}

static int configure_check_ipv6(const struct iface *iface, const struct conf *conf,
				const struct result *given, struct cni_error *err)
{
	const struct prefix *address = configure_first_ipv6(given), *dst = configure_first_ipv6_route(given);

	if (!address && !dst)
		return 0;
	if (netns_has_ipv6())
		return address ? master_check_carrier(&iface->master, conf, err) : 0;
	if (address)
		cni_fail(err, CNI_CONFIG, "failed to add IP addr %s to \"%s\": this kernel has no IPv6",
			 prefix_text(address).s, iface->req->ifname);
	else
		cni_fail(err, CNI_CONFIG, "failed to add the route to %s: this kernel has no IPv6",
			 prefix_text(dst).s);
	return cni_hint(err, "start the machine without ipv6.disable=1, or give pods only IPv4 addresses and "
			     "routes");
}

/* Without this the pod would take addresses and default routes from routers on the LAN that the
 * result does not have. In l3 and l3s no advertisement reaches the pod. 2: accept them even if the
 * pod forwards packets. */
static size_t configure_router_sysctls(const struct iface *iface, const struct conf *conf,
				       struct sysctl *list)
{
	if (conf->mode != IPVLAN_MODE_L2)
		return 0;
	snprintf(list->name, sizeof(list->name), "ipv6/conf/%s/accept_ra", iface->req->ifname);
	list->value = conf->accept_ra ? "2" : "0";
	return 1;
}

static size_t configure_address_sysctls(const struct iface *iface, const struct conf *conf,
					struct sysctl *list)
{
	const char *ifname = iface->req->ifname;

	list[0] = (struct sysctl){ "ipv6/conf/lo/disable_ipv6", "0" };
	snprintf(list[1].name, sizeof(list[1].name), "ipv6/conf/%s/disable_ipv6", ifname);
	list[1].value = "0";
	snprintf(list[2].name, sizeof(list[2].name), "ipv6/conf/%s/keep_addr_on_down", ifname);
	list[2].value = "1";
	/* sends neighbour advertisements when the interface is set up with its addresses */
	snprintf(list[3].name, sizeof(list[3].name), "ipv6/conf/%s/ndisc_notify", ifname);
	list[3].value = conf->announce ? "1" : "0";
	return 4;
}

/* Call it before the interface is set up. */
static void configure_prepare_ipv6(const struct iface *iface, const struct conf *conf,
				   const struct result *given)
{
	struct sysctl list[5];
	size_t n;

	if (!netns_has_ipv6())
		return;
	n = configure_router_sysctls(iface, conf, list);
	if (configure_first_ipv6(given) || conf->accept_ra)
		n += configure_address_sysctls(iface, conf, list + n);
	if (n)
		netns_sysctl(iface->netns, list, n);
}

static bool configure_requires_neighbour(const struct iface *iface, const struct result *given,
					 const struct ip *host)
{
	return result_has_family(given, host->family) && host_ips_silent(host, iface->master.name);
}

/*
 * With a configured burst the shaper lets the same burst pass at once as the master. Else it lets pass
 * the bytes of 50 ms: a larger burst would keep tbf from cutting large packets into segments, which at
 * a low rate other connections would wait for.
 */
static void configure_queue_shaper(struct rtnl *pod, int index, const struct rate *rate)
{
	unsigned long long burst = rate->burst;

	if (burst == BURST_MIN)
		burst = rate->rate / 20 > SHAPED_MIN ? rate->rate / 20 : SHAPED_MIN;
	shaper_queue_add(pod, index, rate->rate, (uint32_t)burst);
}

static int configure_at_once(struct iface *iface, const struct conf *conf, const struct result *given,
			     const struct plan *plan, struct cni_error *err)
{
	autofree bool *beside = calloc(plan->n_routes + 1, sizeof(*beside));
	const size_t n_shaper = conf->rates[0].rate ? SHAPER_REQUESTS : 0;
	struct exchange x = { iface, n_shaper, n_shaper + conf->announce, given, plan, beside };
	struct rtnl *pod = &iface->pod;
	int index = iface->link.index;

	if (!beside)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (n_shaper)
		configure_queue_shaper(pod, index, &conf->rates[0]);
	/* the kernel announces only addresses that the link has when it is set up */
	if (conf->announce)
		link_queue_arp_notify(pod, index);
	for (size_t i = 0; i < given->n_ips; i++)
		addr_queue_add(pod, index, &given->ips[i].address, conf->dad);
	link_queue_up(pod, index);
	for (size_t i = 0; i < plan->n_routes; i++)
		route_queue_add(pod, index, &plan->routes[i]);
	for (size_t i = 0; conf->mode == IPVLAN_MODE_L2 && i < iface->hosts.n; i++)
		if (configure_requires_neighbour(iface, given, &iface->hosts.ips[i]))
			neighbour_queue_add(pod, index,
					    &(struct neighbour){ iface->hosts.ips[i], iface->master.mac });
	if (rtnl_commit(pod, configure_refused, &x, err) < 0)
		return -1;
	return beside_place(iface, plan, beside, err);
}

/*
 * The kernel makes an IPv6 address local in a work queue (addrconf_dad_work()), also without
 * duplicate address detection. Until then packets to it are lost. Without a carrier no packet
 * arrives, and an address with duplicate address detection waits for the carrier.
 */
static int configure_wait_until_local(struct iface *iface, const struct ip *ip, struct cni_error *err)
{
	struct timespec pause = { .tv_nsec = 100000 };
	enum found found;
	struct link link;

	for (int tries = 0; tries < LOCAL_TRIES; tries++) {
		found = addr_is_local(&iface->pod, 0, ip, err);
		if (found != FOUND_NOT)
			return found == FOUND ? 0 : -1;
		found = link_find_index(&iface->pod, iface->link.index, &link, err);
		if (found != FOUND || !(link.flags & IFF_RUNNING))
			return found == FOUND_FAILED ? -1 : 0;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 10000000)
			pause.tv_nsec *= 2;
	}
	return 0;
}

static int configure_wait_until_usable(struct iface *iface, const struct result *given, struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct ip *ip = &given->ips[i].address.ip;

		if (ip->family == AF_INET6 && configure_wait_until_local(iface, ip, err) < 0)
			return -1;
	}
	return 0;
}

int iface_configure(struct iface *iface, const struct conf *conf, const struct result *given,
		    struct cni_error *err)
{
	struct rtnl events;
	struct plan plan;
	int rc;

	if (configure_check_host_addresses(iface, given, err) < 0 ||
	    configure_check_ipv6(iface, conf, given, err) < 0 || plan_make(&plan, given, err) < 0)
		return -1;
	configure_prepare_ipv6(iface, conf, given);
	rc = conf->dad ? dad_begin(&events, iface->netns, err) : 0;
	if (rc == 0) {
		rc = configure_at_once(iface, conf, given, &plan, err);
		if (rc == 0 && conf->dad)
			rc = dad_wait(iface, &events, given, err);
		if (rc == 0)
			rc = configure_wait_until_usable(iface, given, err);
		if (conf->dad)
			rtnl_close(&events);
	}
	plan_free(&plan);
	return rc;
}
