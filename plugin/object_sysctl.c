#include <stdio.h>

#include "net/netns.h"
#include "plugin/kinds.h"

static int set(const struct object *object, const char *value, struct cni_error *err)
{
	struct sysctl sysctl = { .value = value };

	snprintf(sysctl.name, sizeof(sysctl.name), "%s", object->name);
	netns_sysctl(-1, &sysctl, 1);
	if (netns_sysctl_is(object->name, value, NULL) == FOUND)
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
	return netns_sysctl_is(object->name, "1", err);
}

/* The master may be gone, and its sysctls with it. */
static int unmake(struct rtnl *host, const struct object *object, struct cni_error *err)
{
	enum found found = find(host, object, err);

	return found == FOUND ? set(object, "0", err) : (int)found;
}

const struct kind kind_sysctl = {
	.name = "sysctl",
	.make = make,
	.remove = unmake,
	.find = find,
	.anonymous = true,
};
