/*
 * Network namespaces, by descriptor. -1 stands for the one we were started in.
 */
#ifndef NET_NETNS_H
#define NET_NETNS_H

#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"

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

/* A name below /proc/sys/net and what to write there. */
struct sysctl {
	char name[128];
	const char *value;
};

/* Writes all it can, as netns sees them. Says on stderr what did not work. */
void netns_sysctl(int netns, const struct sysctl *list, size_t n);

#endif
