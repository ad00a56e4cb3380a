/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/sweep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ether.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/cleanup.h"
#include "cni/process.h"
#include "ctl/progress.h"

/* Asks for each address twice, for few at a time, so that no queue overflows. */
#define ROUNDS 2
#define ROUND_MS 1000
#define AT_ONCE 32
#define PAUSE_MS 10

struct asker {
	int fd;
	const struct link *link;
	struct ip first;
	size_t n;
	bool *taken;
};

static int sweep_asker_open(struct asker *asker, struct cni_error *err)
{
	const struct sockaddr_ll here = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = asker->link->index,
	};
	autoclose int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0)
		return cni_fail(err, CNI_IO, "cannot ask the LAN of %s: %s", asker->link->name,
				errno_text(errno));
	asker->fd = take_fd(&fd);
	return 0;
}

/* Sends an ARP probe (RFC 5227 2.1.1), which changes no cache on the LAN. */
static int sweep_ask(const struct asker *asker, const struct ip *ip, struct cni_error *err)
{
	struct sockaddr_ll everybody = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = asker->link->index,
		.sll_halen = ETH_ALEN,
		.sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};
	struct ether_arp arp = {
		.ea_hdr = { htons(ARPHRD_ETHER), htons(ETH_P_IP), ETH_ALEN, 4, htons(ARPOP_REQUEST) },
	};
	struct ether_addr mac;

	if (ether_aton_r(asker->link->mac, &mac))
		memcpy(arp.arp_sha, &mac, ETH_ALEN);
	memcpy(arp.arp_tpa, ip->bytes, 4);
	if (sendto(asker->fd, &arp, sizeof(arp), 0, (const struct sockaddr *)&everybody, sizeof(everybody)) >=
		    0 ||
	    errno == ENOBUFS || errno == EAGAIN)
		return 0;
	return cni_fail(err, CNI_IO, "cannot ask the LAN of %s: %s", asker->link->name, errno_text(errno));
}

/* A host that sends ARP has the sender's address, whatever the packet asks. */
static void sweep_note(const struct asker *asker, const struct ether_arp *arp)
{
	struct ip ip = { .family = AF_INET };
	uint64_t at;

	memcpy(ip.bytes, arp->arp_spa, 4);
	if (ip_is_any(&ip) || ip_compare(&ip, &asker->first) < 0)
		return;
	at = ip_distance(&asker->first, &ip);
	if (at < asker->n)
		asker->taken[at] = true;
}

static void sweep_hear(const struct asker *asker, int milliseconds)
{
	const long long end = process_now_ms() + milliseconds;

	for (long long left = milliseconds; left > 0; left = end - process_now_ms()) {
		struct pollfd wait = { .fd = asker->fd, .events = POLLIN };
		struct sockaddr_ll from = { .sll_family = AF_PACKET };
		socklen_t size = sizeof(from);
		struct ether_arp arp;

		if (poll(&wait, 1, (int)left) <= 0)
			continue;
		if (recvfrom(asker->fd, &arp, sizeof(arp), 0, (struct sockaddr *)&from, &size) ==
			    sizeof(arp) &&
		    from.sll_pkttype != PACKET_OUTGOING)
			sweep_note(asker, &arp);
	}
}

static int sweep_ask_all(const struct asker *asker, struct cni_error *err)
{
	const long long end = process_now_ms() + ROUND_MS;
	struct ip ip = asker->first;
	long long left;

	for (size_t i = 0; i < asker->n; i++, ip = ip_next(&ip)) {
		if (!asker->taken[i] && sweep_ask(asker, &ip, err) < 0)
			return -1;
		if (i % AT_ONCE == AT_ONCE - 1)
			sweep_hear(asker, PAUSE_MS);
	}
	left = end - process_now_ms();
	if (left > 0)
		sweep_hear(asker, (int)left);
	return 0;
}

// NOLINTNEXTLINE(readability-non-const-parameter): struct asker writes there
int sweep(const struct link *link, const struct ip *first, size_t n, bool *taken, struct cni_error *err)
{
	struct asker asker = { .fd = -1, .link = link, .first = *first, .n = n, .taken = taken };
	int rc = sweep_asker_open(&asker, err);

	for (int i = 0; rc == 0 && i < ROUNDS; i++) {
		progress("asking the LAN of %s for %zu addresses", link->name, n);
		rc = sweep_ask_all(&asker, err);
	}
	progress_end();
	cleanup_close(&asker.fd);
	return rc;
}
