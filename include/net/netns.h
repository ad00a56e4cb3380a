/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces, by descriptor. -1 stands for the one we were started in.
 */
#ifndef NET_NETNS_H
#define NET_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cni/error.h"
#include "cni/plugin.h"

/* Why a path could not be opened; a caller may treat a gone one as done. */
enum netns {
	NETNS_OPEN,
	NETNS_GONE, /* nothing there, or a file that is no namespace any more */
	NETNS_OURS, /* the namespace that this process runs in */
	NETNS_FAILED,
};

/*
 * Opens path and makes sure that it is a network namespace, and (unless
 * own_allowed) not our own: what a runtime hands us by mistake as a pod's must
 * not make us take the host's interfaces apart. Only NETNS_OPEN sets *ret, which
 * the caller closes. Errors: CNI_ENVIRONMENT, CNI_NETNS, CNI_IO.
 */
enum netns netns_open(const char *path, bool own_allowed, int *ret, struct cni_error *err);

/*
 * The one place that leaves our namespace: runs fn(arg) inside netns and comes
 * back, or ends the process. Returns what fn returned, or -1 with CNI_IO when
 * the namespace could not be entered.
 */
int netns_run(int netns, int (*fn)(void *arg, struct cni_error *err), void *arg, struct cni_error *err);

/*
 * A namespace, by what can be written down. The inode is free for another namespace
 * as soon as this one is gone, and the kernel takes the lowest that is free: the next
 * pod has it. The cookie, sock_net(sk)->net_cookie, no other has or had in this boot;
 * since Linux 6.18 it is the number that NS_GET_ID tells (net_namespace.c, setup_net()).
 */
struct netns_id {
	uint64_t inode;	 /* 0: of no network namespace */
	uint64_t cookie; /* 0: nobody knows: before Linux 5.14, or not for us to enter */
};

struct netns_id netns_id_of(int netns);
struct netns_id netns_id(const char *path);
struct netns_id netns_id_asked(const struct request *req); /* what CNI_NETNS names */
/* The same by a socket that is in it, without going there. */
struct netns_id netns_id_by(int netns, int socket);
bool netns_is(const struct netns_id *a, const struct netns_id *b);

/* "INODE/COOKIE", or "INODE" alone. What cannot be read is all 0. */
struct netns_id_text {
	char s[sizeof("18446744073709551615/18446744073709551615")];
} netns_id_text(const struct netns_id *id);
struct netns_id netns_id_parse(const char *text);

/*
 * Calls each() with the inode and the path of each network namespace that is mounted,
 * as the file, somebody's /proc/PID/mountinfo, tells, until it returns other than 0.
 * Returns what it did last. The caller looks at ferror().
 */
int netns_mounts(FILE *mountinfo, int (*each)(uint64_t inode, const char *path, void *arg), void *arg);

/* A number that no other namespace of this boot has or had: that of the namespace
 * of a socket, which is ours; 0: it cannot be told. Before Linux 5.14 a later one may
 * have it again. */
uint64_t netns_number(int socket);

/* A name below /proc/sys/net and what to write there. */
struct sysctl {
	char name[128];
	const char *value;
};

/* Writes all it can, as netns sees them. Says on stderr what did not work. */
void netns_sysctl(int netns, const struct sysctl *list, size_t n);

/* In our own namespace. FOUND_NOT also where there is none of that name. Errors: CNI_IO. */
enum found netns_sysctl_is(const char *name, const char *value, struct cni_error *err);

/* Has the kernel IPv6, and was not started with ipv6.disable=1? */
bool netns_has_ipv6(void);

#endif
