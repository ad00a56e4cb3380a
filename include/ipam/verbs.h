/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of addrpool, each in a file of its own.
 */
#ifndef IPAM_VERBS_H
#define IPAM_VERBS_H

#include "cni/plugin.h"

int addrpool_add(const struct request *req, json_t **result, struct cni_error *err);
int addrpool_del(const struct request *req, struct cni_error *err);
int addrpool_check(const struct request *req, struct cni_error *err);
int addrpool_gc(const struct request *req, struct cni_error *err);
int addrpool_status(const struct request *req, struct cni_error *err);

/* All verbs. */
extern const struct plugin addrpool;

/* Can addrpool serve this request without addrpool-claim? */
bool addrpool_is_alone(const struct request *req);

/* addrpool [--json] FILE...: for people. Returns main()'s exit status. */
int list_main(int argc, char **argv);

/* addrpool stores DIRECTORY, for ipvlanctl doctor: prints as JSON the stores of a dataDir that have leases or
 * blocks, [{ store, leases, blocks }]. Returns main()'s exit status. */
int stores_main(const char *dir);

#endif
