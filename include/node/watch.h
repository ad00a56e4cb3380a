/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to the host that running pods need, as the kernel reports it.
 *
 * rtnetlink: links, addresses, routes of ours, qdiscs and filters, switches. nfnetlink: our nft
 * table. Not reported, by any kernel: proxy NDP entries, accept_ra, and what happens in
 * the namespaces of pods.
 */
#ifndef NODE_WATCH_H
#define NODE_WATCH_H

#include <stdbool.h>

#include "cni/error.h"
#include "net/rtnl.h"

#define WATCH_SOURCES 2

struct watch {
	struct mnl_socket *sources[WATCH_SOURCES]; /* rtnetlink, nfnetlink; NULL: the kernel has none */
	struct rtnl *host;			   /* to ask with, borrowed */
};

/* What is to be repaired. */
struct watch_due {
	bool any;
	int master; /* 0: all; else the attachments of this one */
};

/* Errors: CNI_IO. */
int watch_open(struct watch *ret, struct rtnl *host, struct cni_error *err);
void watch_close(struct watch *watch);

/* To wait on for what a source has; -1: it has nothing ever. */
int watch_descriptor(const struct watch *watch, int source);

/* Reads what one source has, without waiting, and adds it to *due. If the kernel had to drop
 * messages, all is due. */
void watch_read(struct watch *watch, int source, struct watch_due *due);

#endif
