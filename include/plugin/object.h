/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object on the host that pods require: a link, a route, an entry of a table.
 *
 * A constructor brings each object into its only form: prefixes without host bits, interfaces by
 * index. object_key() identifies an object by its place on the host: there is one route to a
 * destination, and one neighbour with an address. Several attachments may hold the same object.
 * Attachments that require different objects in one place are in conflict.
 *
 * Making an object that exists, and removing one that does not, succeeds. If somebody else has made
 * an equal object, it is used, and never removed. An anonymous object does not show who has made it:
 * its holders have recorded whether it existed before the first of them.
 */
#ifndef PLUGIN_OBJECT_H
#define PLUGIN_OBJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "net/link.h"
#include "net/rtnl.h"
#include "plugin/view.h"

enum object_kind {
	OBJECT_ANCHOR,	   /* an ipvlan slave of dev, in the host's namespace */
	OBJECT_ACCESS,	   /* the anchor of dev is up: in l3 and l3s the host reaches the pods by it */
	OBJECT_ROUTE,	   /* to, via, dev, src */
	OBJECT_NEIGHBOUR,  /* to, lladdr, dev; 0.1.0 made them for pods in l2 */
	OBJECT_PROXY,	   /* the host answers neighbour solicitations for to on dev */
	OBJECT_HAIRPIN,	   /* host and pods are neighbours on dev: net/hairpin.h */
	OBJECT_SYSCTL,	   /* name, a file of /proc/sys/net/{ipv4,ipv6}/conf/<dev>, is on */
	OBJECT_VLAN,	   /* name, of id on dev */
	OBJECT_DUMMY,	   /* name */
	OBJECT_RESOLV,	   /* the resolv.conf of the namespace name */
	OBJECT_TABLE,	   /* the nftables table that masquerades pods */
	OBJECT_MASQUERADE, /* to, a pod's address in its subnet */
	OBJECT_FENCE,	   /* the nftables table of dev, with the addresses that may send by it */
	OBJECT_GUARD,	   /* drops packets that dev sends from other addresses */
	OBJECT_LEASE,	   /* to, a pod's address on dev */
	OBJECT_RATE,	   /* name: the rates of to, a pod's address on dev; via: the pod's first address */
	OBJECT_POLICY,	   /* name: the chains of allow and deny, in the fence of dev, with these rules */
	OBJECT_SUBJECT,	   /* to, a pod's address on dev, is subject to the policy name */
	OBJECT_KINDS,
};

struct object {
	enum object_kind kind;
	int dev; /* interface index, 0: none */
	struct prefix to;
	struct ip via, src; /* family 0: none */
	unsigned int id;
	char lladdr[20];
	char name[128];

	/* how to make it, and to restore it: not part of its identity */
	uint16_t mode;	     /* of an anchor */
	int index;	     /* of an anchor that is repaired; 0: the kernel's choice */
	unsigned int mtu;    /* of a dummy, 0: the kernel's choice */
	const json_t *dns;   /* of a resolv.conf; borrowed */
	const json_t *rules; /* of a policy: plugin/policy.h; borrowed, NULL: another holder has them */
	int all;	     /* of a sysctl, its value for "all" before its first holder; -1: not known */
	bool before;	     /* of an anonymous object: it existed before its first holder */
};

struct object object_anchor(int dev, uint16_t mode);
struct object object_access(int dev);
struct object object_route(int dev, const struct prefix *to, const struct ip *via, const struct ip *src);
struct object object_neighbour(int dev, const struct ip *ip, const char *lladdr);
struct object object_proxy(int dev, const struct ip *ip);
struct object object_hairpin(int dev);
/* name: "forwarding", or, of IPv6, "ipv6.forwarding" */
struct object object_sysctl(int dev, const char *name);
struct object object_vlan(int dev, unsigned int id, const char *name);
struct object object_dummy(const char *name, unsigned int mtu);
struct object object_resolv(const char *name, const json_t *dns);
struct object object_table(void);
struct object object_masquerade(const struct prefix *address);
struct object object_fence(int dev);
struct object object_guard(int dev);
/* Bytes per second, and the burst in bytes; rate 0: no limit. */
struct rate {
	unsigned long long rate, burst;
};

/* The least burst: a packet that the kernel has not cut into segments yet would never pass a smaller
 * one. */
#define BURST_MIN 131072LL

/* Two rates: out of the pod, and into it. Addresses with the same first share their rates. */
struct object object_rate(int dev, const struct ip *ip, const struct ip *first, const struct rate *rates);
bool object_rates(const struct object *object, struct rate ret[2]);

struct object object_lease(int dev, const struct ip *ip);
struct object object_policy(int dev, const json_t *rules);
struct object object_subject(int dev, const struct ip *ip, const struct object *policy);

/* The object's place, as the name of a file. */
struct object_key {
	char s[240];
} object_key(const struct object *object);

bool object_same_place(const struct object *a, const struct object *b);

/* For two objects in one place: are they equal, so that both may be held? */
bool object_agrees(const struct object *a, const struct object *b);

/* Is the object its place only, so that any two in one place agree? */
bool object_plain(const struct object *object);

/* For people, in the words of iproute2: "route to 192.168.9.0/24 via 10.138.36.66 dev 3". */
struct object_text {
	char s[256];
} object_text(const struct object *object);

/* The form in the ledger. object_read() returns false if this version does not know the object; it
 * copies strings, and borrows dns. */
json_t *object_json(const struct object *object);
bool object_read(struct object *ret, const json_t *doc);

/* Must object_look() be called before object_remove()? */
bool object_must_look(const struct object *object);

/* Finds out what takes long; call it before the ledger is locked to make, or remove, the object. */
int object_look(struct view *view, const struct object *object, bool removing, struct cni_error *err);

/* Not for objects that a program makes: plugin/nft.h. */
int object_make(struct view *view, const struct object *object, struct cni_error *err);
int object_remove(struct view *view, const struct object *object, struct cni_error *err);

/* CNI_CONFIG if object_make() would fail because of something on the host. Changes nothing. */
int object_check(struct view *view, const struct object *object, struct cni_error *err);

/* Does the object exist as it was made? */
enum found object_find(struct view *view, const struct object *object, struct cni_error *err);

/* Is it the object_key() of an object of this kind? */
bool object_is_key_of(enum object_kind kind, const char *key);

/* Does an existing one not show whether we have made it? */
bool object_anonymous(const struct object *object);

/* Does a program make and remove it, while the ledger is not locked? */
bool object_by_program(const struct object *object);

/* The name of the anchor's link, from the index of its master. */
void anchor_name(int dev, char ret[IFNAMSIZ]);

/* Ignores a link of that name that we have not made. */
enum found anchor_find(struct rtnl *host, int dev, struct link *ret, struct cni_error *err);

#endif
