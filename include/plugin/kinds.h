/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each kind of object is, for object.c, which chooses. See plugin/object.h
 * for what the functions promise.
 */
#ifndef PLUGIN_KINDS_H
#define PLUGIN_KINDS_H

#include <stdio.h>

#include "plugin/nft.h"
#include "plugin/object.h"

/* The part of an object of the kind that says its place: two objects of one place are rivals. */
enum {
	KEY_DEV = 1,
	KEY_ADDRESS = 2, /* to, without its length */
	KEY_PREFIX = 4,	 /* to */
	KEY_NAME = 8,
};

struct kind {
	const char *name;
	unsigned int key;
	int (*make)(struct view *view, const struct object *object, struct cni_error *err);
	int (*remove)(struct view *view, const struct object *object, struct cni_error *err);
	enum found (*find)(struct view *view, const struct object *object, struct cni_error *err);
	/* Would make() fail for something that others have there? Changes nothing; NULL: it would not. */
	int (*check)(struct view *view, const struct object *object, struct cni_error *err);
	/* What takes its time to find out before make(), or remove(), while nothing is locked; NULL: nothing.
	 */
	int (*look)(struct view *view, const struct object *object, bool removing, struct cni_error *err);
	bool look_to_remove;
	bool anonymous; /* once it exists, nothing shows that it is ours */
	/* nft makes and removes it, which takes its time, in place of make() and remove(): plugin/nft.h */
	int (*print)(FILE *script, struct view *view, const struct object *object, enum nft_step step,
		     struct cni_error *err);
};

extern const struct kind kind_anchor, kind_access, kind_route, kind_neighbour, kind_proxy, kind_sysctl;
extern const struct kind kind_hairpin;
extern const struct kind kind_vlan, kind_dummy, kind_resolv;
extern const struct kind kind_table, kind_masquerade;
extern const struct kind kind_fence, kind_guard, kind_lease, kind_rate;

const struct kind *object_kind(const struct object *object);

/* What a sysctl is for "all" interfaces; -1: it cannot be read. */
int sysctl_read_all(const struct object *object);

/* Would the kernel accept gw as the gateway of a route over the interface dev? CNI_CONFIG. */
int gateway_check(struct rtnl *host, int dev, const struct ip *gw, struct cni_error *err);

#endif
