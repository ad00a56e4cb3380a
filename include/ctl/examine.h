/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks whether an ADD of a configuration would succeed, and whether its pods would reach other hosts.
 *
 * An exam is one plugin of type ipvlan in a configuration, with the facts found so far. exam_run()
 * goes through a table of examinations. Each examines one concern, reports its findings, and sets in
 * exam->sound the parts on which later examinations may rely. So a fault is reported once, without
 * its consequences.
 */
#ifndef CTL_EXAMINE_H
#define CTL_EXAMINE_H

#include <jansson.h>

#include "cni/plugin.h"
#include "cni/result.h"
#include "ctl/ranges.h"
#include "ctl/report.h"
#include "net/link.h"
#include "plugin/conf.h"

/* Parts of an exam on which later examinations may rely. */
enum {
	SOUND_CONF = 1,	  /* the configuration can be read: conf, routes, ranges */
	SOUND_MASTER = 2, /* the master exists, and can carry ipvlan */
	SOUND_LINK = 4,	  /* the master is up and has a carrier: the LAN can be asked */
	SOUND_STATUS = 8, /* STATUS says that an ADD would succeed */
	SOUND_POOLS = 16, /* pools */
	SOUND_LOCK = 32,  /* no process keeps the lock of the leases */
	OF_CNI = 64,	  /* a CNI runtime calls the plugins of the list */
	OF_PODMAN = 128,  /* podman: Podman calls ipvlan-netavark */
};

struct exam {
	struct report *report;
	const char *file;     /* its name, for people */
	json_t *plugins;      /* all of the list */
	const json_t *plugin; /* the one of type ipvlan among them */
	json_t *podman;	      /* the network of Podman behind it, or NULL */
	unsigned int sound;   /* SOUND_* */
	size_t errors;	      /* in the report before this exam */
	char *text;	      /* the configuration that STATUS gets */
	json_t *doc;	      /* the same, parsed */
	struct request req;
	struct conf conf;
	struct result routes; /* of pods: "routes" in ipam and beside it */
	struct ranges ranges;
	struct rtnl host;
	struct link parent;	     /* with vlan: the link below; index 0: it does not exist */
	struct link master;	     /* index 0: it does not exist */
	bool is_foreign[RANGES_MAX]; /* the range's subnet is not one of the LAN */
	char master_name[IFNAMSIZ];  /* also of one that the first ADD makes; "": in the pod */
	json_t *pools;		     /* as addrpool lists them */
	json_t *leases;		     /* their leases, by address */
};

/* plugins: all of one list; plugin: one of them. file: must outlive the exam. podman: the network of Podman
 * whose configuration they are, or NULL. */
struct exam *exam_open(struct report *report, const char *file, json_t *plugins, const json_t *plugin,
		       json_t *podman);
void exam_run(struct exam *exam);
void exam_close(struct exam *exam);

const char *exam_network(const struct exam *exam);

/* Returns the string at a key of the plugin's configuration, or "". */
const char *exam_key(const struct exam *exam, const char *key);

/* Reports if two networks have the same name, overlapping addresses, or different modes of one master. */
void examine_pair(struct exam *a, struct exam *b);

/*
 * The examinations, by file.
 */
void examine_chain(struct exam *exam);	    /* programs.c: are the plugins there, and ours? */
void examine_runtimes(struct exam *exam);   /* runtimes.c: do runtimes speak the list's version? */
void examine_podman(struct exam *exam);	    /*	 does Podman find the driver? */
void examine_space(struct exam *exam);	    /* space.c: can files be written? */
void examine_locks(struct exam *exam);	    /* space.c: does a process keep a lock? */
void examine_dhcp(struct exam *exam);	    /* programs.c: does the daemon of the plugin dhcp run? */
void examine_kernel(struct exam *exam);	    /* links.c: has the kernel ipvlan? */
void examine_master(struct exam *exam);	    /*	 does the master exist, and can it carry ipvlan? */
void examine_link(struct exam *exam);	    /*	 is it up, are MTU, mode and keys good on it? */
void examine_ranges(struct exam *exam);	    /* subnets.c: do ranges start before they end? */
void examine_subnets(struct exam *exam);    /* do they fit the LAN? */
void examine_addresses(struct exam *exam);  /*	 are addresses of the host in them? */
void examine_routes(struct exam *exam);	    /*	 have pods a default route? */
void examine_gateways(struct exam *exam);   /* gateways.c: do gateways answer, also large packets? */
void examine_neighbours(struct exam *exam); /*	 has a host of the LAN an address of the pool? */
void examine_pools(struct exam *exam);	    /* usage.c: how full are they? */

/* stores.c: has a dataDir of the networks of this machine blocks or leases that no configuration has? */
void examine_stores(struct report *all);

/* stores.c: the plugin's dataDir, and its store there: its pool, or its network. Borrowed. */
const char *stores_dir(const json_t *plugin);
const char *stores_name(const json_t *plugin);

/* gateways.c: do frames that one link sends reach the other? Sends probes for up to 0.2 s. */
bool lan_is_shared(const struct link *a, const struct link *b);

#endif
