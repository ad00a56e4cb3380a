#!/usr/bin/env bats
# STATUS says whether an ADD would work now.

load ../lib/cni

@test "ready" {
	cni STATUS "$(conf)"
	succeeds
	[ "$output" = "" ]
}

@test "STATUS changes nothing" {
	local before
	before=$(inventory)
	cni STATUS "$(conf)"
	leaves_nothing "$before"
}

@test "no such master" {
	cni STATUS "$(conf '{"master":"nope0"}')"
	fails 50 'failed to lookup master "nope0"'
}

@test "no default route to take the master from" {
	ip route del default
	cni STATUS "$(conf '{"master":null}')"
	fails 50 'no default route interface found'
}

@test "a master held by a bridge" {
	ip link add br0 type bridge
	ip link add port type dummy
	ip link set port master br0
	cni STATUS "$(conf '{"master":"port"}')"
	fails 50 'master "port" is a port of "br0"'
}

@test "a master that carries macvlan" {
	ip link add link eth0 name mac0 type macvlan
	cni STATUS "$(conf)"
	fails 50 'carries the macvlan interface "mac0"'
}

@test "a master that is no Ethernet" {
	cni STATUS "$(conf '{"master":"lo"}')"
	fails 50 'cannot carry ipvlan'
}

@test "an MTU above the master's" {
	cni STATUS "$(conf '{"mtu":9000}')"
	fails 50 'invalid MTU 9000'
}

@test "an IPAM plugin that is nowhere" {
	cni STATUS "$(conf '{"ipam":{"type":"zz"}}')"
	fails 50 'failed to find plugin "zz"'
}

@test "a chained plugin without master waits for what comes before it" {
	ip route del default
	cni STATUS "$(conf '{"master":null,"ipam":null}')"
	succeeds
}
