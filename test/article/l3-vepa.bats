#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The article's chapter "L3, vepa".

load ../lib/article

vepa='{ "mode": "l3", "flag": "vepa" }'

both() {
	attach ns1 192.168.9.2/24 "$by_link" "${1:-$vepa}"
	attach ns2 192.168.9.3/24 "$by_link" "${1:-$vepa}"
}

@test "ns2 does not reach ns1: its packets go to the gateway" {
	both
	watch gateway gw eth0
	misses ns2 192.168.9.2
	stop_watching
	noticed gateway "> $(mac_of gw eth0).*192.168.9.3 > 192.168.9.2: ICMP echo request"
}

@test "if the gateway has a route to the pods' subnet, ns2 reaches ns1 without further keys" {
	both
	ip -n gw route add 192.168.9.0/24 via 10.138.36.58
	reaches ns2 192.168.9.2
	[[ $REPLY_LINE = *ttl=63* ]]
}

@test "hostRoutes: the article's route to the pods' subnet via 36.66, which returns packets" {
	ip netns exec peer sysctl -qw net.ipv4.ip_forward=1
	return_route
	both '{ "mode": "l3", "flag": "vepa", "hostRoutes": [ { "dst": "192.168.9.0/24", "gw": "10.138.36.66" } ] }'
	[ "$(ip route show 192.168.9.0/24)" = "192.168.9.0/24 via 10.138.36.66 dev eno2 proto 105 " ]
	watch peer peer eno1
	watch master - eno2
	reaches ns2 192.168.9.2
	[[ $REPLY_LINE = *ttl=63* ]]
	stop_watching
	saw peer 2 'ICMP echo request'
	saw peer 2 'ICMP echo reply'
	noticed master "^[^ ]* $(mac_of peer eno1) > .*192.168.9.2 > 192.168.9.3: ICMP echo reply"
}

@test "reflector: the same without the subnet in the configuration; the last DEL removes the route" {
	ip netns exec peer sysctl -qw net.ipv4.ip_forward=1
	return_route
	both '{ "mode": "l3", "flag": "vepa", "reflector": "10.138.36.66" }'
	reaches ns2 192.168.9.2
	cni DEL "$(conf)" ns1
	[ -n "$(ip route show 192.168.9.0/24)" ]
	cni DEL "$(conf)" ns2
	[ -z "$(ip route show 192.168.9.0/24)" ]
}

@test "a router that does not forward connects no pods" {
	return_route
	both '{ "mode": "l3", "flag": "vepa", "reflector": "10.138.36.66" }'
	misses ns2 192.168.9.2
}

@test "36.66 with a route back and ns2 reach each other" {
	both
	return_route
	reaches ns2 10.138.36.66
	reaches peer 192.168.9.3
}

@test "the internet: the request leaves, the answer does not return" {
	both
	watch inet inet eth0
	misses ns2 39.156.66.10
	stop_watching
	noticed inet '192.168.9.3 > 39.156.66.10: ICMP echo request'
	noticed inet '39.156.66.10 > 192.168.9.3: ICMP echo reply'
}

@test "the internet through a route of the host via 36.66, which translates addresses" {
	ip netns exec peer sysctl -qw net.ipv4.ip_forward=1
	return_route
	ip netns exec peer nft 'add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; };
		add rule ip nat post ip saddr 192.168.9.0/24 masquerade'
	both '{ "mode": "l3", "flag": "vepa", "hostRoutes": [ { "dst": "39.156.66.10/32", "gw": "10.138.36.66" } ] }'
	watch peer peer eno1
	reaches ns2 39.156.66.10
	[[ $REPLY_LINE = *ttl=62* ]]
	stop_watching
	saw peer 4 'ICMP echo' # request and answer arrive and leave
	noticed peer '10.138.36.66 > 39.156.66.10: ICMP echo request'
}

@test "the internet without another router: l3s and ipMasq" {
	both '{ "mode": "l3s", "ipMasq": true }'
	watch inet inet eth0
	reaches ns2 39.156.66.10
	stop_watching
	noticed inet '10.138.36.58 > 39.156.66.10: ICMP echo request'
	reaches ns2 192.168.9.2
}
