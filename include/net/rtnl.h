/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation with the kernel's rtnetlink, in one namespace.
 *
 * A struct rtnl *is* a namespace to everything above it: opened there once, it
 * works there from wherever we are. Requests queue up and go out together:
 *
 *	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWADDR, NLM_F_CREATE);
 *	... libmnl puts header and attributes ...
 *	rtnl_commit(nl, ...);
 *
 * so that everything inside a pod costs one system call to send and one to hear
 * that all is well: only the last request asks for an acknowledgement, since
 * failures are reported unasked. The kernel carries out the requests after a
 * failed one as well; whoever commits several undoes them all.
 */
#ifndef NET_RTNL_H
#define NET_RTNL_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>

#include "cni/error.h"

/* The group of the links that we make on the host, and the protocol of our routes
 * there: `ip link show group 105`, `ip route show proto 105`. */
#define OUR_NUMBER 105

/* Any single request fits; attributes are put with the bounded mnl calls. */
#define RTNL_REQUEST_MAX 4096
#define RTNL_QUEUE_MAX 8192

struct rtnl {
	struct mnl_socket *sock;
	unsigned int seq;   /* of the request that was queued last */
	unsigned int first; /* of the first one since the last commit */
	struct nlmsghdr *last;
	size_t queued; /* bytes */
	bool strict;   /* rtnl_strict() was called */
	bool too_old;  /* and the kernel does not know it */
	int lost;      /* errno of a part of the queue that could not be sent, or 0 */
	char queue[RTNL_QUEUE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* A request that the kernel refused. */
struct rtnl_refusal {
	unsigned int request; /* 0 is the first since the last commit */
	int error;	      /* as errno */
	const char *why;      /* the kernel's own sentence, or "" */
};

/* In netns, or in our own when it is -1. */
int rtnl_open(struct rtnl *nl, int netns, struct cni_error *err);
void rtnl_close(struct rtnl *nl);

/* From here on a list is what was asked for, one table's routes for instance, which
 * kernels before Linux 4.20 cannot do: false. Each list that is asked for does it. */
bool rtnl_strict(struct rtnl *nl);

/* Queues a request, and sends what is queued when there is no room for it. */
struct nlmsghdr *rtnl_request(struct rtnl *nl, unsigned int type, unsigned int flags);

/* Says of err what the kernel said: CNI_INTERNAL, errno and its sentence. Returns -1. */
int rtnl_describe(const struct rtnl_refusal *refusal, struct cni_error *err);

/*
 * Sends what is queued and waits for the answer. refused() is called for each
 * refusal and returns 0 to overlook it, or -1 with err filled. NULL: the first
 * refusal is described by its errno. Returns 0 or -1.
 */
int rtnl_commit(struct rtnl *nl, int (*refused)(const struct rtnl_refusal *, void *, struct cni_error *),
		void *arg, struct cni_error *err);

/* The same for requests of which the first refusal counts: 0, the kernel's errno
 * with err filled, or EIO when it could not be asked. */
int rtnl_commit_one(struct rtnl *nl, struct cni_error *err);

/*
 * Sends the one queued request and hands each message of the answer to each().
 * Returns 0, or the kernel's errno, which is left to the caller to judge: "no
 * such link" is an answer. -1 with err filled means that there was no answer.
 * A list that changed while it was read is asked for again, for two seconds at most;
 * each() sees the entries of one list, none of those that are asked for again.
 * CNI_RETRY when it never was of one piece. each() may ask as well.
 */
int rtnl_ask(struct rtnl *nl, void (*each)(const struct nlmsghdr *, void *), void *arg,
	     struct cni_error *err);

/* The number by which nl's namespace knows ours (IFLA_LINK_NETNSID). */
enum found rtnl_own_id(struct rtnl *nl, int *ret, struct cni_error *err);

/*
 * For a struct rtnl that asks nothing: hears of what happens in a group
 * (RTNLGRP_*), from rtnl_listen() on. rtnl_wait() returns when something has
 * happened, or after so many milliseconds.
 */
int rtnl_listen(struct rtnl *nl, unsigned int group, struct cni_error *err);
void rtnl_wait(struct rtnl *nl, int milliseconds);

#endif
