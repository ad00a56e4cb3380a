/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks of this machine: those of configuration files, those of Podman, and those that a runtime has
 * used without a file, as Multus does with a NetworkAttachmentDefinition. For the latter libcni's cache has
 * the configuration.
 *
 * A network is { name, file (null: of libcni's cache), plugins: as conflist_read() has them }.
 */
#ifndef CTL_NETWORKS_H
#define CTL_NETWORKS_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* Returns all of them as a new array. If several have one name, the first counts. Names on standard error
 * those that it cannot read; then *whole, which may be NULL, is false. */
json_t *networks_list(bool *whole);

/* Returns the network of that name, or else those of the file of that name: a new array; NULL: CNI_CONFIG. */
json_t *networks_named(const char *name, struct cni_error *err);

/* Returns the entry of that name, borrowed, or NULL. */
const json_t *networks_find(const json_t *networks, const char *name);

/* Returns its first plugin of type ipvlan, borrowed, or NULL. */
const json_t *networks_ipvlan(const json_t *network);

/* Names its file, or libcni's cache, for people. */
const char *networks_place(const json_t *network);

#endif
