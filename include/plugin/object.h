/*
 * A thing on the host that pods need: a link, a route, an entry of a table.
 *
 * It is named by a line in iproute2's words, which is what the ledger keeps and
 * what messages say:
 *
 *	anchor dev 3
 *	route to 192.168.9.0/24 via 10.138.36.66 dev 3
 *
 * Making what is there, and removing what is not, is success. What somebody else
 * has made is used where it is the same, and never removed.
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

enum object_kind {
	OBJECT_ANCHOR,	   /* an ipvlan slave of dev, in the host's namespace */
	OBJECT_ACCESS,	   /* the anchor of dev is up: the host's way to the pods */
	OBJECT_ROUTE,	   /* to, via, dev, src */
	OBJECT_NEIGHBOUR,  /* to, which has lladdr, on dev */
	OBJECT_SYSCTL,	   /* name, below /proc/sys/net, is 1 */
	OBJECT_VLAN,	   /* name, of id on dev */
	OBJECT_DUMMY,	   /* name */
	OBJECT_RESOLV,	   /* the resolv.conf of the namespace name */
	OBJECT_TABLE,	   /* nft's, that masquerades pods */
	OBJECT_MASQUERADE, /* to, a pod's address in its subnet */
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

	/* how to make it; not part of its name */
	uint16_t mode;	   /* of an anchor */
	unsigned int mtu;  /* of a dummy, 0: the kernel's choice */
	const json_t *dns; /* of a resolv.conf; borrowed */
};

struct object_text {
	char s[256];
};

struct object_text object_text(const struct object *object);
bool object_parse(const char *text, struct object *ret);

int object_make(struct rtnl *host, const struct object *object, struct cni_error *err);
int object_remove(struct rtnl *host, const struct object *object, struct cni_error *err);

/* Is it there, as it was made? */
enum found object_find(struct rtnl *host, const struct object *object, struct cni_error *err);

/* Once there, nothing about it tells whether it is ours. */
bool object_anonymous(const struct object *object);

/* The name of the anchor's link, made of the index of its master. */
void anchor_name(int dev, char ret[IFNAMSIZ]);

/* A link of that name which we have not made is none. */
enum found anchor_find(struct rtnl *host, int dev, struct link *ret, struct cni_error *err);

#endif
