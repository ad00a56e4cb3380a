/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thing on the host that pods need: a link, a route, an entry of a table.
 *
 * Each has a constructor, which brings it into the one form that it has, however the
 * configuration spells it: prefixes without host bits, interfaces by index. Its identity,
 * object_key(), is the place that it takes on the host: there is one route to a
 * destination, one neighbour of an address. Two attachments may hold the same object; two
 * that need different things at the same place contradict each other.
 *
 * Making an object that exists, and removing one that does not, succeeds. What somebody
 * else has made is used where it is the same, and never removed.
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
	OBJECT_ACCESS,	   /* the anchor of dev is up: in l3 and l3s the host's way to the pods */
	OBJECT_ROUTE,	   /* to, via, dev, src */
	OBJECT_NEIGHBOUR,  /* to, which has lladdr, on dev; pods of 0.1.0 have them in l2 */
	OBJECT_PROXY,	   /* the host answers neighbour solicitations for to, on dev */
	OBJECT_HAIRPIN,	   /* host and pods are neighbours on dev: net/hairpin.h */
	OBJECT_SYSCTL,	   /* name, of those in /proc/sys/net/{ipv4,ipv6}/conf/<dev>, is on */
	OBJECT_VLAN,	   /* name, of id on dev */
	OBJECT_DUMMY,	   /* name */
	OBJECT_RESOLV,	   /* the resolv.conf of the namespace name */
	OBJECT_TABLE,	   /* nft's, that masquerades pods */
	OBJECT_MASQUERADE, /* to, a pod's address in its subnet */
	OBJECT_FENCE,	   /* nft's table of dev, with the addresses that may send by it */
	OBJECT_GUARD,	   /* what sends by dev from another address is dropped */
	OBJECT_LEASE,	   /* to, a pod's address on dev */
	OBJECT_RATE,	   /* name: how fast to, a pod's address on dev, may send and get; via: its first */
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

	/* how to make it, and to put it back: no part of what it is */
	uint16_t mode;	   /* of an anchor */
	int index;	   /* of an anchor that is made again; 0: the kernel's choice */
	unsigned int mtu;  /* of a dummy, 0: the kernel's choice */
	const json_t *dns; /* of a resolv.conf; borrowed */
	int all;	   /* of a sysctl, what it was for "all" when we set it; -1: not known */
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
/* Bytes a second, and at once; rate 0: as fast as it can. */
struct rate {
	unsigned long long rate, burst;
};

/* Two rates: out of the pod, and into it. Addresses of one first share their rates. */
struct object object_rate(int dev, const struct ip *ip, const struct ip *first, const struct rate *rates);
bool object_rates(const struct object *object, struct rate ret[2]);

struct object object_lease(int dev, const struct ip *ip);

/* The place that it takes, as a name for a file. */
struct object_key {
	char s[240];
} object_key(const struct object *object);

bool object_same_place(const struct object *a, const struct object *b);

/* Of two in one place: are they the same thing, so that both may be held at once? */
bool object_agrees(const struct object *a, const struct object *b);

/* There is nothing more to it than its place: any two in one place agree. */
bool object_plain(const struct object *object);

/* In iproute2's words, for people: "route to 192.168.9.0/24 via 10.138.36.66 dev 3". */
struct object_text {
	char s[256];
} object_text(const struct object *object);

/* As the ledger keeps it. object_read() returns false for what this version does not know;
 * strings are copied, dns is borrowed. */
json_t *object_json(const struct object *object);
bool object_read(struct object *ret, const json_t *doc);

/* Must object_look() be called before it is removed? */
bool object_must_look(const struct object *object);

/* Finds out what takes its time, before the ledger is locked to make it, or remove it. */
int object_look(struct view *view, const struct object *object, bool removing, struct cni_error *err);

/* Not of those that a program makes: plugin/nft.h. */
int object_make(struct view *view, const struct object *object, struct cni_error *err);
int object_remove(struct view *view, const struct object *object, struct cni_error *err);

/* Would object_make() fail for something that is in its place, or missing, on the host? Changes
 * nothing. CNI_CONFIG. */
int object_check(struct view *view, const struct object *object, struct cni_error *err);

/* Does it exist, as it was made? */
enum found object_find(struct view *view, const struct object *object, struct cni_error *err);

/* Once it exists, nothing about it shows whether we have made it. */
bool object_anonymous(const struct object *object);

/* A program makes and removes it: not while the ledger is locked. */
bool object_by_program(const struct object *object);

/* The name of the anchor's link, made of the index of its master. */
void anchor_name(int dev, char ret[IFNAMSIZ]);

/* A link of that name which we have not made is none. */
enum found anchor_find(struct rtnl *host, int dev, struct link *ret, struct cni_error *err);

#endif
