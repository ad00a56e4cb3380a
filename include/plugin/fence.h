/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence of a master: an nftables table that sees the packets of pods outside the pods. With
 * antiSpoof it drops packets whose sender is neither the host nor a pod: plugin/object_fence.c.
 *
 * antiSpoof guards a master for all its pods: the fence has the addresses of pods without antiSpoof
 * too. If the master has pods already whose addresses are not known, ADD refuses the first pod with
 * antiSpoof. Addresses of a pod that accepts router advertisements are never known: such a pod and a guard
 * exclude each other.
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

/* Fails if ADD could not make the fence that conf requires on the link, or would not admit the pod. Changes
 * nothing. CNI_CONFIG: the kernel, or nft, is too old; or as fence_admit(). */
int fence_check(struct rtnl *host, const struct conf *conf, int dev, struct cni_error *err);

/* May the pod with conf start beside those of the master? CNI_CONFIG: it would guard the master, and names
 * an attachment, other than page, whose addresses the fence does not have, and which would be cut off; or
 * the master is guarded, and the pod would make such addresses. ADD calls this while the ledger is locked. */
int fence_admit(const struct ledger *ledger, const struct page *page, const struct conf *conf, int master,
		struct cni_error *err);

/* Checks only the kernel and nft; in plugin/object_fence.c. */
int fence_check_kernel(struct rtnl *host, int dev, const struct conf *conf, struct cni_error *err);

/* The key of conf that requires a fence; NULL: there is none. */
const char *fence_key(const struct conf *conf);

/* The counters of a pod's address. */
struct fence_traffic {
	long long packets[2], bytes[2]; /* out of the pod, into it */
	long long late[2];		/* packets that were dropped because of the rate */
	long long denied[2];		/* packets that allow and deny have dropped */
};

/* Adds the counters of the lease to *sum. FOUND_NOT: there is no such fence, or lease. */
enum found fence_count(struct view *view, const struct object *lease, struct fence_traffic *sum,
		       struct cni_error *err);

/* Adds the packets that the rate has dropped. */
void fence_count_late(struct view *view, const struct object *rate, struct fence_traffic *sum);

/* Adds the packets that allow and deny have dropped. */
void policy_count_denied(struct view *view, const struct object *subject, struct fence_traffic *sum);

/* Calls each() for the rules of the policy that drop packets: "deny.egress[0]", "allow.egress". */
int policy_each_denied(struct view *view, const struct object *policy,
		       void (*each)(const char *rule, long long packets, void *arg), void *arg,
		       struct cni_error *err);

/* Prints the policies of the master dev that attachments hold, and the addresses that are subject to them. */
struct nft_script;
int policy_print_whole(struct nft_script *script, struct view *view, int dev, struct cni_error *err);

/* Does a chain of a fence belong to a policy? */
bool policy_is_chain(const char *chain);

/* Calls each() for the reasons for which packets were dropped on the master dev: "arp", … */
int fence_each_drop(struct view *view, int dev,
		    void (*each)(const char *reason, long long packets, void *arg), void *arg,
		    struct cni_error *err);

/* Adds the pod's addresses to the fence of its master, before the pod can send packets. With
 * antiSpoof the page holds fence and guard already. The objects go into the page of this ADD; if
 * this fails, host_undo() removes them. */
int fence_pod(struct iface *iface, const struct conf *conf, const struct result *given, struct page *page,
	      struct cni_error *err);

#endif
