/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/netns.h"
#include "plugin/kinds.h"

/*
 * A sysctl of an interface that others use too. The object has the index of the interface, since
 * names change, whether the sysctl was on before its first holder, and the value for "all" interfaces
 * at that time. The last holder gives it the value that it would have without pods.
 */

struct sysctl_name {
	char s[sizeof("ipv4/conf//") + IFNAMSIZ + sizeof(((struct object *)0)->name)];
};

#define IPV6 "ipv6."

static struct sysctl_name sysctl_of(const char *interface, const struct object *object)
{
	const bool ipv6 = !strncmp(object->name, IPV6, strlen(IPV6));
	struct sysctl_name name;

	snprintf(name.s, sizeof(name.s), "%s/conf/%s/%s", ipv6 ? "ipv6" : "ipv4", interface,
		 object->name + (ipv6 ? strlen(IPV6) : 0));
	return name;
}

/* accept_ra: 2 accepts router advertisements on a router, 1 only on a host
 * (Documentation/networking/ip-sysctl.rst). */
static bool sysctl_is_accept_ra(const struct object *object)
{
	return !strcmp(object->name, IPV6 "accept_ra");
}

/* Who writes it for "all" interfaces sets that of each interface: the machine becomes a router, or ceases to
 * be one. Others of ours are not written by "all". */
static bool sysctl_is_forwarding(const struct object *object)
{
	return !strcmp(object->name, "forwarding") || !strcmp(object->name, IPV6 "forwarding");
}

static const char *sysctl_on(const struct object *object)
{
	return sysctl_is_accept_ra(object) ? "2" : "1";
}

static const char *sysctl_off(const struct object *object)
{
	return sysctl_is_accept_ra(object) ? "1" : "0";
}

/* FOUND_NOT: the interface does not exist, so neither do its sysctls. */
static enum found sysctl_find_name(struct view *view, const struct object *object, struct sysctl_name *ret,
				   struct cni_error *err)
{
	struct link link;
	enum found found = link_find_index(view->host, object->dev, &link, err);

	if (found == FOUND)
		*ret = sysctl_of(link.name, object);
	return found;
}

static int sysctl_set(const struct sysctl_name *name, const char *value, struct cni_error *err)
{
	struct sysctl sysctl = { .value = value };

	if (snprintf(sysctl.name, sizeof(sysctl.name), "%s", name->s) >= (int)sizeof(sysctl.name))
		return cni_fail(err, CNI_INTERNAL, "the sysctl %s has a name that is too long", name->s);
	netns_sysctl(-1, &sysctl, 1);
	if (netns_sysctl_is(name->s, value, NULL) == FOUND)
		return 0;
	return cni_fail(err, CNI_IO, "cannot set the sysctl %s to %s", name->s, value);
}

static int sysctl_make(struct view *view, const struct object *object, struct cni_error *err)
{
	struct sysctl_name name;
	enum found found = sysctl_find_name(view, object, &name, err);

	if (found == FOUND_NOT)
		return cni_fail(err, CNI_RETRY, "link %d is gone", object->dev);
	return found == FOUND ? sysctl_set(&name, sysctl_on(object), err) : -1;
}

static enum found sysctl_find(struct view *view, const struct object *object, struct cni_error *err)
{
	struct sysctl_name name;
	enum found found = sysctl_find_name(view, object, &name, err);

	return found == FOUND ? netns_sysctl_is(name.s, sysctl_on(object), err) : found;
}

/* Is the sysctl on already, or can it be written? A new interface has those of "default". */
static int sysctl_check(struct view *view, const struct object *object, struct cni_error *err)
{
	char path[sizeof("/proc/sys/net/") + sizeof(struct sysctl_name)];
	struct sysctl_name name = sysctl_of("default", object);
	enum found found = object->dev ? sysctl_find_name(view, object, &name, err) : FOUND;

	if (found != FOUND)
		return (int)found;
	if (netns_sysctl_is(name.s, sysctl_on(object), NULL) == FOUND)
		return 0;
	snprintf(path, sizeof(path), "/proc/sys/net/%s", name.s);
	if (access(path, W_OK) == 0)
		return 0;
	cni_fail(err, CNI_IO, "cannot set the sysctl %s to %s", name.s, sysctl_on(object));
	return cni_hint(err, "%s", errno_text(errno));
}

int sysctl_read_all(const struct object *object)
{
	const enum found on = netns_sysctl_is(sysctl_of("all", object).s, sysctl_on(object), NULL);

	return on == FOUND ? 1 : on == FOUND_NOT ? 0 : -1;
}

/* Would the sysctl be on without pods? As it was before the first holder, or as somebody has set it for all
 * interfaces since. */
static enum found sysctl_is_on_without_us(const struct object *object, struct cni_error *err)
{
	const enum found before = object->before ? FOUND : FOUND_NOT,
			 then = object->all > 0 ? FOUND : FOUND_NOT;
	enum found now;

	if (!sysctl_is_forwarding(object))
		return before;
	now = netns_sysctl_is(sysctl_of("all", object).s, sysctl_on(object), err);
	return now == then ? before : now;
}

/* Restores the value, unless somebody has changed it. */
static int sysctl_restore(struct view *view, const struct object *object, struct cni_error *err)
{
	struct sysctl_name name;
	enum found found = sysctl_find_name(view, object, &name, err), on;

	if (found == FOUND)
		found = netns_sysctl_is(name.s, sysctl_on(object), err);
	if (found != FOUND)
		return (int)found;
	on = sysctl_is_on_without_us(object, err);
	if (on == FOUND_NOT)
		return sysctl_set(&name, sysctl_off(object), err);
	if (on == FOUND && !object->before)
		cni_log("%s stays on: meanwhile it was set for all interfaces", name.s);
	return on == FOUND ? 0 : -1;
}

const struct kind kind_sysctl = {
	.name = "sysctl",
	.key = KEY_DEV | KEY_NAME,
	.make = sysctl_make,
	.remove = sysctl_restore,
	.find = sysctl_find,
	.check = sysctl_check,
	.anonymous = true,
};
