/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces, by descriptor. -1 is the namespace in which we were started.
 */
#ifndef NET_NETNS_H
#define NET_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cni/error.h"
#include "cni/plugin.h"

/* The result of netns_open(). DEL treats NETNS_GONE as success. */
enum netns {
	NETNS_OPEN,
	NETNS_GONE, /* the path does not exist, or is a file that is no longer a namespace */
	NETNS_OURS, /* the namespace that this process runs in */
	NETNS_FAILED,
};

/*
 * Opens path and checks that it is a network namespace, and, unless ours_allowed, that it is not
 * ours: if a runtime passes the host's by mistake, we must not change the host's interfaces. Only
 * NETNS_OPEN sets *ret, which the caller closes. Errors: CNI_ENVIRONMENT, CNI_NETNS, CNI_IO.
 */
enum netns netns_open(const char *path, bool ours_allowed, int *ret, struct cni_error *err);

/*
 * Runs fn(arg) in netns and returns to our namespace; if it cannot return, it ends the process. No
 * other function leaves our namespace. Returns the result of fn, or -1 with CNI_IO if it cannot
 * enter the namespace.
 */
int netns_run(int netns, int (*fn)(void *arg, struct cni_error *err), void *arg, struct cni_error *err);

/*
 * Calls each() with the inode and the path of each network namespace that mountinfo, a
 * /proc/PID/mountinfo, lists, until it returns other than 0. Returns the last result of each(). The
 * caller checks ferror().
 */
int netns_mounts(FILE *mountinfo, int (*each)(uint64_t inode, const char *path, void *arg), void *arg);

/*
 * netns_id.c: a namespace in a form that files can store. When a namespace ends, its inode is free, and the
 * kernel gives the lowest free one to the next: the next pod has it. The cookie,
 * sock_net(sk)->net_cookie, is unique in this boot; since Linux 6.18 NS_GET_ID returns the same
 * number (net_namespace.c, setup_net()).
 */
struct netns_id {
	uint64_t inode;	 /* 0: not a network namespace */
	uint64_t cookie; /* 0: not known: before Linux 5.14, or we may not enter the namespace */
};

struct netns_id netns_id_of(int netns);
struct netns_id netns_id(const char *path);
struct netns_id netns_id_asked(const struct request *req); /* of CNI_NETNS */
/* The same by a socket of that namespace, without entering it. */
struct netns_id netns_id_by(int netns, int socket);
bool netns_is(const struct netns_id *a, const struct netns_id *b);

/* "INODE/COOKIE", or "INODE" without a cookie. netns_id_parse() returns 0 for both if it cannot
 * read the text. */
struct netns_id_text {
	char s[sizeof("18446744073709551615/18446744073709551615")];
} netns_id_text(const struct netns_id *id);
struct netns_id netns_id_parse(const char *text);

/* A number that is unique in this boot: that of our namespace, to which socket belongs. 0: not
 * known. Before Linux 5.14 a later namespace may have the same number. */
uint64_t netns_number(int socket);

/* netns_sysctl.c: a file below /proc/sys/net and the value to write. */
struct sysctl {
	char name[128];
	const char *value;
};

/* Writes the files in netns. Logs those that it cannot write. */
void netns_sysctl(int netns, const struct sysctl *list, size_t n);

/* Has the sysctl this value in our namespace? FOUND_NOT also if it does not exist. Errors: CNI_IO. */
enum found netns_sysctl_is(const char *name, const char *value, struct cni_error *err);

/* Does the kernel have IPv6, without ipv6.disable=1? */
bool netns_has_ipv6(void);

#endif
