/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks of this machine: those that files configure, Podman's among them, and those that runtimes have
 * used without a file, as Multus does with a NetworkAttachmentDefinition. Of the latter libcni keeps the
 * configuration with the result of each ADD.
 *
 * A network is { name, file (null: of a runtime's cache), plugins: as conflist_read() has them }.
 */
#ifndef CTL_NETWORKS_H
#define CTL_NETWORKS_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* All of them, as a new array. The first of several of one name counts. What cannot be read is named on
 * stderr. */
json_t *networks_list(void);

/* The one of that name, or else those of the file of that name. A new array; NULL with CNI_CONFIG. */
json_t *networks_named(const char *name, struct cni_error *err);

/* The entry of that name, borrowed; NULL: there is none. */
const json_t *networks_find(const json_t *networks, const char *name);

/* Its first plugin of type ipvlan, borrowed; NULL: there is none. */
const json_t *networks_ipvlan(const json_t *network);

/* Where its configuration is, for people. */
const char *networks_place(const json_t *network);

#endif
