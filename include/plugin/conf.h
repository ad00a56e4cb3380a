/*
 * The ipvlan configuration, validated as a whole before anything is touched.
 *
 * Strings are borrowed from the request's document.
 */
#ifndef PLUGIN_CONF_H
#define PLUGIN_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "cni/error.h"
#include "cni/plugin.h"
#include "cni/result.h"

struct conf {
	const char *master;	/* NULL: the default route's, or prevResult's */
	uint16_t mode;		/* IPVLAN_MODE_* */
	unsigned int mtu;	/* 0: the master's */
	bool link_in_container; /* master is in the pod's namespace */
	const char *ipam;	/* the type of the delegate, NULL: none */
	json_t *dns;		/* NULL: none; owned */
	bool dad;		/* wait for IPv6 duplicate address detection */
	bool announce;		/* tell the neighbours about the addresses */
	struct result routes;	/* beside the IPAM's; nothing else is in it */
	bool has_prev;		/* prevResult is there */
	struct result prev;
};

/* Fails with CNI_CONFIG or CNI_DECODE. conf_free() after success only. */
int conf_read(struct conf *ret, const struct request *req, struct cni_error *err);
void conf_free(struct conf *conf);

/*
 * The delegate alone: all that DEL and GC need, so that nothing else which is
 * wrong with a configuration keeps them from tidying up. *ret is NULL when there
 * is none.
 */
int conf_read_ipam(const char **ret, const struct request *req, struct cni_error *err);

#endif
