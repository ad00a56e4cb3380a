/* SPDX-License-Identifier: Apache-2.0 */
#include "net/hairpin.h"
#include "plugin/kinds.h"

static int hairpin_make(struct view *view, const struct object *object, struct cni_error *err)
{
	return hairpin_add(view->host, object->dev, err);
}

static int hairpin_may_be(struct view *view, const struct object *object, struct cni_error *err)
{
	return hairpin_check(view->host, object->dev, err);
}

static int hairpin_remove(struct view *view, const struct object *object, struct cni_error *err)
{
	return hairpin_delete(view->host, object->dev, err);
}

static enum found hairpin_is(struct view *view, const struct object *object, struct cni_error *err)
{
	return hairpin_find(view->host, object->dev, err);
}

const struct kind kind_hairpin = {
	.name = "hairpin",
	.key = KEY_DEV,
	.make = hairpin_make,
	.remove = hairpin_remove,
	.find = hairpin_is,
	.check = hairpin_may_be,
};
