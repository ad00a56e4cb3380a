/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that there is to say of this machine's pods and networks, as one JSON document: what scan()
 * found, and
 *
 *	node        the machine's name
 *	networks[]  name file ipam masters[] mode flag pods lost free size
 *	pools[]     as addrpool lists them, by networks_list()
 *	problems[]  level ("warning", "error") of ("pod", "master", "pool") about text remedy
 *	unread      pods[] pools[]: sentences about what could not be read
 *	configurations[]  as networks_list() has them
 *
 * and in each pod, also those that are lost:
 *
 *	condition   ok       all is there
 *	            damaged  something is missing: the pod may reach nothing
 *	            lost     its namespace is gone, and it holds addresses and objects still
 *	            unknown  it is not known whether its namespace exists
 *	            unseen   its namespace exists where it cannot be looked into
 *	            foreign  an interface that another program has made
 *	problems[]  sentences
 *	remedy      "gc", "repair", "restart", or null
 *
 * No lock is waited for, and no engine of a cluster is asked.
 */
#ifndef CTL_OVERVIEW_H
#define CTL_OVERVIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* A new reference, or NULL with err. What cannot be read keeps nothing else from being said. */
json_t *overview_read(struct cni_error *err);

/*
 * Keeps the pods that what is about: the name of a pod, or namespace/name, the start of a container's id, an
 * address, the name of a network or of a master; and with them their networks, pools and
 * problems. False: there is nothing of the kind.
 */
bool overview_keep(json_t *doc, const char *what);

/* How many pods are in a condition, and how many problems have a level. */
size_t overview_count_pods(const json_t *doc, const char *condition);
size_t overview_count_problems(const json_t *doc, const char *level);

/* What people call a pod: namespace/name, or the start of its container's id, or where an
 * interface is that another program has made. */
struct pod_name {
	char s[520];
} pod_name(const json_t *pod);

/* The same with what it is, within a sentence: "pod shop/web-1", or "container 0123456789ab…" in full. */
struct pod_label {
	char s[600];
} pod_label(const json_t *pod);

/* How much of a container's id is shown: of 64 hexadecimal digits people know the first twelve. */
int id_shown(const char *container);

/* Calls each() for all pods, and then for those that are lost, whose master is NULL. */
void pods_each_of(const json_t *doc, void (*each)(json_t *pod, const json_t *master, void *arg), void *arg);

#endif
