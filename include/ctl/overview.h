/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pods and networks of this machine as one JSON document: that of scan(), and
 *
 *	node        the machine's name
 *	networks[]  name file ipam masters[] mode flag pods lost free size
 *	pools[]     as addrpool lists them, by networks_list()
 *	problems[]  level ("warning", "error") of ("pod", "master", "pool") about text remedy
 *	unread      pods[] pools[]: a sentence about each that could not be read
 *	configurations[]  as networks_list() has them
 *
 * and in each pod, lost ones included:
 *
 *	condition   ok       nothing is missing
 *	            damaged  something is missing: the pod may reach nothing
 *	            lost     its namespace is gone, and it still holds addresses or objects
 *	            unknown  it is not known whether its namespace exists
 *	            unseen   its namespace exists, and ipvlanctl cannot enter it
 *	            foreign  another program has made the interface
 *	problems[]  sentences
 *	remedy      "gc", "repair", "restart", or null
 *
 * overview_read() waits for no lock, and asks no engine of a cluster.
 */
#ifndef CTL_OVERVIEW_H
#define CTL_OVERVIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* Returns a new reference, or NULL with err. If parts cannot be read, "unread" has them. */
json_t *overview_read(struct cni_error *err);

/*
 * Keeps only the pods that match, with their networks, pools and problems. what: the name of a pod,
 * namespace/name, the start of a container's id, an address, the name of a network or of a master.
 * False: nothing matches.
 */
bool overview_keep(json_t *doc, const char *what);

/* The number of pods in a condition, and of problems of a level. */
size_t overview_count_pods(const json_t *doc, const char *condition);
size_t overview_count_problems(const json_t *doc, const char *level);

/* A pod's name for people: namespace/name, or else the start of its container's id. If another program
 * has made the interface: its namespace. */
struct pod_name {
	char s[520];
} pod_name(const json_t *pod);

/* For a sentence: "pod shop/web-1", or "container 0123456789ab…" with the whole id. */
struct pod_label {
	char s[600];
} pod_label(const json_t *pod);

/* The number of characters of a container's id to print: 12 of 64 hexadecimal digits, else all. */
int id_shown(const char *container);

/* Calls each() for all pods, and then for lost pods, with master NULL. */
void pods_each_of(const json_t *doc, void (*each)(json_t *pod, const json_t *master, void *arg), void *arg);

#endif
