#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "net/addr.h"
#include "net/netns.h"
#include "plugin/dad.h"
#include "plugin/iface.h"
#include "plugin/plan.h"

#define IPV6_MIN_MTU 1280
#define LOCAL_TRIES 100 /* which take a second */

/* The requests of one exchange, in their order, so that a refusal has a name. */
struct exchange {
	const struct iface *iface;
	size_t first_address; /* number of its request: 0, or 1 after the one for announcements */
	const struct result *given;
	const struct plan *plan;
};

static int refuse_address(const struct exchange *x, const struct prefix *address,
			  const struct rtnl_refusal *refusal, struct cni_error *err)
{
	bool in_use = refusal->error == EADDRINUSE;

	cni_fail(err, in_use ? CNI_CONFLICT : CNI_INTERNAL, "failed to add IP addr %s to \"%s\": %s",
		 prefix_text(address).s, x->iface->req->ifname,
		 in_use ? "address already in use" : errno_text(refusal->error));
	if (in_use)
		return cni_hint(err,
				"another ipvlan interface of the same master holds it, perhaps one whose "
				"container was never deleted; the address went back to the IPAM plugin");
	if (address->ip.family == AF_INET6 && x->iface->link.mtu < IPV6_MIN_MTU)
		return cni_hint(err, "IPv6 needs an MTU of %d or more, \"%s\" has %u", IPV6_MIN_MTU,
				x->iface->req->ifname, x->iface->link.mtu);
	return cni_hint(err, "%s", refusal->why);
}

static int refuse_route(const struct exchange *x, const struct route *route,
			const struct rtnl_refusal *refusal, struct cni_error *err)
{
	const struct ip *gw = &route->hops[0].gw;

	/* the very same route is there: nothing is missing */
	if (refusal->error == EEXIST)
		return 0;
	cni_fail(err, CNI_INTERNAL, "failed to add route '%s%s%s dev %s': %s", prefix_text(&route->dst).s,
		 gw->family ? " via " : "", ip_text(gw).s, x->iface->req->ifname, errno_text(refusal->error));
	return cni_hint(err, "%s", refusal->why);
}

static int refused(const struct rtnl_refusal *refusal, void *arg, struct cni_error *err)
{
	const struct exchange *x = arg;
	size_t up = x->first_address + x->given->n_ips, request = refusal->request;

	if (request < x->first_address)
		return 0; /* neighbours will learn, if later */
	if (request < up)
		return refuse_address(x, &x->given->ips[request - x->first_address].address, refusal, err);
	if (request > up && request <= up + x->plan->n_routes)
		return refuse_route(x, &x->plan->routes[request - up - 1], refusal, err);
	if (request > up)
		cni_fail(err, CNI_INTERNAL, "failed to add the neighbour %s: %s",
			 ip_text(&x->iface->host_ips[1]).s, errno_text(refusal->error));
	else
		cni_fail(err, CNI_INTERNAL, "failed to set \"%s\" UP: %s", x->iface->req->ifname,
			 errno_text(refusal->error));
	return cni_hint(err, "%s", refusal->why);
}

/*
 * The kernel lets nobody have an address twice among the slaves of a master, but
 * the host's own addresses it does not look at: packets for both would mix.
 */
static int check_host_addresses(struct iface *iface, const struct result *given, struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct ip *ip = &given->ips[i].address.ip;
		enum found found = addr_is_local(iface->home, ip, err);

		if (found == FOUND_FAILED)
			return -1;
		if (found == FOUND_NOT)
			continue;
		cni_fail(err, CNI_CONFLICT, "address %s is the host's own", ip_text(ip).s);
		return cni_hint(err,
				"keep it out of the IPAM's range; the address went back to the IPAM plugin");
	}
	return 0;
}

static void prepare_ipv6(const struct iface *iface, const struct result *given, bool announce)
{
	const char *ifname = iface->req->ifname;
	struct sysctl sysctls[] = {
		{ "ipv6/conf/lo/disable_ipv6", "0" },
		{ "", "0" },
		{ "", "1" },
		{ "", announce ? "1" : "0" },
	};
	bool any = false;

	for (size_t i = 0; i < given->n_ips; i++)
		any |= given->ips[i].address.ip.family == AF_INET6;
	if (!any)
		return;
	snprintf(sysctls[1].name, sizeof(sysctls[1].name), "ipv6/conf/%s/disable_ipv6", ifname);
	snprintf(sysctls[2].name, sizeof(sysctls[2].name), "ipv6/conf/%s/keep_addr_on_down", ifname);
	/* a neighbour advertisement when the interface comes up with its addresses */
	snprintf(sysctls[3].name, sizeof(sysctls[3].name), "ipv6/conf/%s/ndisc_notify", ifname);
	netns_sysctl(iface->netns, sysctls, sizeof(sysctls) / sizeof(*sysctls));
}

static int exchange(struct iface *iface, const struct conf *conf, const struct result *given,
		    const struct plan *plan, struct cni_error *err)
{
	struct exchange x = { iface, conf->announce, given, plan };
	struct rtnl *pod = &iface->pod;
	int index = iface->link.index;

	/* announcing works only for addresses that are there before the link is up */
	if (conf->announce)
		link_queue_arp_notify(pod, index);
	for (size_t i = 0; i < given->n_ips; i++)
		addr_queue_add(pod, index, &given->ips[i].address, conf->dad);
	link_queue_up(pod, index);
	for (size_t i = 0; i < plan->n_routes; i++)
		route_queue_add(pod, index, &plan->routes[i]);
	/* the host answers for its IPv6 address on the master alone, not on its slave */
	if (iface->host_ips[1].family && conf->mode == IPVLAN_MODE_L2)
		neighbour_queue_add(pod, index, &(struct neighbour){ iface->host_ips[1], iface->master.mac });
	return rtnl_commit(pod, refused, &x, err);
}

/*
 * The kernel makes an IPv6 address its own in a work queue (addrconf_dad_work()), also
 * without duplicate address detection. Until then what is sent to it is lost. Without a
 * carrier it does not happen at all.
 */
static int wait_until_local(struct iface *iface, const struct ip *ip, struct cni_error *err)
{
	struct timespec pause = { .tv_nsec = 100000 };
	enum found found;
	struct link link;

	for (int tries = 0; tries < LOCAL_TRIES; tries++) {
		found = addr_is_local(&iface->pod, ip, err);
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

static int wait_until_usable(struct iface *iface, const struct result *given, struct cni_error *err)
{
	for (size_t i = 0; i < given->n_ips; i++) {
		const struct ip *ip = &given->ips[i].address.ip;

		if (ip->family == AF_INET6 && wait_until_local(iface, ip, err) < 0)
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

	if (check_host_addresses(iface, given, err) < 0 || plan_make(&plan, given, err) < 0)
		return -1;
	prepare_ipv6(iface, given, conf->announce);
	rc = conf->dad ? dad_begin(&events, iface->netns, err) : 0;
	if (rc == 0) {
		rc = exchange(iface, conf, given, &plan, err);
		if (rc == 0 && conf->dad)
			rc = dad_wait(iface, &events, given, err);
		if (rc == 0)
			rc = wait_until_usable(iface, given, err);
		if (conf->dad)
			rtnl_close(&events);
	}
	plan_free(&plan);
	return rc;
}
