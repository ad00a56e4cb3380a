/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running another plugin, the IPAM: SPEC section 4, "Plugin Delegation".
 *
 * It is found in CNI_PATH and gets our environment, our standard input byte for
 * byte, and our standard error. Its standard output is read up to a bound, and
 * it is killed when it has not finished in time.
 *
 * ipvlan has addrpool in itself as well: a process costs as much as all that addrpool
 * does. Where the program found is the very build that we have, its verbs are called;
 * any other, a wrapper or another version, is started as it should be.
 */
#ifndef PLUGIN_DELEGATE_H
#define PLUGIN_DELEGATE_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"
#include "cni/plugin.h"

#define BUILD_ID_SIZE 20

struct own_delegate {
	unsigned char build_id[BUILD_ID_SIZE]; /* the ELF note of the program: the same bytes */
	const struct plugin *plugin;
	bool (*serves)(const struct request *req); /* what may take long is a process that can be killed */
};

/* From now on this one is called where it is found. */
void delegate_own(const struct own_delegate *plugin);

/* CNI_PATH, or the directories that plugins are usually in. */
const char *delegate_path(void);

/* The program of that name in the first directory of path, as CNI_PATH is written,
 * that has it. CNI_CONFIG. */
int delegate_find(const char *type, const char *path, char *ret, size_t size, struct cni_error *err);

/*
 * Runs ADD and hands over what it answered, or NULL with err filled. After that
 * the caller runs DEL, as the specification asks.
 */
json_t *delegate_add(const struct request *req, const char *type, struct cni_error *err);

/*
 * Any other verb. An IPAM from before CNI 1.1.0, which knows neither GC nor
 * STATUS, is taken to have nothing to say.
 */
int delegate_run(const struct request *req, const char *type, const char *verb, struct cni_error *err);

/* Does the IPAM plugin talk through the pod's interface itself? */
bool delegate_uses_link(const char *type);

/*
 * DEL for one that does, and so before the interface goes; type may be NULL. What
 * fails is logged: the caller runs DEL once more, when the interface is gone.
 */
void delegate_release_by_link(const struct request *req, const char *type);

#endif
