/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where runtimes keep configurations and plugins.
 */
#ifndef CTL_PLACES_H
#define CTL_PLACES_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* NETCONFPATH, or /etc/cni/net.d. */
const char *places_confs(void);

/* Returns the paths of the configurations there, in the order in which runtimes read them: a new list,
 * empty if the directory does not exist; NULL: CNI_IO. */
json_t *places_list(struct cni_error *err);
json_t *places_list_in(const char *dir, struct cni_error *err);

/* Do runtimes read a file of that name? */
bool places_is_conf(const char *name);

/* Returns the configurations that have a network of that name, or else the file of that name: a new list.
 * NULL: CNI_IO, or CNI_CONFIG if neither exists. */
json_t *places_named(const char *name, struct cni_error *err);

/* CNI_PATH, or the directories in which runtimes look for plugins without it. */
const char *places_plugins(void);

/* The same, followed by the directory of ipvlanctl. */
const char *places_path(void);

/* The path of a program in the directory of ipvlanctl. The program may not exist. */
void places_beside(const char *program, char *ret, size_t size);

/* Finds a program in places_path(). Fails with CNI_CONFIG. */
int places_find(const char *program, char *ret, size_t size, struct cni_error *err);

/* The last part of a path. */
const char *places_name(const char *path);

#endif
