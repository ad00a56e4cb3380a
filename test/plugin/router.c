/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router LINK PREFIX: sends one router advertisement to all nodes on the link, from which
 * they make an address in PREFIX/64 and a default route (RFC 4861 4.2).
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct advertisement {
	struct nd_router_advert head;
	struct nd_opt_prefix_info prefix;
};

static struct advertisement advertise(const struct in6_addr *prefix)
{
	struct advertisement ra = { .head.nd_ra_type = ND_ROUTER_ADVERT };

	ra.head.nd_ra_curhoplimit = 64;
	ra.head.nd_ra_router_lifetime = htons(1800);
	ra.prefix.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION;
	ra.prefix.nd_opt_pi_len = sizeof(ra.prefix) / 8;
	ra.prefix.nd_opt_pi_prefix_len = 64;
	ra.prefix.nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO;
	ra.prefix.nd_opt_pi_valid_time = ra.prefix.nd_opt_pi_preferred_time = htonl(3600);
	ra.prefix.nd_opt_pi_prefix = *prefix;
	return ra;
}

int main(int argc, char **argv)
{
	const int hops = 255; /* hosts ignore advertisements with another hop limit */
	struct sockaddr_in6 all = { .sin6_family = AF_INET6 };
	struct advertisement ra;
	struct in6_addr prefix;
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);

	if (argc != 3 || inet_pton(AF_INET6, argv[2], &prefix) != 1) {
		fputs("router LINK PREFIX\n", stderr);
		return 2;
	}
	inet_pton(AF_INET6, "ff02::1", &all.sin6_addr);
	all.sin6_scope_id = if_nametoindex(argv[1]);
	ra = advertise(&prefix);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) < 0 ||
	    sendto(fd, &ra, sizeof(ra), 0, (const struct sockaddr *)&all, sizeof(all)) < 0) {
		perror("router");
		return 1;
	}
	return close(fd) < 0;
}
