/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allow and deny: which packets the pods of a network may send and receive, by address, protocol
 * and port.
 *
 * The configuration's lists become one document in one form:
 *
 *	{"network": NAME, "dhcp": true, "egress": LISTS, "ingress": LISTS}
 *	LISTS	{"deny": [RULE...], "allow": [RULE...]}
 *	RULE	{"ipv4": [PREFIX...], "ipv6": [PREFIX...], "protocols": [NUMBER...],
 *		 "ports": ["FIRST-LAST"...], "sourcePorts": [...], "established": true}
 *
 * A key that is absent matches everything. The document's hash names the two chains of the policy in the
 * table of the master's fence: plugin/object_policy.c.
 */
#ifndef PLUGIN_POLICY_H
#define PLUGIN_POLICY_H

#include <jansson.h>
#include <stdio.h>

#include "cni/error.h"
#include "cni/plugin.h"

/* Reads allow and deny of the request. *ret is NULL if it has neither; the caller owns it. CNI_CONFIG. */
int policy_read(json_t **ret, const struct request *req, struct cni_error *err);

/* 16 hexadecimal digits, which differ if the policies do. */
struct policy_name {
	char s[17];
} policy_name(const json_t *policy);

/* Prints the commands of nft that make the chains policy_<name>_out and policy_<name>_in in the table.
 * Without a policy they drop everything. */
void policy_print(FILE *script, const char *table, const char *name, const json_t *policy);

/* Prints the commands that delete them. */
void policy_unprint(FILE *script, const char *table, const char *name);

/* The prefix of the names of its chains. */
#define POLICY_CHAIN "policy_"

#endif
