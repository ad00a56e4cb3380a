/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does another host on the LAN have the address already? Asked before the pod gets
 * it: IPv4 by ARP probes (RFC 5227 2.1.1), IPv6 by neighbour solicitations (RFC 4862
 * 5.4.2), from the master, where the answers arrive whatever the pod's interface
 * does. The host's own addresses and those of other slaves of the master do not
 * answer there; the kernel knows them.
 */
#ifndef PLUGIN_PROBE_H
#define PLUGIN_PROBE_H

#include "plugin/iface.h"

/* An address, and who has answered for it. */
struct answer {
	struct ip ip;
	bool answered;
	unsigned char mac[6];
};

struct mac_text {
	char s[sizeof("00:00:00:00:00:00")];
} answer_mac(const struct answer *answer);

/* Asks for all addresses at once, for 300 ms, or until so many are answered for. netns is that
 * of the master, -1 for ours. Errors: CNI_IO. */
int probe_ask(const struct link *master, int netns, struct answer *answers, size_t n, size_t enough,
	      struct cni_error *err);

/* The same for what a pod was given: CNI_CONFLICT names the first who answers. */
int probe_addresses(const struct link *master, int netns, const struct result *given, struct cni_error *err);

#endif
