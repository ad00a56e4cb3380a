#include <stdio.h>

#include "net/netns.h"
#include "plugin/kinds.h"

static int set(const struct object *object, const char *value, struct cni_error *err)
{
	struct sysctl sysctl = { .value = value };

	snprintf(sysctl.name, sizeof(sysctl.name), "%s", object->name);
	netns_sysctl(-1, &sysctl, 1);
	if (netns_sysctl_is(object->name, value))
		return 0;
	return cni_fail(err, CNI_IO, "cannot set the sysctl %s to %s", object->name, value);
}

static int make(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	(void)host;
	return set(object, "1", err);
}

static enum found find(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	(void)host;
	(void)err;
	return netns_sysctl_is(object->name, "1") ? FOUND : FOUND_NOT;
}

/* The master may be gone, and its sysctls with it. */
static int unmake(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	return find(host, object, err) == FOUND ? set(object, "0", err) : 0;
}

const struct kind kind_sysctl = {
	.name = "sysctl",
	.make = make,
	.remove = unmake,
	.find = find,
	.anonymous = true,
};
