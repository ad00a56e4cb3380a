/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/fence.h"

#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "plugin/reach.h"

/* Searches for an attachment of the master whose addresses the fence does not have. */
struct fence_stranger {
	int master;
	const struct page *own;
	struct cni_error *err;
	bool found;
};

/* Only a pod that accepts router advertisements has learned: it makes addresses that the fence never has. */
static bool fence_is_known(const struct page *page, int master)
{
	for (size_t i = 0; !page->learned && i < page->n_objects; i++)
		if (page->objects[i].kind == OBJECT_FENCE && page->objects[i].dev == master)
			return true;
	return false;
}

static int fence_look_at(const struct page *page, void *arg)
{
	struct fence_stranger *stranger = arg;
	const struct netns_id now = netns_id(page->path);

	if (!strcmp(page->id.s, stranger->own->id.s) || !page->netns.inode || !netns_is(&now, &page->netns) ||
	    fence_is_known(page, stranger->master))
		return 0;
	stranger->found = true;
	cni_fail(stranger->err, CNI_CONFIG,
		 "antiSpoof: the master has pods already whose addresses are not known: "
		 "container %s, network %s",
		 page->container, page->network);
	if (page->learned)
		cni_hint(stranger->err, "that pod accepts router advertisements, and would be cut off; "
					"remove it, or use another master");
	else
		cni_hint(stranger->err,
			 "they were added without antiSpoof, and would be cut off; remove them first, "
			 "and start them again after this pod");
	return 1;
}

static int fence_check_strangers(const struct ledger *ledger, const struct page *page, int master,
				 struct cni_error *err)
{
	struct fence_stranger stranger = { .own = page, .master = master, .err = err };
	const struct object anchor = object_anchor(master, 0);

	hold_each_page(ledger, &anchor, fence_look_at, &stranger);
	return stranger.found ? -1 : 0;
}

int fence_admit(const struct ledger *ledger, const struct page *page, const struct conf *conf, int master,
		struct cni_error *err)
{
	const struct object guard = object_guard(master);
	bool guarded;

	if (!conf->anti_spoof && !conf->accept_ra)
		return 0;
	guarded = !conf->link_in_container && hold_is_held(ledger, &guard);
	if (conf->anti_spoof && !guarded)
		return fence_check_strangers(ledger, page, master, err);
	if (!conf->accept_ra || !guarded)
		return 0;
	cni_fail(err, CNI_CONFIG,
		 "routerAdvertisements: \"accept\" does not work on a master that antiSpoof guards");
	return cni_hint(err, "a pod of another network guards the master: it drops packets from addresses "
			     "that no IPAM plugin has leased; use another master");
}

static bool fence_is_limited(const struct conf *conf)
{
	return conf->rates[0].rate || conf->rates[1].rate;
}

const char *fence_key(const struct conf *conf)
{
	return conf->anti_spoof		? "antiSpoof"
	       : conf->policy		? "allow or deny"
	       : fence_is_limited(conf) ? "bandwidth"
	       : conf->counters		? "counters"
					: NULL;
}

int fence_check(struct rtnl *host, const struct conf *conf, int dev, struct cni_error *err)
{
	const struct page nobody = { .id = { "" } };
	struct ledger ledger;
	enum found found;
	int rc = 0;

	if (fence_key(conf) && fence_check_kernel(host, dev, conf, err) < 0)
		return -1;
	if (!conf->anti_spoof && !conf->accept_ra)
		return 0;
	found = ledger_open(&ledger, host, err);
	if (found == FOUND)
		rc = fence_admit(&ledger, &nobody, conf, dev, err);
	ledger_close(&ledger);
	return found == FOUND_FAILED ? -1 : rc;
}

int fence_pod(struct iface *iface, const struct conf *conf, const struct result *given, struct page *page,
	      struct cni_error *err)
{
	const int master = iface->master.index;
	autofree struct object *objects = NULL;
	struct object policy;
	size_t n = 0;

	if (!fence_key(conf) && (!iface->guarded || !given->n_ips))
		return 0;
	if (!given->n_ips) {
		cni_fail(err, CNI_CONFIG, "%s needs addresses, and the pod has none", fence_key(conf));
		return cni_hint(err, "name an IPAM plugin in \"ipam\"");
	}
	objects = calloc(3 * given->n_ips + 1, sizeof(*objects));
	if (!objects)
		return cni_fail(err, CNI_RETRY, "out of memory");
	for (size_t i = 0; i < given->n_ips; i++)
		objects[n++] = object_lease(master, &given->ips[i].address.ip);
	for (size_t i = 0; i < given->n_ips && fence_is_limited(conf); i++)
		objects[n++] = object_rate(master, &given->ips[i].address.ip, &given->ips[0].address.ip,
					   conf->rates);
	if (conf->policy)
		objects[n++] = policy = object_policy(master, conf->policy);
	for (size_t i = 0; i < given->n_ips && conf->policy; i++)
		objects[n++] = object_subject(master, &given->ips[i].address.ip, &policy);
	return reach_hold(iface, page, objects, n, 0, err);
}
