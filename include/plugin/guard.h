/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All slaves of a master have one mode and one flag. The kernel switches them all, in all
 * namespaces and without a message, if a slave is made with others, and their pods lose their
 * network. So ADD fails if it would switch other slaves, or if it cannot read a namespace that may
 * have one.
 */
#ifndef PLUGIN_GUARD_H
#define PLUGIN_GUARD_H

#include <limits.h>

#include "net/alive.h"
#include "plugin/conf.h"
#include "plugin/object.h"

/* Links on a master in other namespaces: ipvlan slaves, macvlan and macvtap. */
struct survey {
	int master;	   /* its index; 0: no survey yet */
	struct link slave; /* one of the links; index 0: there is none */
	char where[PATH_MAX];
	bool incomplete; /* there may be more */
};

/*
 * Searches all namespaces for links on the master: of the kinds above, or of any kind. The time
 * grows with the number of processes and namespaces: hold no lock meanwhile. CNI_RETRY names a
 * namespace that cannot be read; *ret is then incomplete.
 */
int guard_survey(struct survey *ret, const struct alive *alive, const struct link *master, bool any_kind,
		 struct cni_error *err);

/*
 * May a slave be made on master, in home, as conf requires? *flags are those for the new slave, -1:
 * do not set them. CNI_CONFIG: a slave has another mode or flag, without conf->force; a macvlan
 * interface is on the master; or hostAccess does not work with the master's flag. Returns 0 or -1,
 * or 1 if it requires a survey of this master.
 */
int guard_admit(struct rtnl *home, const struct link *master, const struct conf *conf,
		const struct survey *survey, int *flags, struct cni_error *err);

/* CNI_CONFIG if hostAccess does not work on a master with these flags. */
int guard_check_access(const struct link *master, uint16_t flags, const struct conf *conf,
		       struct cni_error *err);

/* The same for callers that make nothing and hold no lock. Searches the namespaces that read()
 * lists. */
int guard_check(struct rtnl *home, const struct link *master, const struct conf *conf,
		void (*read)(struct alive *alive), struct cni_error *err);

/* CNI_CONFIG names the VLAN of parent if it is in another namespace that is mounted. */
int guard_check_vlan(const struct link *parent, unsigned int id, struct cni_error *err);

#endif
