/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A result: what ADD prints, what an IPAM plugin answers, what comes back as
 * prevResult. One C form for all versions of the specification; reading and
 * writing know the shape that each version gives it.
 *
 * Strings are borrowed from the document that was read, which must live longer.
 */
#ifndef CNI_RESULT_H
#define CNI_RESULT_H

#include <jansson.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/ip.h"
#include "cni/version.h"

struct cni_interface {
	const char *name, *mac, *sandbox, *socket_path, *pci_id; /* NULL: not given */
	unsigned int mtu;					 /* 0: not given */
};

struct cni_ip {
	struct prefix address;
	struct ip gateway;   /* family 0: none */
	long long interface; /* index into interfaces, -1: not given */
};

struct cni_route {
	struct prefix dst;
	struct ip gw;			    /* family 0: none */
	unsigned int mtu, advmss, priority; /* 0: not given */
	long long table, scope;		    /* -1: not given */
};

struct result {
	struct cni_interface *interfaces;
	struct cni_ip *ips;
	struct cni_route *routes;
	size_t n_interfaces, n_ips, n_routes;
	json_t *dns; /* owned; NULL: nothing in it */
};

/*
 * Reads doc, which has the shape of version. Fails with CNI_DECODE; *ret is then
 * empty. result_free() releases what a result owns and leaves it empty.
 */
int result_read(struct result *ret, const json_t *doc, enum cni_version version, struct cni_error *err);
void result_free(struct result *result);

/* Adds a list of routes in a configuration, which look as those of a result do. */
int result_add_routes(struct result *result, const json_t *obj, const char *key, struct cni_error *err);
int result_add_route(struct result *result, const struct cni_route *route, struct cni_error *err);

/* Adds what more contains to the end of result; its ips keep their interface. */
int result_append(struct result *result, const struct result *more, struct cni_error *err);
int result_add_interface(struct result *result, const struct cni_interface *interface, struct cni_error *err);

/*
 * The document in the shape of version. Fails with CNI_CONFIG when version cannot
 * express it: before 0.3.0 a result without an address does not exist.
 */
json_t *result_json(const struct result *result, enum cni_version version, struct cni_error *err);

/* The "dns" object of a configuration or result, only what the specification
 * knows and only what is not empty; *ret is NULL when nothing is. */
int dns_read(json_t **ret, const json_t *doc, struct cni_error *err);

#endif
