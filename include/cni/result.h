/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A result, which ADD prints, an IPAM plugin answers, and a runtime passes as prevResult. It has
 * one C form for all versions of the specification; only result_read() and result_json() know the
 * form of each version.
 *
 * Strings are borrowed from the document that was read, which must outlive the result.
 */
#ifndef CNI_RESULT_H
#define CNI_RESULT_H

#include <jansson.h>
#include <stdbool.h>
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
 * Reads doc in the form of version. Fails with CNI_DECODE, and *ret is then empty. result_free()
 * releases what a result owns and leaves it empty.
 */
int result_read(struct result *ret, const json_t *doc, enum cni_version version, struct cni_error *err);
void result_free(struct result *result);

/* Has the result an address of the family? */
bool result_has_family(const struct result *result, int family);

/* Adds a list of routes of a configuration, which has the form of those in a result. */
int result_add_routes(struct result *result, const json_t *obj, const char *key, struct cni_error *err);
int result_add_route(struct result *result, const struct cni_route *route, struct cni_error *err);

/* Appends the content of more to result; its ips keep their interface. */
int result_append(struct result *result, const struct result *more, struct cni_error *err);
int result_add_interface(struct result *result, const struct cni_interface *interface, struct cni_error *err);

/*
 * The document in the form of version. Fails with CNI_CONFIG if that form cannot express the
 * result: before 0.3.0 each result has an address.
 */
json_t *result_json(const struct result *result, enum cni_version version, struct cni_error *err);

/* Reads the "dns" object of a configuration or a result: only keys of the specification, and only
 * values that are not empty. *ret is NULL if there are none. */
int dns_read(json_t **ret, const json_t *doc, struct cni_error *err);

#endif
