/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, mostly ipvlan slaves. drivers/net/ipvlan/ipvlan_main.c decides what the kernel accepts.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "cni/error.h"
#include "net/rtnl.h"

#define MTU_MAX 65535 /* ETH_MAX_MTU */

struct link {
	int index;
	char name[IFNAMSIZ];
	char kind[16];	     /* "" for hardware */
	char mac[3 * 20];    /* as text, "" if none */
	unsigned int flags;  /* IFF_* */
	unsigned short type; /* ARPHRD_* */
	unsigned int mtu;
	int parent;	       /* IFLA_LINK, 0: none */
	bool parent_elsewhere; /* parent is an index in another namespace */
	int parent_netns;      /* that namespace's number in the asked one: rtnl_our_id() */
	int holder;	       /* IFLA_MASTER: the bridge, bond or VRF above, 0: none */
	uint16_t ipvlan_mode;  /* IPVLAN_MODE_*, if link_is_ipvlan() */
	uint16_t ipvlan_flags; /* IPVLAN_F_* */
	uint16_t vlan;	       /* id, if kind is "vlan" and of IEEE 802.1Q */
	uint32_t group;	       /* OUR_NUMBER: we have made it on the host */
};

/* Is it a slave of an ipvlan master? An ipvtap is one too, and shares mode and flag with the others. We
 * make only those of kind "ipvlan". */
bool link_is_ipvlan(const struct link *link);

/* The kernel does not say that the parent of an ipvtap is in another namespace: .parent is the index of a
 * link in any of them. But all slaves have the MAC address of their master. */
bool link_tells_netns(const struct link *link);

enum found link_find(struct rtnl *nl, const char *name, struct link *ret, struct cni_error *err);
enum found link_find_index(struct rtnl *nl, int index, struct link *ret, struct cni_error *err);

/* Calls each() for every link of the namespace. */
int link_each(struct rtnl *nl, void (*each)(const struct link *, void *), void *arg, struct cni_error *err);

/* The ipvlan slave that ipvlan_create() makes. */
struct ipvlan {
	const char *name;
	int index;	  /* 0: the kernel's choice */
	int parent;	  /* index, in the namespace of the socket that creates it */
	uint16_t mode;	  /* IPVLAN_MODE_* */
	int flags;	  /* IPVLAN_F_*, or -1: those of the master */
	unsigned int mtu; /* 0: the parent's */
	int netns;	  /* where to put it; -1: where the socket is */
	uint32_t group;	  /* 0: none */
};

/*
 * Returns 0, or the kernel's errno with *err filled. EEXIST: the name is taken in the target
 * namespace or, before Linux 6.15, in the namespace of the socket. It always sends
 * IFLA_IPVLAN_MODE: without it the kernel would switch the master and all its slaves to l3.
 */
int ipvlan_create(struct rtnl *nl, const struct ipvlan *ipvlan, struct cni_error *err);

/* Both make a link in our namespace that is up and in the group OUR_NUMBER, which shows that we
 * have made it. They return 0, or the kernel's errno with *err filled. */
int vlan_create(struct rtnl *nl, const char *name, int parent, uint16_t id, struct cni_error *err);
int dummy_create(struct rtnl *nl, const char *name, unsigned int mtu, struct cni_error *err);

/* Would vlan_create() or dummy_create() succeed while the parent is up? Return what they would return, and
 * create nothing. */
int vlan_check(struct rtnl *nl, const struct link *parent, uint16_t id, struct cni_error *err);
int dummy_check(struct rtnl *nl, struct cni_error *err);

/* Does the kernel know links of this kind? Creates nothing. */
enum found link_kind_known(struct rtnl *nl, const char *kind, struct cni_error *err);

int link_rename(struct rtnl *nl, int index, const char *name, struct cni_error *err);

/* Succeeds if the link does not exist. */
int link_delete(struct rtnl *nl, int index, struct cni_error *err);

/* These queue a request; rtnl_commit() sends it. */
void link_queue_up(struct rtnl *nl, int index);
void link_queue_down(struct rtnl *nl, int index);
void link_queue_arp_notify(struct rtnl *nl, int index);

const char *ipvlan_mode_text(uint16_t mode);
const char *ipvlan_flags_text(uint16_t flags);
bool ipvlan_mode_parse(const char *text, uint16_t *ret);
bool ipvlan_flags_parse(const char *text, int *ret);

#endif
