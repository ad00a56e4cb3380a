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

/* Takes 300 ms, or less when somebody answers: CNI_CONFLICT names him. netns is that
 * of the master, -1 for ours. */
int probe_addresses(const struct link *master, int netns, const struct result *given, struct cni_error *err);

#endif
