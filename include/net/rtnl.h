/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An rtnetlink connection to the kernel, in one namespace.
 *
 * Callers use a struct rtnl in place of a namespace: it is opened there once, and works there
 * without entering it. Requests are queued and sent together:
 *
 *	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWADDR, NLM_F_CREATE);
 *	... libmnl puts header and attributes ...
 *	rtnl_commit(nl, ...);
 *
 * so all requests for a pod cost one system call to send and one to read the answer. Only the last
 * request asks for an acknowledgement, since the kernel reports failures anyway. The kernel also
 * carries out the requests that follow a failed one; so a caller that commits several undoes them
 * all.
 */
#ifndef NET_RTNL_H
#define NET_RTNL_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>

#include "cni/error.h"

/* The group of our links on the host, and the protocol of our routes there:
 * `ip link show group 105`, `ip route show proto 105`. */
#define OUR_NUMBER 105

/* Has room for any request; attributes are added with mnl calls that check the size. */
#define RTNL_REQUEST_MAX 4096
#define RTNL_QUEUE_MAX 8192

struct rtnl {
	struct mnl_socket *sock;
	unsigned int seq;   /* of the last request in the queue */
	unsigned int first; /* of the first request since the last commit */
	struct nlmsghdr *last;
	size_t queued; /* bytes */
	bool strict;   /* rtnl_strict() was called */
	bool too_old;  /* the kernel does not support it */
	int lost;      /* errno if a part of the queue could not be sent, or 0 */
	char queue[RTNL_QUEUE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* A request that the kernel refused. */
struct rtnl_refusal {
	unsigned int request; /* 0 is the first since the last commit */
	int error;	      /* as errno */
	const char *why;      /* the kernel's message, or "" */
};

/* Opens a socket in netns; -1: in our namespace. */
int rtnl_open(struct rtnl *nl, int netns, struct cni_error *err);
void rtnl_close(struct rtnl *nl);

/* From now on the kernel filters lists as the request says, by a routing table for instance.
 * Returns false before Linux 4.20, which cannot. Each request for a list calls it. */
bool rtnl_strict(struct rtnl *nl);

/* Queues a request. Sends the queue first if it has no room for it. */
struct nlmsghdr *rtnl_request(struct rtnl *nl, unsigned int type, unsigned int flags);

/* Fills err with the kernel's errno and message: CNI_INTERNAL. Returns -1. */
int rtnl_describe(const struct rtnl_refusal *refusal, struct cni_error *err);

/*
 * Sends the queue and waits for the answer. Calls refused() for each request that the kernel
 * refuses: it returns 0 to ignore that, or -1 with err filled. refused NULL: err describes the
 * first refusal. Returns 0 or -1.
 */
int rtnl_commit(struct rtnl *nl, int (*refused)(const struct rtnl_refusal *, void *, struct cni_error *),
		void *arg, struct cni_error *err);

/* The same if the caller requires the errno of the first refusal: returns 0, the kernel's errno
 * with err filled, or EIO if there was no answer. */
int rtnl_commit_one(struct rtnl *nl, struct cni_error *err);

/*
 * Sends the only queued request and calls each() for each message of the answer. Returns 0, or the
 * kernel's errno without err, since "no such link" may be an answer to the caller. Returns -1 with
 * err filled if there was no answer. It asks again, for two seconds at most, for a list that
 * changed while it was read; each() gets only the entries of a consistent list. CNI_RETRY: there
 * was none. each() may call rtnl_ask() too.
 */
int rtnl_ask(struct rtnl *nl, void (*each)(const struct nlmsghdr *, void *), void *arg,
	     struct cni_error *err);

/* The number of our namespace in that of nl (IFLA_LINK_NETNSID). */
enum found rtnl_our_id(struct rtnl *nl, int *ret, struct cni_error *err);

/*
 * For a struct rtnl without requests: rtnl_listen() subscribes to the events of a group
 * (RTNLGRP_*). rtnl_wait() returns after an event, or after so many milliseconds.
 */
int rtnl_listen(struct rtnl *nl, unsigned int group, struct cni_error *err);
void rtnl_wait(struct rtnl *nl, int milliseconds);

#endif
