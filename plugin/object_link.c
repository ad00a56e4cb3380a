/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/netns.h"
#include "plugin/kinds.h"

void anchor_name(int dev, char ret[IFNAMSIZ])
{
	snprintf(ret, IFNAMSIZ, "ipva%d", dev);
}

static bool anchor_is(const struct link *link)
{
	return !strcmp(link->kind, "ipvlan") && link->group == OUR_NUMBER;
}

/* Returns FOUND_NOT for another link of that name. */
enum found anchor_find(struct rtnl *host, int dev, struct link *ret, struct cni_error *err)
{
	char name[IFNAMSIZ];
	enum found found;

	anchor_name(dev, name);
	found = link_find(host, name, ret, err);
	return found == FOUND && !anchor_is(ret) ? FOUND_NOT : found;
}

static int anchor_report_other(const char *name, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "there is another interface \"%s\" already", name);
	return cni_hint(err, "the plugin requires that name for the interface that keeps the mode of the "
			     "master, and has not made this one; rename or delete it");
}

static int anchor_check(struct view *view, const struct object *object, struct cni_error *err)
{
	char name[IFNAMSIZ];
	struct link link;
	enum found found;

	anchor_name(object->dev, name);
	found = link_find(view->host, name, &link, err);
	return found == FOUND && !anchor_is(&link) ? anchor_report_other(name, err)
	       : found == FOUND_FAILED		   ? -1
						   : 0;
}

static int anchor_make(struct view *view, const struct object *object, struct cni_error *err)
{
	char name[IFNAMSIZ];
	const struct ipvlan ipvlan = {
		.name = name,
		.index = object->index,
		.parent = object->dev,
		.mode = object->mode,
		.flags = -1,
		.netns = -1,
		.group = OUR_NUMBER,
	};
	struct cni_error why = { 0 };
	struct link there;
	enum found found = anchor_find(view->host, object->dev, &there, err);
	int error;

	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	anchor_name(object->dev, name);
	error = ipvlan_create(view->host, &ipvlan, &why);
	if (error == EEXIST)
		return anchor_report_other(name, err);
	if (!error)
		return 0;
	cni_fail(err, CNI_INTERNAL, "failed to create %s, which keeps the master's mode: %s", name, why.msg);
	return cni_hint(err, "%s", why.details);
}

static enum found anchor_exists(struct view *view, const struct object *object, struct cni_error *err)
{
	struct link link;

	return anchor_find(view->host, object->dev, &link, err);
}

static int anchor_remove(struct view *view, const struct object *object, struct cni_error *err)
{
	struct link link;
	enum found found = anchor_find(view->host, object->dev, &link, err);

	return found == FOUND ? link_delete(view->host, link.index, err) : (int)found;
}

const struct kind kind_anchor = {
	.name = "anchor",
	.key = KEY_DEV,
	.make = anchor_make,
	.remove = anchor_remove,
	.find = anchor_exists,
	.check = anchor_check,
};

/* The anchor is only for routes: it must not take addresses from routers on the LAN. */
static void anchor_keep_bare(const struct link *anchor)
{
	struct sysctl sysctls[] = { { "", "0" }, { "", "0" } };

	if (!netns_has_ipv6())
		return;
	snprintf(sysctls[0].name, sizeof(sysctls[0].name), "ipv6/conf/%s/accept_ra", anchor->name);
	snprintf(sysctls[1].name, sizeof(sysctls[1].name), "ipv6/conf/%s/autoconf", anchor->name);
	netns_sysctl(-1, sysctls, 2);
}

static int access_make(struct view *view, const struct object *object, struct cni_error *err)
{
	struct link anchor;
	struct cni_error why = { 0 };

	if (anchor_find(view->host, object->dev, &anchor, err) != FOUND)
		return cni_fail(err, CNI_INTERNAL, "the anchor of link %d is gone", object->dev);
	if (anchor.flags & IFF_UP)
		return 0;
	anchor_keep_bare(&anchor);
	link_queue_up(view->host, anchor.index);
	if (!rtnl_commit_one(view->host, &why))
		return 0;
	return cni_fail(err, CNI_INTERNAL, "failed to set \"%s\" UP: %s", anchor.name, why.msg);
}

static int access_remove(struct view *view, const struct object *object, struct cni_error *err)
{
	struct link anchor;
	struct cni_error why = { 0 };
	enum found found = anchor_find(view->host, object->dev, &anchor, err);

	if (found != FOUND)
		return (int)found;
	link_queue_down(view->host, anchor.index);
	if (!rtnl_commit_one(view->host, &why))
		return 0;
	return cni_fail(err, CNI_INTERNAL, "failed to set \"%s\" DOWN: %s", anchor.name, why.msg);
}

static enum found access_find(struct view *view, const struct object *object, struct cni_error *err)
{
	struct link anchor;
	enum found found = anchor_find(view->host, object->dev, &anchor, err);

	return found == FOUND && !(anchor.flags & IFF_UP) ? FOUND_NOT : found;
}

const struct kind kind_access = {
	.name = "access",
	.key = KEY_DEV,
	.make = access_make,
	.remove = access_remove,
	.find = access_find,
};
