/*
 * What addrpool does: a file of ipam/ each.
 */
#ifndef IPAM_VERBS_H
#define IPAM_VERBS_H

#include "cni/plugin.h"

int verb_add(const struct request *req, json_t **result, struct cni_error *err);
int verb_del(const struct request *req, struct cni_error *err);
int verb_check(const struct request *req, struct cni_error *err);
int verb_gc(const struct request *req, struct cni_error *err);
int verb_status(const struct request *req, struct cni_error *err);

/* addrpool [--json] FILE...: for people. Returns main()'s exit status. */
int list_main(int argc, char **argv);

#endif
