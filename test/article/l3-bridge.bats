#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The article's chapter "L3, bridge".

load ../lib/article

l3='{ "mode": "l3" }'

both() {
	attach ns1 192.168.9.2/24 "$by_link" "$l3"
	attach ns2 192.168.9.3/24 "$by_link" "$l3"
}

@test "the interfaces use no ARP, and ns2 reaches ns1 without a packet on the master" {
	both
	[[ $(ip -n ns1 link show eth0) = *NOARP* ]]
	watch master - eno2
	watch ns1 ns1 eth0
	reaches ns2 192.168.9.2
	stop_watching
	saw master 0 .
	saw ns1 2 ICMP
	saw ns1 0 ARP
}

@test "36.66 without a route back: the host sends the ARP request, and the answer goes to the gateway" {
	both
	watch master - eno2
	watch peer peer eno1
	misses ns2 10.138.36.66
	stop_watching
	saw master 1 'Request who-has 10.138.36.66 tell 10.138.36.58'
	saw master 0 'tell 192.168.9'
	noticed peer '192.168.9.3 > 10.138.36.66: ICMP echo request'
	noticed peer "> $(mac_of gw eth0).*10.138.36.66 > 192.168.9.3: ICMP echo reply"
}

@test "36.66 with a route back via the host: both directions, although the host does not forward" {
	both
	return_route
	[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
	reaches ns2 10.138.36.66
	reaches peer 192.168.9.2
}

@test "multicast and broadcast do not reach other pods" {
	both
	watch ns1 ns1 eth0
	run ! ip netns exec ns2 ping -n -c 1 -W 1 -I eth0 224.0.0.1
	run ! ip netns exec ns2 ping -n -c 1 -W 1 -b 192.168.9.255
	stop_watching
	saw ns1 0 .
}

@test "addresses of the LAN's own subnet: ADD warns, and the LAN does not reach them" {
	attach ns1 10.138.36.2/23 "$by_link" "$l3"
	[[ $stderr = *"10.138.36.2 is in the subnet of eno2, but in l3 no host answers for it"* ]]
	misses peer 10.138.36.2
	misses ns1 10.138.36.66
}

@test "addresses of the LAN's own subnet, l3s with proxyArp: the LAN reaches them" {
	attach ns1 10.138.36.2/23 "$by_link" '{ "mode": "l3s", "proxyArp": true }'
	[ -z "$stderr" ]
	reaches peer 10.138.36.2
	reaches ns1 10.138.36.66
	reaches gw 10.138.36.2
	reaches ns1 39.156.66.10
}

@test "host and pods: hostAccess" {
	both
	run ! ping -n -c 1 -W 1 192.168.9.2
	cni DEL "$(conf)" ns1
	attach ns1 192.168.9.2/24 "$by_link" '{ "mode": "l3", "hostAccess": true }'
	ping -n -c 1 -W 2 192.168.9.2
	reaches ns1 10.138.36.58
}
