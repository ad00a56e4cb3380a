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

/* The configurations there, in the order in which runtimes read them: paths, as a new
 * list; NULL with CNI_IO. No directory is an empty list. */
json_t *places_list(struct cni_error *err);
json_t *places_list_in(const char *dir, struct cni_error *err);

/* Do runtimes read a file of that name? */
bool places_is_conf(const char *name);

/* The configurations that have the network called name, or else the file of that name: a new list;
 * NULL with CNI_IO, or CNI_CONFIG where there is neither. */
json_t *places_named(const char *name, struct cni_error *err);

/* CNI_PATH, or where runtimes look for plugins without it. */
const char *places_plugins(void);

/* The same, and then the directory that ipvlanctl is in. */
const char *places_path(void);

/* Where a program is that lies beside ipvlanctl, if it does. */
void places_own(const char *program, char *ret, size_t size);

/* A program that is there. CNI_CONFIG. */
int places_find(const char *program, char *ret, size_t size, struct cni_error *err);

/* The last part of a path. */
const char *places_name(const char *path);

#endif
