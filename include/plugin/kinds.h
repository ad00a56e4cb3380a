/*
 * What each kind of object is, for object.c, which chooses. See plugin/object.h
 * for what the functions promise.
 */
#ifndef PLUGIN_KINDS_H
#define PLUGIN_KINDS_H

#include "plugin/object.h"

struct kind {
	const char *name;
	int (*make)(struct rtnl *host, const struct object *object, struct cni_error *err);
	int (*remove)(struct rtnl *host, const struct object *object, struct cni_error *err);
	enum found (*find)(struct rtnl *host, const struct object *object, struct cni_error *err);
	bool anonymous; /* once there, nothing tells that it is ours */
};

extern const struct kind kind_anchor, kind_access, kind_route, kind_neighbour, kind_sysctl;
extern const struct kind kind_vlan, kind_dummy, kind_resolv;
extern const struct kind kind_table, kind_masquerade;

/* The path of nft, which masquerading needs; NULL: it is not installed. */
const char *nft_program(void);

/* The same for those who cannot do without it. CNI_CONFIG. */
int nft_require(const char **ret, struct cni_error *err);

#endif
