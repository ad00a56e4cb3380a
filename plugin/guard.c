/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/guard.h"

#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

/* A search for links on a master in one namespace. */
struct search {
	struct link like; /* the link must have the same parent; .mac is that of the parent */
	int except;	  /* the index of the anchor, which does not count */
	bool any_kind;
	unsigned int vlan; /* not 0: only VLANs with that id */
	bool any_parent;   /* a parent with that index in any other namespace */
	struct link found;
};

static bool guard_is_macvlan(const struct link *link)
{
	return !strcmp(link->kind, "macvlan") || !strcmp(link->kind, "macvtap");
}

static bool guard_search_is_for(const struct search *search, const struct link *link)
{
	if (search->vlan)
		return !strcmp(link->kind, "vlan") && link->vlan == search->vlan;
	return search->any_kind || link_is_ipvlan(link) || guard_is_macvlan(link);
}

static bool guard_has_parent(const struct search *search, const struct link *link)
{
	const struct link *like = &search->like;

	if (link->parent != like->parent)
		return false;
	if (!link_tells_netns(link) || !link_tells_netns(like))
		return !strcmp(link->mac, like->mac);
	return link->parent_elsewhere == like->parent_elsewhere &&
	       (!like->parent_elsewhere || search->any_parent || link->parent_netns == like->parent_netns);
}

static void guard_match_slave(const struct link *link, void *arg)
{
	struct search *search = arg;

	if (!search->found.index && guard_search_is_for(search, link) && link->index != search->except &&
	    guard_has_parent(search, link))
		search->found = *link;
}

static struct link guard_slave_of(const struct link *master, bool elsewhere)
{
	struct link like = { .parent = master->index, .parent_elsewhere = elsewhere };

	memcpy(like.mac, master->mac, sizeof(like.mac));
	return like;
}

struct tour {
	const struct link *master;
	struct survey *survey;
	bool any_kind;
	unsigned int vlan;
};

/* Looks twice: the kernel gives our namespace a number in the other one only when it lists a link
 * whose parent is here. */
static int guard_search_links(struct rtnl *nl, struct search *search, struct cni_error *err)
{
	enum found found;

	search->any_parent = true;
	if (link_each(nl, guard_match_slave, search, err) < 0)
		return -1;
	if (!search->found.index)
		return 0;
	search->found.index = 0;
	search->any_parent = false;
	found = rtnl_our_id(nl, &search->like.parent_netns, err); /* FOUND_NOT: a number that no parent has */
	return found == FOUND_FAILED ? -1 : link_each(nl, guard_match_slave, search, err);
}

static int guard_search_namespace(int netns, const char *path, void *arg, struct cni_error *err)
{
	const struct tour *tour = arg;
	struct survey *survey = tour->survey;
	struct search search = { .like = guard_slave_of(tour->master, true),
				 .any_kind = tour->any_kind,
				 .vlan = tour->vlan };
	struct rtnl nl;
	int rc;

	if (netns < 0)
		return cni_fail(err, CNI_RETRY, "%s", path);
	if (rtnl_open(&nl, netns, err) < 0)
		return -1;
	rc = guard_search_links(&nl, &search, err);
	rtnl_close(&nl);
	if (rc < 0)
		return -1;
	survey->slave = search.found;
	snprintf(survey->where, sizeof(survey->where), "%s", path);
	return search.found.index ? 1 : 0;
}

int guard_survey(struct survey *ret, const struct alive *alive, const struct link *master, bool any_kind,
		 struct cni_error *err)
{
	struct tour tour = { .master = master, .survey = ret, .any_kind = any_kind };
	struct cni_error why = { 0 };

	*ret = (struct survey){ .master = master->index };
	if (alive_each(alive, guard_search_namespace, &tour, &why) >= 0 &&
	    (ret->slave.index || !*alive->unseen))
		return 0;
	ret->incomplete = true;
	cni_fail(err, CNI_RETRY, "cannot look for other interfaces on link %d: %s", master->index,
		 *why.msg ? why.msg : alive->unseen);
	return cni_hint(err, "ADD might switch an ipvlan interface in a namespace that cannot be read to "
			     "another mode. Reading requires root with CAP_SYS_PTRACE and CAP_SYS_ADMIN; "
			     "\"force\": true ignores such a namespace");
}

static bool guard_agrees(const struct link *slave, const struct conf *conf)
{
	return slave->ipvlan_mode == conf->mode &&
	       (conf->flags < 0 || slave->ipvlan_flags == (uint16_t)conf->flags);
}

