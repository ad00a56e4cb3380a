/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence of a master: what pods send by it, seen from outside of them. With antiSpoof it drops
 * what has a sender that is neither the host's nor a pod's: plugin/object_fence.c says how.
 *
 * A guarded master is so for all its pods: those of networks without antiSpoof get their
 * addresses into the fence too, and where there are some already, the first pod with antiSpoof
 * is refused.
 */
#ifndef PLUGIN_FENCE_H
#define PLUGIN_FENCE_H

#include "plugin/conf.h"
#include "plugin/iface.h"
#include "plugin/ledger.h"

/* The table of the master dev is "netdev ipvlan_cni_<dev>". */
#define FENCE_PREFIX "ipvlan_cni_"
struct fence_table {
	char s[32];
} fence_table(int dev);

/* Would ADD make, or find, the fence that the configuration requires on the link? Changes nothing.
 * CNI_CONFIG: the kernel, or nft, is too old; the link has pods whose addresses are not known. */
int fence_check(struct rtnl *host, const struct conf *conf, int dev, struct cni_error *err);

/* Are there attachments of the master, other than page, whose addresses the fence does not know, nor will
 * know? Then a first one with antiSpoof would cut them off. CNI_CONFIG names one. While the ledger is locked,
 * or to know at all. */
int fence_check_strangers(const struct ledger *ledger, const struct page *page, int master,
			  struct cni_error *err);

/* The same of the kernel, and nft, alone: in plugin/object_fence.c. */
int fence_check_kernel(struct rtnl *host, int dev, const char *key, struct cni_error *err);

/* The key of the configuration that requires a fence; NULL: none does. */
const char *fence_key(const struct conf *conf);

/* What was counted of a pod's address. */
struct fence_traffic {
	long long packets[2], bytes[2]; /* out of the pod, into it */
	long long late[2];		/* packets that were dropped since they came too fast */
};

/* Adds what the fence has counted of the lease. FOUND_NOT: there is no such fence, or lease. */
enum found fence_count(struct view *view, const struct object *lease, struct fence_traffic *sum,
		       struct cni_error *err);

/* The same of what a rate has dropped. */
void fence_count_late(struct view *view, const struct object *rate, struct fence_traffic *sum);

/* Calls each() for the reasons for which packets were dropped on the master dev: "arp", … */
int fence_each_drop(struct view *view, int dev,
		    void (*each)(const char *reason, long long packets, void *arg), void *arg,
		    struct cni_error *err);

/* The addresses that are given to the pod go into the fence of its master, before any packet is sent from
 * them. With antiSpoof the page holds fence and guard already. The objects go into the page of this ADD; what
 * fails is left to host_undo(). */
int fence_pod(struct iface *iface, const struct conf *conf, const struct result *given, struct page *page,
	      struct cni_error *err);

#endif
