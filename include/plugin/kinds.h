/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of objects, among which object.c chooses. plugin/object.h documents the functions.
 */
#ifndef PLUGIN_KINDS_H
#define PLUGIN_KINDS_H

#include <stdio.h>

#include "plugin/nft.h"
#include "plugin/object.h"

/* The parts of an object that make its place: two different objects in one place are rivals. */
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
	/* Would make() fail because of something that others have there? Changes nothing. NULL:
	 * never. */
	int (*check)(struct view *view, const struct object *object, struct cni_error *err);
	/* Finds out, before make() or remove() and without a lock, what takes long. NULL: nothing. */
	int (*look)(struct view *view, const struct object *object, bool removing, struct cni_error *err);
	bool look_to_remove;
	bool anonymous; /* an existing one does not show whether we made it: object->before does */
	/* nft makes and removes it, in place of make() and remove(): plugin/nft.h */
	int (*print)(struct nft_script *script, struct view *view, const struct object *object,
		     enum nft_step step, struct cni_error *err);
};

extern const struct kind kind_anchor, kind_access, kind_route, kind_neighbour, kind_proxy, kind_sysctl;
extern const struct kind kind_hairpin;
extern const struct kind kind_vlan, kind_dummy, kind_resolv;
extern const struct kind kind_table, kind_masquerade;
extern const struct kind kind_fence, kind_guard, kind_lease, kind_rate, kind_policy, kind_subject;

const struct kind *object_kind(const struct object *object);

/* The value of a sysctl for "all" interfaces; -1: it cannot be read. */
int sysctl_read_all(const struct object *object);

/* CNI_CONFIG if the kernel would not accept gw as the gateway of a route over the interface dev. */
int gateway_check(struct rtnl *host, int dev, const struct ip *gw, struct cni_error *err);

/* Fills in the error of gateway_check(), and returns -1. */
int gateway_refuse(const char *link, const struct ip *gw, struct cni_error *err);

#endif
