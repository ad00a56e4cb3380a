/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/alive.h"
#include "net/use.h"
#include "plugin/guard.h"
#include "plugin/kinds.h"
#include "plugin/master.h"

/*
 * Masters that ADD makes if they do not exist: VLANs, and dummies for internal networks.
 */

static bool made_is(const struct link *link, const struct object *object)
{
	if (object->kind == OBJECT_DUMMY)
		return !strcmp(link->kind, "dummy");
	return !strcmp(link->kind, "vlan") && link->parent == object->dev && !link->parent_elsewhere &&
	       link->vlan == object->id;
}

/* A VLAN also by another name: somebody may have renamed it. *other: what has the object's name, index 0:
 * nothing. */
static enum found made_locate(struct view *view, const struct object *object, struct link *ret,
			      struct link *other, struct cni_error *err)
{
	enum found found = link_find(view->host, object->name, ret, err);

	*other = (struct link){ .index = 0 };
	if (found == FOUND_FAILED || (found == FOUND && made_is(ret, object)))
		return found;
	if (found == FOUND)
		*other = *ret;
	return object->kind == OBJECT_VLAN ? master_find_vlan(view->host, object->dev, object->id, ret, err)
					   : FOUND_NOT;
}

static int made_create(struct view *view, const struct object *object, struct cni_error *err)
{
	if (object->kind == OBJECT_DUMMY)
		return dummy_create(view->host, object->name, object->mtu, err);
	return vlan_create(view->host, object->name, object->dev, (uint16_t)object->id, err);
}

static int made_report_other(const struct object *object, const struct link *link, struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "there is another interface \"%s\" already", object->name);
	if (object->kind == OBJECT_DUMMY)
		return cni_hint(err, "it is of kind \"%s\", not dummy", link->kind);
	return cni_hint(err, "it is of kind \"%s\", not the VLAN %u of interface %d", link->kind, object->id,
			object->dev);
}

static int made_refused(struct view *view, const struct object *object, int error,
			const struct cni_error *why, struct cni_error *err)
{
	const char *kind = object_kind(object)->name;

	if (error == EEXIST && object->kind == OBJECT_VLAN) {
		cni_fail(err, CNI_CONFIG, "VLAN %u of interface %d is in another network namespace",
			 object->id, object->dev);
		return cni_hint(err,
				"the kernel allows one VLAN of an id on an interface; ipvlanctl doctor names "
				"the namespace. Move it back, delete it, or use another id");
	}
	cni_fail(err, CNI_INTERNAL, "failed to create the master %s: %s", object->name, why->msg);
	if (error == EOPNOTSUPP && link_kind_known(view->host, kind, NULL) == FOUND_NOT)
		return cni_hint(err,
				"this kernel has no interfaces of that kind: load the module 8021q or dummy");
	if (error == ENETDOWN)
		return cni_hint(err, "the interface below it is down");
	return cni_hint(err, "%s", why->details);
}

/* Would the kernel make it? Returns 0 or its errno, as made_create() does. */
static int made_ask(struct view *view, const struct object *object, struct cni_error *err)
{
	struct link parent;
	enum found found;

	if (object->kind == OBJECT_DUMMY)
		return dummy_check(view->host, err);
	found = link_find_index(view->host, object->dev, &parent, err);
	if (found != FOUND)
		return found == FOUND_NOT ? 0 : EIO;
	return vlan_check(view->host, &parent, (uint16_t)object->id, err);
}

static int made_unless_there(struct view *view, const struct object *object,
			     int (*make)(struct view *view, const struct object *object,
					 struct cni_error *err),
			     struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct link link, other;
	enum found found = made_locate(view, object, &link, &other, err);
	int error;

	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	if (other.index)
		return made_report_other(object, &other, err);
	error = make(view, object, &why);
	return error ? made_refused(view, object, error, &why, err) : 0;
}

static int made_check(struct view *view, const struct object *object, struct cni_error *err)
{
	return made_unless_there(view, object, made_ask, err);
}

static int made_make(struct view *view, const struct object *object, struct cni_error *err)
{
	return made_unless_there(view, object, made_create, err);
}

static enum found made_find(struct view *view, const struct object *object, struct cni_error *err)
{
	struct link link, other;

	return made_locate(view, object, &link, &other, err);
}

/* Where made_look() notes what else uses the link, for made_remove(). */
static const char **made_use(struct view *view, int link)
{
	struct view_use *use = &view->uses[view->uses[0].link && view->uses[0].link != link];

	use->link = link;
	return &use->what;
}

/* Finds out whether something uses the master, here or in another namespace. */
static int made_look(struct view *view, const struct object *object, bool removing, struct cni_error *err)
{
	struct survey survey;
	struct alive alive;
	struct link link, other;
	const char **use;
	int rc;
	enum found found = removing ? made_locate(view, object, &link, &other, err) : FOUND_NOT;

	if (found != FOUND || link.group != OUR_NUMBER)
		return found == FOUND_FAILED ? -1 : 0;
	use = made_use(view, link.index);
	*use = NULL;
	if (link_in_use(view->host, &link, use, err) != FOUND_NOT)
		return *use ? 0 : -1;
	alive_read(&alive);
	rc = guard_survey(&survey, &alive, &link, true, err);
	if (rc == 0 && survey.slave.index)
		*use = "an interface in another namespace";
	alive_free(&alive);
	return rc;
}

/* Removes a master that we made, unless something else uses it. */
static int made_remove(struct view *view, const struct object *object, struct cni_error *err)
{
	struct link link, other;
	const char *use;
	enum found found = made_locate(view, object, &link, &other, err);

	if (found != FOUND || link.group != OUR_NUMBER)
		return found == FOUND_FAILED ? -1 : 0;
	use = *made_use(view, link.index);
	if (!use)
		return link_delete(view->host, link.index, err);
	cni_log("%s stays: it has %s that the plugin has not made", link.name, use);
	return 0;
}

const struct kind kind_vlan = {
	.name = "vlan",
	.key = KEY_NAME,
	.make = made_make,
	.remove = made_remove,
	.find = made_find,
	.check = made_check,
	.look = made_look,
	.look_to_remove = true,
};

const struct kind kind_dummy = {
	.name = "dummy",
	.key = KEY_NAME,
	.make = made_make,
	.remove = made_remove,
	.find = made_find,
	.check = made_check,
	.look = made_look,
	.look_to_remove = true,
};
