/* SPDX-License-Identifier: Apache-2.0 */
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
#include "plugin/object.h"

struct conf {
	const char *master;	/* NULL: the default route's, or prevResult's */
	uint16_t mode;		/* IPVLAN_MODE_* */
	int flags;		/* IPVLAN_F_*, -1: as the master's are */
	bool force;		/* switch the master's mode and flags, whoever uses them */
	unsigned int mtu;	/* 0: the master's */
	unsigned int vlan;	/* the master is this VLAN of it, 0: it is not */
	bool internal;		/* the master is a dummy of the network's own */
	bool link_in_container; /* master is in the pod's namespace */
	const char *ipam;	/* the type of the delegate, NULL: none */
	json_t *dns;		/* NULL: none; owned */
	bool dad;		/* wait for IPv6 duplicate address detection */
	bool accept_ra;		/* take addresses and routes from router advertisements */
	bool conflict_check;	/* ask the LAN whether somebody has the addresses */
	bool resolv_conf;	/* also as a file, for ip netns exec */
	bool announce;		/* tell the neighbours about the addresses */
	struct result routes;	/* beside the IPAM's; nothing else is in it */

	struct result host_routes; /* on the master; nothing else is in it */
	struct ip reflectors[2];   /* who sends back what vepa pods send each other */
	size_t n_reflectors;
	bool host_access;     /* host and pods reach each other */
	bool proxy_arp;	      /* the host answers ARP for l3s pods */
	bool ip_masq;	      /* l3s pods have the host's address outside their subnet */
	bool anti_spoof;      /* what the master sends from unknown addresses is dropped */
	struct rate rates[2]; /* out of the pod, into it: plugin/object.h */
	bool counters;	      /* of packets and bytes of each pod, on the master */
	bool strict;	      /* and pods reach each other by the LAN alone, if at all */

	bool has_prev; /* prevResult is there */
	struct result prev;
};

/* Fails with CNI_CONFIG or CNI_DECODE. conf_free() after success only. */
int conf_read(struct conf *ret, const struct request *req, struct cni_error *err);
void conf_free(struct conf *conf);

/* Who resolves names: the configuration's own, the IPAM's, or those of the plugin
 * before; borrowed, NULL: nobody says. */
json_t *conf_dns(const struct conf *conf, const struct result *given);

/*
 * The delegate alone: all that DEL and GC need, so that nothing else which is
 * wrong with a configuration keeps them from tidying up. *ret is NULL when there
 * is none.
 */
int conf_read_ipam(const char **ret, const struct request *req, struct cni_error *err);

#endif
