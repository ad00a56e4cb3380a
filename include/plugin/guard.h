/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode and flag belong to the master: a slave that is made with others switches all
 * slaves of the master, in whatever namespace, silently, and the pods there lose their
 * network. So an ADD that would switch others is refused, and so is one where a
 * namespace that may have such a slave cannot be looked into.
 */
#ifndef PLUGIN_GUARD_H
#define PLUGIN_GUARD_H

#include <limits.h>

#include "net/alive.h"
#include "plugin/conf.h"
#include "plugin/object.h"

/* What keeps pods from a master, in other namespaces than ours: ipvlan slaves, macvlan and macvtap. */
struct survey {
	int master;	   /* its index; 0: nothing was looked at */
	struct link slave; /* one of them; index 0: there is none */
	char where[PATH_MAX];
	bool incomplete; /* there may be more */
};

/*
 * Looks into all namespaces for links on the master: those that may keep pods from it, or of any kind.
 * It takes as long as there are processes and namespaces: no lock may be held
 * meanwhile. Fails with CNI_RETRY, and names what cannot be looked at; *ret is then
 * incomplete.
 */
int guard_survey(struct survey *ret, const struct alive *alive, int master, bool any_kind,
		 struct cni_error *err);

/*
 * May a slave be made on master, in home, as conf requires? *flags are those to make
 * it with, -1 to leave them. CNI_CONFIG names a slave that runs in another mode or with
 * another flag, which conf->force overrules, or a macvlan interface, or that hostAccess does not
 * work with the flag that the master has. Returns 0, or -1, or 1: that depends on other
 * namespaces, and survey is not of this master.
 */
int guard_admit(struct rtnl *home, const struct link *master, const struct conf *conf,
		const struct survey *survey, int *flags, struct cni_error *err);

/* Does hostAccess work on a master with these flags? CNI_CONFIG. */
int guard_check_access(const struct link *master, uint16_t flags, const struct conf *conf,
		       struct cni_error *err);

/* For those who only ask, and hold no lock: the namespaces are those that read() finds. */
int guard_check(struct rtnl *home, const struct link *master, const struct conf *conf,
		void (*read)(struct alive *alive), struct cni_error *err);

/* Is the VLAN of parent in another namespace, of those that are mounted? CNI_CONFIG names it. */
int guard_check_vlan(const struct link *parent, unsigned int id, struct cni_error *err);

#endif
