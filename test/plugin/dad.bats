#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# IPv6 duplicate address detection, with the key dad.

load ../lib/cni

@test "with dad wait an address that another host has is refused, and nothing is left" {
	local before
	before=$(inventory)
	ip -n lan addr add fd00:36::2/64 dev eth0 nodad
	cni ADD "$(conf '{"dad":"wait"}' "$(static "10.138.36.2/23 fd00:36::2/64")")"
	fails 101 'address fd00:36::2/64 is in use on the link'
	explains 'another host has it'
	leaves_nothing "$before"
}

@test "with dad wait an address may be used when ADD returns" {
	add "$(conf '{"dad":"wait"}' "$(static "fd00:36::2/64")")"
	[ -z "$(ip -n a -6 addr show dev eth0 scope global tentative)" ]
	[ -n "$(ip -n a -6 addr show dev eth0 scope global -dadfailed)" ]
	pings a fd00:36::66
}

@test "with dad wait an l3 interface, which has no neighbours, does not wait" {
	add "$(conf '{"mode":"l3","dad":"wait"}' "$(static "fd00:9::2/64")")"
	[ -z "$(ip -n a -6 addr show dev eth0 scope global tentative)" ]
}

@test "without dad wait ADD does not notice an address of another host" {
	ip -n lan addr add fd00:36::2/64 dev eth0 nodad
	add "$(conf "$(static "fd00:36::2/64")")"
	[ -z "$(ip -n a -6 addr show dev eth0 scope global tentative)" ]
}

@test "with dad wait and a master without carrier ADD fails at once and says why" {
	ip -n lan link set eth0 down
	cni ADD "$(conf '{"dad":"wait"}' "$(static "fd00:36::2/64")")"
	fails 11 'master "eth0" has no carrier'
	[ -z "$(ip -n a -br link show type ipvlan)" ]
}

@test "dad is skip or wait" {
	cni ADD "$(conf '{"dad":"maybe"}')"
	fails 7 'dad must be "skip" or "wait", not "maybe"'
}

@test "with dad wait ADD fails if the address is deleted meanwhile, and reports that" {
	local before
	before=$(inventory)
	ip netns exec a sysctl -qw net.ipv6.conf.default.dad_transmits=20 # seconds
	(sleep 1 && ip -n a addr del fd00:36::2/64 dev eth0) 3>&- &
	cni ADD "$(conf '{"dad":"wait"}' "$(static "fd00:36::2/64")")"
	fails 999
	says 'address fd00:36::2/64 is no longer on "eth0"'
	leaves_nothing "$before"
}
