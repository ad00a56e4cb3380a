#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Which interface is the master if the configuration names none.

load ../lib/cni

# on_master NAME: NAME is the master of the pod's interface.
on_master() {
	[ "$(in_pod a '.[0].link_index' link show eth0)" = "$(cat "/sys/class/net/$1/ifindex")" ]
}

@test "the default route's interface" {
	add "$(conf '{"master":null}')"
	on_master eth0
}

@test "the default route with the lowest metric" {
	ip link add other type dummy
	ip link set other up
	ip route add default dev other metric 500
	ip route del default via 10.138.36.66
	ip route add default via 10.138.36.66 metric 100
	add "$(conf '{"master":null}')"
	on_master eth0
}

@test "the first next hop of a multipath default route" {
	ip link add other type dummy
	ip link set other up
	ip addr add 10.77.0.1/24 dev other
	ip route replace default nexthop via 10.77.0.2 nexthop via 10.138.36.66
	add "$(conf '{"master":null}')"
	on_master other
}

@test "a default route by nexthop objects, listed with their parts or only by their number" {
	local compat to gw
	ip link add other type dummy
	ip link set other up
	ip addr add 10.77.0.1/24 dev other
	ip nexthop add id 1 via 10.138.36.66 dev eth0
	ip nexthop add id 2 via 10.77.0.2 dev other
	ip nexthop add id 3 group 1/2
	ip nexthop add id 4 via fd00:36::66 dev eth0
	ip nexthop add id 5 blackhole
	ip route del default
	for compat in 1 0; do
		sysctl -qw net.ipv4.nexthop_compat_mode=$compat
		for to in "default nhid 1" "default nhid 3" "-6 default nhid 4"; do
			gw=${to% default*}
			[ "$gw" = -6 ] || gw=-4
			ip "$gw" route add ${to#-6 }
			add "$(conf '{"master":null}')"
			on_master eth0
			cni DEL "$(conf '{"master":null}')"
			ip "$gw" route del default
		done
		ip route add default nhid 5
		cni ADD "$(conf '{"master":null}')"
		fails 7 'no default route interface found'
		ip route del default
	done
}

@test "an IPv6 default route if there is none of IPv4" {
	ip route del default
	ip -6 route add default via fd00:36::66
	add "$(conf '{"master":null}')"
	on_master eth0
}

@test "an unreachable default route does not count" {
	ip route del default
	ip route add unreachable default metric 1
	ip -6 route add unreachable default dev lo metric 4278198272
	cni ADD "$(conf '{"master":null}')"
	fails 7 'no default route interface found'
	ip -6 route add default via fd00:36::66
	add "$(conf '{"master":null}')"
	on_master eth0
}

@test "a master can have an alternative name of any length" {
	ip link property add dev eth0 altname enp0s31f6 altname enp0s31f6-the-uplink-of-this-machine
	add "$(conf '{"master":"enp0s31f6"}')" a
	add "$(conf '{"master":"enp0s31f6-the-uplink-of-this-machine"}')" b
	pings a 10.138.36.3
}

@test "inside the pod with linkInContainer" {
	ip link add inner netns a type dummy
	ip -n a link set inner up
	ip -n a route add default dev inner
	add "$(conf '{"master":null,"linkInContainer":true}')" a net1
	[ "$(in_pod a '.[0].link' link show net1)" = inner ]
}

@test "a slave as master: the new interface is on the same master" {
	local kind conf
	conf=$(conf '{"master":"slave","linkInContainer":true}')
	for kind in ipvlan ipvtap; do
		ip link add link eth0 name slave netns a type $kind mode l2
		add "$conf" a net1
		pings a 10.138.36.66
		cni CHECK "$(with_result "$conf")" a net1
		succeeds
		cni DEL "$conf" a net1
		succeeds
		ip -n a link del slave
	done
}

@test "a VLAN, a bond, a bridge or a macvlan interface can be the master" {
	local name
	ip link add link eth0 name eth0.7 type vlan id 7
	ip link add bond7 type bond
	ip link add br7 type bridge
	for name in eth0.7 bond7 br7; do
		ip link set "$name" up
		add "$(conf "{\"master\":\"$name\"}")"
		on_master "$name"
		cni DEL "$(conf)"
		succeeds
	done
}

@test "a port of a VRF can be the master" {
	ip link add vrf7 type vrf table 77
	ip link add port type dummy
	ip link set port master vrf7
	ip link set port up
	add "$(conf '{"master":"port"}')"
	on_master port
	cni STATUS "$(conf '{"master":"port"}')"
	succeeds
}

@test "a kernel from before Linux 4.20 is refused before anything changes, and DEL works" {
	local before verb
	add "$(conf)"
	run_by strace -f -qq -o /dev/null -e inject=setsockopt:error=ENOPROTOOPT
	cni DEL "$(conf)"
	succeeds
	before=$(inventory)
	for verb in ADD STATUS; do
		cni "$verb" "$(conf)"
		[ "$status" = 1 ]
		[ "$(result .msg)" = 'this kernel is older than Linux 4.20' ]
		cni "$verb" "$(conf '{ "master": null }')"
		[ "$(result .msg)" = 'this kernel is older than Linux 4.20' ]
	done
	leaves_nothing "$before"
}
