#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plugin/guard.h"
#include "plugin/kinds.h"

/*
 * Masters that are made when they are missing: VLANs, and dummies for networks that
 * lead nowhere.
 */

static bool is_it(const struct link *link, const struct object *object)
{
	if (object->kind == OBJECT_DUMMY)
		return !strcmp(link->kind, "dummy");
	return !strcmp(link->kind, "vlan") && link->parent == object->dev && !link->parent_elsewhere &&
	       link->vlan == object->id;
}

static int create(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	if (object->kind == OBJECT_DUMMY)
		return dummy_create(host, object->name, object->mtu, err);
	return vlan_create(host, object->name, object->dev, (uint16_t)object->id, err);
}

static int refuse(const struct object *object, const struct link *link, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "there is another interface \"%s\" already", object->name);
	if (object->kind == OBJECT_DUMMY)
		return cni_hint(err, "it is of kind \"%s\", not dummy", link->kind);
	return cni_hint(err, "it is of kind \"%s\", not the VLAN %u of interface %d", link->kind, object->id,
			object->dev);
}

static int make(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct link link;
	int error;

	switch (link_find(host, object->name, &link, err)) {
	case FOUND_FAILED:
		return -1;
	case FOUND:
		return is_it(&link, object) ? 0 : refuse(object, &link, err);
	default:
		break;
	}
	error = create(host, object, &why);
	if (!error)
		return 0;
	cni_fail(err, CNI_INTERNAL, "failed to create the master %s: %s", object->name, why.msg);
	if (error == EOPNOTSUPP)
		return cni_hint(err,
				"this kernel has no interfaces of that kind: load the module 8021q or dummy");
	if (error == ENETDOWN)
		return cni_hint(err, "the interface below it is down");
	return cni_hint(err, "%s", why.details);
}

static enum found find(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	struct link link;
	enum found found = link_find(host, object->name, &link, err);

	return found == FOUND && !is_it(&link, object) ? FOUND_NOT : found;
}

/* Of ours alone, and when nobody else has come to use it. */
static int unmake(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	struct link link;
	enum found found = link_find(host, object->name, &link, err);

	if (found != FOUND || !is_it(&link, object) || link.group != OUR_NUMBER)
		return found == FOUND_FAILED ? -1 : 0;
	found = guard_used(host, &link, err);
	if (found == FOUND)
		cni_log("%s stays: others use it", object->name);
	return found == FOUND_NOT ? link_delete(host, link.index, err) : found == FOUND ? 0 : -1;
}

const struct kind kind_vlan = {
	.name = "vlan",
	.make = make,
	.remove = unmake,
	.find = find,
};

const struct kind kind_dummy = {
	.name = "dummy",
	.make = make,
	.remove = unmake,
	.find = find,
};
