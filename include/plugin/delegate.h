/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs another plugin, the IPAM plugin: SPEC section 4, "Plugin Delegation".
 *
 * delegate_find() finds it in CNI_PATH. It gets our environment, the bytes of our standard input,
 * and our standard error. It is killed if it takes too long or prints too much.
 *
 * ipvlan also contains addrpool, since a process costs as much as all the work of addrpool. If the
 * program in CNI_PATH is the same build, ipvlan calls the verbs in its own process. It starts any
 * other, such as a wrapper or another version.
 */
#ifndef PLUGIN_DELEGATE_H
#define PLUGIN_DELEGATE_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"
#include "cni/plugin.h"

#define BUILD_ID_SIZE 20

struct delegate_builtin {
	unsigned char build_id[BUILD_ID_SIZE]; /* of the program's ELF note */
	const struct plugin *plugin;
	bool (*serves)(
		const struct request *req); /* false: may take long, start a process, which can be killed */
};

/* From now on calls this plugin in our process if CNI_PATH has the same build. */
void delegate_use_builtin(const struct delegate_builtin *plugin);

/* CNI_PATH, or the usual directories of plugins. */
const char *delegate_path(void);

/* The program of that name in the first directory of path that has it. path has the form of
 * CNI_PATH. Errors: CNI_CONFIG. */
int delegate_find(const char *type, const char *path, char *ret, size_t size, struct cni_error *err);

/*
 * Runs ADD and returns its result, or NULL with err filled. After a failure the caller runs DEL, as
 * the specification requires.
 */
json_t *delegate_add(const struct request *req, const char *type, struct cni_error *err);

/*
 * Runs any other verb. GC and STATUS succeed for an IPAM plugin from before CNI 1.1.0, which does
 * not know them.
 */
int delegate_run(const struct request *req, const char *type, const char *verb, struct cni_error *err);

/* Does the IPAM plugin itself send packets over the pod's interface? */
bool delegate_uses_link(const char *type);

/*
 * Runs DEL for such a plugin, before the interface is deleted; type may be NULL. Logs an error: the
 * caller runs DEL again after the interface is deleted.
 */
void delegate_release_by_link(const struct request *req, const char *type);

#endif
