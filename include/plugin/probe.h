/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does another host on the LAN have the address? The master asks before the pod gets it: with ARP
 * probes for IPv4 (RFC 5227 2.1.1), with neighbour solicitations for IPv6 (RFC 4862 5.4.2). The
 * answers arrive at the master. The host and the other slaves of the master do not answer there;
 * the kernel refuses their addresses by itself.
 */
#ifndef PLUGIN_PROBE_H
#define PLUGIN_PROBE_H

#include "plugin/iface.h"

/* An address, and the MAC address of the host that answered for it. */
struct answer {
	struct ip ip;
	bool answered;
	unsigned char mac[6];
};

struct mac_text {
	char s[sizeof("00:00:00:00:00:00")];
} answer_mac(const struct answer *answer);

/* Asks for all addresses at once, until enough of them are answered, for 300 ms at most. netns is
 * that of the master, -1: ours. Errors: CNI_IO. */
int probe_ask(const struct link *master, int netns, struct answer *answers, size_t n, size_t enough,
	      struct cni_error *err);

/* The same for the addresses of a pod. CNI_CONFLICT names the first that another host has. */
int probe_addresses(const struct link *master, int netns, const struct result *given, struct cni_error *err);

#endif
