#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The article's chapter "L2, vepa": pods of a subnet that the LAN does not know.

load ../lib/article

vepa='{ "flag": "vepa" }'

both() {
	attach ns1 192.168.9.2/24 "$by_link" "$vepa"
	attach ns2 192.168.9.3/24 "$by_link" "$vepa"
}

@test "a gateway outside the subnet, which the kernel rejects by hand, works by configuration" {
	attach ns1 192.168.9.2/24 '[]' "$vepa"
	run ip -n ns1 route add default via 10.138.36.66 dev eth0
	[ "$status" != 0 ]
	[[ $output = *"Nexthop has invalid gateway"* ]]
	attach ns2 192.168.9.3/24 "$(by_gw 10.138.36.66)" "$vepa"
	[ "$(ip -n ns2 route show default)" = "default via 10.138.36.66 dev eth0 onlink " ]
	return_route
	reaches ns2 10.138.36.66
}

@test "ns2 does not reach ns1: the answer to its ARP request leaves through the master, and does not return" {
	both
	watch master - eno2
	watch ns2 ns2 eth0
	watch peer peer eno1
	misses ns2 192.168.9.2
	stop_watching
	noticed master 'Request who-has 192.168.9.2 tell 192.168.9.3'
	noticed master 'Reply 192.168.9.2 is-at'
	noticed ns2 'Request who-has 192.168.9.2 tell 192.168.9.3'
	saw ns2 0 'Reply 192.168.9.2'
	noticed peer 'Request who-has 192.168.9.2 tell 192.168.9.3'
}

@test "with a static neighbour the echo request leaves through the master, and does not return" {
	both
	ip -n ns2 neigh replace 192.168.9.2 lladdr "$(mac_of ns1 eth0)" dev eth0 nud permanent
	watch master - eno2
	watch port sw phost
	watch ns1 ns1 eth0
	misses ns2 192.168.9.2
	stop_watching
	saw master 1 'ICMP echo request'
	saw port 1 'ICMP echo request'
	saw ns1 0 ICMP
}

@test "a switch that returns packets to their port connects them" {
	both
	bridge -n sw link set dev phost hairpin on
	reaches ns2 192.168.9.2
}

@test "ns2 and 36.66 reach each other only if 36.66 has a route back" {
	both
	misses ns2 10.138.36.66
	return_route
	watch ns1 ns1 eth0
	reaches ns2 10.138.36.66
	reaches peer 192.168.9.3
	stop_watching
	noticed ns1 'ff:ff:ff:ff:ff:ff.*Request who-has' # broadcasts reach every pod
}

@test "a route back on the link works too, since pods answer ARP" {
	both
	return_route dev eno1
	reaches ns2 10.138.36.66
	ip -n peer neigh flush dev eno1
	watch peer peer eno1
	reaches peer 192.168.9.3
	stop_watching
	noticed peer 'Reply 192.168.9.3 is-at'
}

@test "with a reflector pods of one subnet reach each other through it, and redirects change nothing" {
	ip netns exec peer sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=1 net.ipv4.conf.eno1.send_redirects=1
	return_route dev eno1
	attach ns1 192.168.9.2/24 "$(by_gw 10.138.36.66)" '{ "flag": "vepa", "reflector": "10.138.36.66" }'
	attach ns2 192.168.9.3/24 "$(by_gw 10.138.36.66)" '{ "flag": "vepa", "reflector": "10.138.36.66" }'
	watch peer peer eno1
	[[ $(ip netns exec ns2 ping -n -c 4 -i 0.3 192.168.9.2) = *' 0% packet loss'* ]]
	stop_watching
	reaches ns2 192.168.9.2
	[[ $REPLY_LINE = *ttl=63* ]]
	noticed peer 'ICMP redirect'
	saw peer 8 'ICMP echo request' # each of the four arrives and leaves
}

@test "the internet: the gateway has no route back; with a router that translates addresses it works" {
	ip netns exec peer sysctl -qw net.ipv4.ip_forward=1
	return_route
	attach ns2 192.168.9.3/24 "$(by_gw 10.138.36.66)" "$vepa"
	watch inet inet eth0
	misses ns2 39.156.66.10
	stop_watching
	noticed inet '192.168.9.3 > 39.156.66.10: ICMP echo request'
	ip netns exec peer nft 'add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; };
		add rule ip nat post ip saddr 192.168.9.0/24 masquerade'
	reaches ns2 39.156.66.10
}