static int guard_refuse_switch(const struct link *master, const struct link *slave, const char *where,
			       const struct conf *conf, struct cni_error *err)
{
	const char *mode = ipvlan_mode_text(slave->ipvlan_mode);
	const char *flag = ipvlan_flags_text(slave->ipvlan_flags);

	if (slave->ipvlan_mode != conf->mode)
		cni_fail(err, CNI_CONFIG, "master \"%s\" is in use with mode %s, not %s", master->name, mode,
			 ipvlan_mode_text(conf->mode));
	else
		cni_fail(err, CNI_CONFIG, "master \"%s\" is in use with flag %s, not %s", master->name, flag,
			 ipvlan_flags_text((uint16_t)conf->flags));
	return cni_hint(err,
			"all ipvlan interfaces of a master share mode and flag; \"%s\" in %s runs with %s "
			"%s, and this ADD would switch it. Use these, or another master, or \"force\": true",
			slave->name, where, mode, flag);
}

static int guard_refuse_macvlan(const struct link *master, const struct link *slave, const char *where,
				struct cni_error *err)
{
	cni_fail(err, CNI_CONFIG, "master \"%s\" carries the %s interface \"%s\" in %s", master->name,
		 slave->kind, slave->name, where);
	return cni_hint(err, "macvlan and ipvlan cannot share a master; delete \"%s\" or use another master",
			slave->name);
}

int guard_check_access(const struct link *master, uint16_t flags, const struct conf *conf,
		       struct cni_error *err)
{
	if (!conf->host_access || !flags)
		return 0;
	return cni_fail(err, CNI_CONFIG, "hostAccess does not work with flag %s, which master \"%s\" has",
			ipvlan_flags_text(flags), master->name);
}

static int guard_judge(const struct link *master, const struct link *slave, const char *where,
		       const struct conf *conf, struct cni_error *err)
{
	if (guard_is_macvlan(slave))
		return guard_refuse_macvlan(master, slave, where, err);
	if (conf->flags < 0 && guard_check_access(master, slave->ipvlan_flags, conf, err) < 0)
		return -1;
	if (guard_agrees(slave, conf))
		return 0;
	if (!conf->force)
		return guard_refuse_switch(master, slave, where, conf, err);
	cni_log("force: switching \"%s\" in %s and all other ipvlan interfaces of %s", slave->name, where,
		master->name);
	return 0;
}

int guard_admit(struct rtnl *home, const struct link *master, const struct conf *conf,
		const struct survey *survey, int *flags, struct cni_error *err)
{
	struct link anchor = { .index = 0 };
	struct search search = { .like = guard_slave_of(master, false) };
	enum found found = FOUND_NOT;

	*flags = conf->flags;
	if (!conf->link_in_container)
		found = anchor_find(home, master->index, &anchor, err);
	if (found == FOUND_FAILED)
		return -1;
	if (found == FOUND && guard_agrees(&anchor, conf))
		return guard_judge(master, &anchor, "this namespace", conf, err);
	/* the kernel makes a slave of a slave on the master of that slave, perhaps in another namespace */
	if (link_is_ipvlan(master))
		search.like = *master;
	search.except = anchor.index;
	if (link_each(home, guard_match_slave, &search, err) < 0)
		return -1;
	if (search.found.index)
		return guard_judge(master, &search.found, "this namespace", conf, err);
	if (!conf->link_in_container && !search.like.parent_elsewhere) {
		if (survey->master != master->index)
			return 1;
		if (survey->slave.index)
			return guard_judge(master, &survey->slave, survey->where, conf, err);
		if (survey->incomplete)
			return 0;
	}
	*flags = conf->flags < 0 ? 0 : conf->flags;
	return 0;
}

int guard_check(struct rtnl *home, const struct link *master, const struct conf *conf,
		void (*read)(struct alive *alive), struct cni_error *err)
{
	struct survey survey = { .master = 0 };
	struct alive alive;
	int flags, rc = guard_admit(home, master, conf, &survey, &flags, err);

	if (rc <= 0)
		return rc;
	read(&alive);
	rc = guard_survey(&survey, &alive, master, false, err);
	alive_free(&alive);
	return rc < 0 && !conf->force ? -1 : guard_admit(home, master, conf, &survey, &flags, err);
}

int guard_check_vlan(const struct link *parent, unsigned int id, struct cni_error *err)
{
	struct survey survey = { .master = parent->index };
	struct tour tour = { .master = parent, .survey = &survey, .vlan = id };
	struct alive alive;

	alive_read_mounted(&alive);
	alive_each(&alive, guard_search_namespace, &tour, NULL);
	alive_free(&alive);
	if (!survey.slave.index)
		return 0;
	cni_fail(err, CNI_CONFIG, "VLAN %u of \"%s\" is the interface \"%s\" in %s", id, parent->name,
		 survey.slave.name, survey.where);
	return cni_hint(err, "the kernel allows one VLAN with an id on an interface; move it back, delete "
			     "it, or use another id");
}
