#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# STATUS reports whether an ADD would succeed now.

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

@test "a master that is a port of a bridge" {
	ip link add br0 type bridge
	ip link add port type dummy
	ip link set port master br0
	cni STATUS "$(conf '{"master":"port"}')"
	fails 50 'master "port" is a port of "br0"'
}

@test "a master with a macvlan interface" {
	ip link add link eth0 name mac0 type macvlan
	cni STATUS "$(conf)"
	fails 50 'carries the macvlan interface "mac0"'
}

@test "a master that is not Ethernet" {
	cni STATUS "$(conf '{"master":"lo"}')"
	fails 50 'cannot carry ipvlan'
}

@test "an MTU above the master's" {
	cni STATUS "$(conf '{"mtu":9000}')"
	fails 50 'invalid MTU 9000'
}

@test "an IPAM plugin that is not found" {
	cni STATUS "$(conf '{"ipam":{"type":"zz"}}')"
	fails 50 'failed to find plugin "zz"'
}

@test "STATUS of a chained plugin without master succeeds" {
	ip route del default
	cni STATUS "$(conf '{"master":null,"ipam":null}')"
	succeeds
}

# Each configuration with which ADD requires the master up.
@test "a master that is down: STATUS fails if ADD would fail, and both name the master" {
	local key keys
	declare -A keys=(
		[hostRoutes]='{ "hostRoutes": [ { "dst": "203.0.113.0/24", "gw": "10.138.36.66" } ] }'
		[hostAccess]='{ "hostAccess": true }'
		[reflector]='{ "mode": "l3", "flag": "vepa", "reflector": "10.138.36.66", "ipam": { "ranges": [ [ { "subnet": "10.9.0.0/24" } ] ] } }'
		[conflictCheck]='{ "conflictCheck": "probe" }'
		[dad]='{ "dad": "wait", "ipam": { "ranges": [ [ { "subnet": "fd00:36::/64" } ] ], "routes": null } }'
		[vlan]='{ "vlan": 7 }'
	)
	for key in "${!keys[@]}"; do
		cni STATUS "$(conf "${keys[$key]}")"
		succeeds
		ip link set eth0 down
		cni STATUS "$(conf "${keys[$key]}")"
		fails 50 'master "eth0" is down'
		explains "$key needs it up: ip link set eth0 up"
		cni ADD "$(conf "${keys[$key]}")"
		[ "$status" = 1 ]
		[[ $output = *eth0*' is down'* || $output = *'the interface below it is down'* ]]
		no_link a
		ip link set eth0 up
		ip route replace default via 10.138.36.66
	done
	for key in '{}' '{ "mode": "l3", "hostAccess": true }' '{ "mode": "l3", "dad": "wait" }'; do
		ip link set eth0 down
		cni STATUS "$(conf "$key")"
		succeeds
		add "$(conf "$key")"
		cni DEL "$(conf "$key")"
		ip link set eth0 up
	done
}

@test "dad wait, and a master without carrier" {
	ip -n lan link set eth0 down
	cni STATUS "$(conf '{ "dad": "wait" }' "$(static fd00:36::2/64)")"
	fails 50 'master "eth0" has no carrier'
	cni STATUS "$(conf '{ "dad": "wait" }')" # only IPv6 waits
	succeeds
	add "$(conf '{ "dad": "wait" }')"
}

@test "a master in a VRF: keys whose routes the VRF would not use are refused by ADD, STATUS and doctor" {
	local key keys
	declare -A keys=(
		[hostAccess]='{ "hostAccess": true }'
		[proxyArp]='{ "mode": "l3s", "proxyArp": true }'
		[hostRoutes]='{ "hostRoutes": [ { "dst": "203.0.113.0/24", "gw": "10.138.36.66" } ] }'
		[reflector]='{ "mode": "l3", "flag": "vepa", "reflector": "10.138.36.66" }'
	)
	ip link add blue type vrf table 1001
	ip link set blue up
	ip link set eth0 master blue
	add "$(conf)"
	pings a 10.138.36.66
	cni CHECK "$(with_result "$(conf)")"
	succeeds
	cni DEL "$(conf)"
	for key in "${!keys[@]}"; do
		cni ADD "$(conf "${keys[$key]}")"
		fails 7 "$key does not work where master \"eth0\" is a port of the VRF \"blue\""
		explains "leave $key out, or take eth0 out of blue"
		no_link a
		cni STATUS "$(conf "${keys[$key]}")"
		fails 50 'is a port of the VRF "blue"'
		conf "${keys[$key]}" >"$BATS_TEST_TMPDIR/net.conf"
		run "$BUILD/ipvlanctl" doctor "$BATS_TEST_TMPDIR/net.conf"
		[[ $output = *'is a port of the VRF "blue"'* ]]
	done
}
