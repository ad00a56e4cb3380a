/*
 * Mode and flag belong to the master: whoever makes a slave with others switches
 * all that it has, in whatever namespace, silently, and the pods there lose their
 * network. So nobody gets in who would.
 */
#ifndef PLUGIN_GUARD_H
#define PLUGIN_GUARD_H

#include "plugin/conf.h"
#include "plugin/object.h"

/*
 * Our slave of master in the host's namespace: it is there and down as long as the
 * master has attachments, and shows what mode and flag they run in.
 */
struct object guard_anchor(const struct link *master, const struct conf *conf);

/*
 * May a slave be made on master, in home, as conf wants it? *flags are those to make
 * it with, -1 to leave them. CNI_CONFIG names who runs in another mode or with
 * another flag; conf->force overrules.
 */
int guard_admit(struct rtnl *home, const struct link *master, const struct conf *conf, int *flags,
		struct cni_error *err);

/* Does any link sit on master, in whatever namespace, or hold it? */
enum found guard_used(struct rtnl *host, const struct link *master, struct cni_error *err);

#endif
