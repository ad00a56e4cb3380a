#include "plugin/guard.h"

#include <limits.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "net/netns.h"

/* A slave of the master, and where it was found. */
struct slave {
	struct link link;
	char where[PATH_MAX];
};

/* The slaves of a master in one namespace. */
struct search {
	struct link like; /* .parent, .parent_elsewhere and .parent_netns of any slave */
	int except;	  /* index of the anchor */
	struct link found;
};

static void match_slave(const struct link *link, void *arg)
{
	struct search *search = arg;
	const struct link *like = &search->like;

	if (!search->found.index && !strcmp(link->kind, "ipvlan") && link->index != search->except &&
	    link->parent == like->parent && link->parent_elsewhere == like->parent_elsewhere &&
	    (!like->parent_elsewhere || link->parent_netns == like->parent_netns))
		search->found = *link;
}

/* A slave of a slave is one of the master's own master, which is elsewhere. */
static struct link slave_of(const struct link *master)
{
	return !strcmp(master->kind, "ipvlan") ? *master : (struct link){ .parent = master->index };
}

static int look_elsewhere(int netns, const char *path, void *arg, struct cni_error *err)
{
	struct search search = { .like = { .parent_elsewhere = true } };
	struct slave *slave = arg;
	struct rtnl nl;
	int rc;

	search.like.parent = slave->link.parent;
	if (rtnl_open(&nl, netns, err) < 0)
		return -1;
	search.like.parent_netns = rtnl_own_id(&nl, err);
	rc = search.like.parent_netns < 0 ? 0 : link_each(&nl, match_slave, &search, err);
	rtnl_close(&nl);
	if (rc < 0 || !search.found.index)
		return rc;
	slave->link = search.found;
	snprintf(slave->where, sizeof(slave->where), "%s", path);
	return 1;
}

/* Any slave of the master but the anchor, wherever it is. */
static enum found find_slave(struct rtnl *home, const struct link *master, int anchor, bool everywhere,
			     struct slave *ret, struct cni_error *err)
{
	struct search search = { .like = slave_of(master), .except = anchor };
	int rc;

	if (link_each(home, match_slave, &search, err) < 0)
		return FOUND_FAILED;
	if (search.found.index) {
		*ret = (struct slave){ search.found, "this namespace" };
		return FOUND;
	}
	if (search.like.parent_elsewhere || !everywhere)
		return FOUND_NOT;
	ret->link = search.like;
	rc = netns_each(look_elsewhere, ret, err);
	return rc < 0 ? FOUND_FAILED : rc ? FOUND : FOUND_NOT;
}

static bool agrees(const struct link *slave, const struct conf *conf)
{
	return slave->ipvlan_mode == conf->mode &&
	       (conf->flags < 0 || slave->ipvlan_flags == (uint16_t)conf->flags);
}

static int refuse(const struct link *master, const struct slave *slave, const struct conf *conf,
		  struct cni_error *err)
{
	const char *mode = ipvlan_mode_text(slave->link.ipvlan_mode);
	const char *flag = ipvlan_flags_text(slave->link.ipvlan_flags);

	if (slave->link.ipvlan_mode != conf->mode)
		cni_fail(err, CNI_CONFIG, "master \"%s\" is in use with mode %s, not %s", master->name, mode,
			 ipvlan_mode_text(conf->mode));
	else
		cni_fail(err, CNI_CONFIG, "master \"%s\" is in use with flag %s, not %s", master->name, flag,
			 ipvlan_flags_text((uint16_t)conf->flags));
	return cni_hint(err,
			"all ipvlan interfaces of a master share mode and flag; \"%s\" in %s runs with %s "
			"%s, and would be switched. Use these, or another master, or \"force\": true",
			slave->link.name, slave->where, mode, flag);
}

int guard_admit(struct rtnl *home, const struct link *master, const struct conf *conf, int *flags,
		struct cni_error *err)
{
	struct link anchor = { .index = 0 };
	enum found found = FOUND_NOT;
	struct slave slave;

	*flags = conf->flags;
	if (!conf->link_in_container)
		found = anchor_find(home, master->index, &anchor, err);
	if (found == FOUND_FAILED)
		return -1;
	if (found == FOUND && agrees(&anchor, conf))
		return 0;
	switch (find_slave(home, master, found == FOUND ? anchor.index : 0, !conf->link_in_container, &slave,
			   err)) {
	case FOUND_FAILED:
		return -1;
	case FOUND_NOT:
		*flags = conf->flags < 0 ? 0 : conf->flags;
		return 0;
	case FOUND:
		break;
	}
	if (agrees(&slave.link, conf))
		return 0;
	if (!conf->force)
		return refuse(master, &slave, conf, err);
	cni_log("force: switching \"%s\" in %s and all other ipvlan interfaces of %s", slave.link.name,
		slave.where, master->name);
	return 0;
}

struct object guard_anchor(const struct link *master, const struct conf *conf)
{
	return (struct object){ .kind = OBJECT_ANCHOR, .dev = master->index, .mode = conf->mode };
}

static void match_child(const struct link *link, void *arg)
{
	struct search *search = arg;

	if (link->parent == search->like.parent && !link->parent_elsewhere)
		search->found = *link;
}

enum found guard_used(struct rtnl *host, const struct link *master, struct cni_error *err)
{
	struct search children = { .like = { .parent = master->index } };
	struct slave slave;

	if (master->holder)
		return FOUND;
	if (link_each(host, match_child, &children, err) < 0)
		return FOUND_FAILED;
	return children.found.index ? FOUND : find_slave(host, master, 0, true, &slave, err);
}
