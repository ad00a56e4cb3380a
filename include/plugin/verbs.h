/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the specification, each in one file. plugin_main() answers VERSION.
 */
#ifndef PLUGIN_VERBS_H
#define PLUGIN_VERBS_H

#include "cni/error.h"
#include "cni/plugin.h"

int verb_add(const struct request *req, json_t **result, struct cni_error *err);
int verb_del(const struct request *req, struct cni_error *err);
int verb_check(const struct request *req, struct cni_error *err);
int verb_gc(const struct request *req, struct cni_error *err);
int verb_status(const struct request *req, struct cni_error *err);

/* All of them. */
extern const struct plugin ipvlan;

#endif
