/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of ipvlan. conf_read() checks all of it before anything is changed.
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
	int flags;		/* IPVLAN_F_*, -1: those of the master */
	bool force;		/* switch the master's mode and flags even if others use them */
	unsigned int mtu;	/* 0: the master's */
	unsigned int vlan;	/* use this VLAN of the master, 0: the master itself */
	bool internal;		/* the master is a dummy for this network */
	bool link_in_container; /* master is in the pod's namespace */
	const char *ipam;	/* the type of the IPAM plugin, NULL: none */
	json_t *dns;		/* NULL: none; owned */
	bool dad;		/* wait for IPv6 duplicate address detection */
	bool accept_ra;		/* take addresses and routes from router advertisements */
	bool conflict_check;	/* ask the LAN whether another host has the addresses */
	bool resolv_conf;	/* write DNS to a file too, for ip netns exec */
	bool announce;		/* announce the addresses to the neighbours */
	struct result routes;	/* more routes than those of the IPAM plugin; only its routes are set */

	struct result host_routes; /* on the master; only its routes are set */
	struct ip reflectors[2];   /* return the packets that vepa pods send to each other */
	size_t n_reflectors;
	bool host_access;     /* host and pods reach each other */
	bool proxy_arp;	      /* the host answers ARP for l3s pods */
	bool ip_masq;	      /* masquerade packets of l3s pods that leave their subnet */
	bool anti_spoof;      /* drop packets that the master sends from unknown addresses */
	struct rate rates[2]; /* out of the pod, into it: plugin/object.h */
	json_t *policy;	      /* allow and deny: plugin/policy.h; NULL: neither; owned */
	bool counters;	      /* count packets and bytes of each pod, on the master */
	bool strict;	      /* antiSpoof, and pods reach each other only through the LAN, if at all */

	bool has_prev; /* there is a prevResult */
	struct result prev;
};

/* Errors: CNI_CONFIG, CNI_DECODE. conf_free() only after success. */
int conf_read(struct conf *ret, const struct request *req, struct cni_error *err);
void conf_free(struct conf *conf);

/* The reflector of the family; NULL: none. */
const struct ip *conf_reflector(const struct conf *conf, int family);

/* The DNS settings: those of the configuration, else of the IPAM plugin, else of prevResult.
 * Borrowed; NULL: none. */
json_t *conf_dns(const struct conf *conf, const struct result *given);

/*
 * Reads only the type of the IPAM plugin, NULL: none. DEL and GC require nothing else, so other
 * errors of a configuration do not prevent them.
 */
int conf_read_ipam(const char **ret, const struct request *req, struct cni_error *err);

#endif
