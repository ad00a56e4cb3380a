#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The kernel refuses one rtnetlink request of ipvlan after the other: ipvlan reports which, and
# leaves nothing.

load ../lib/faults

@test "whatever request the kernel refuses: a pod's interface" {
	faults refusals 28 'ADD DEL' "$(pooled)"
	told 'cannot look up a link: operation not supported' \
		'cannot list links: operation not supported' \
		'failed to create ipvlan: operation not supported' \
		"failed to create ipva*, which keeps the master's mode: operation not supported" \
		'failed to add IP addr 192.168.9.*/24 to "eth0": operation not supported' \
		'failed to add IP addr fd00:9::*/64 to "eth0": operation not supported' \
		'failed to set "eth0" UP: operation not supported' \
		"failed to add route '0.0.0.0/0 via 192.168.9.1 dev eth0': operation not supported" \
		"failed to add route '::/0 via fd00:9::1 dev eth0': operation not supported" \
		'failed to delete link *: operation not supported'
}

@test "whatever request the kernel refuses: a VLAN that is made" {
	faults refusals 35 'ADD DEL' "$(pooled '{ "vlan": 100 }')"
	told 'failed to create the master eth0.100: operation not supported'
}

@test "whatever request the kernel refuses: reflector" {
	faults refusals 35 'ADD DEL' "$(pooled '{ "mode": "l3", "flag": "vepa", "reflector": [ "10.138.36.66", "fd00:36::66" ] }')"
	told 'cannot list addresses: operation not supported' \
		"failed to add route '192.168.9.0/24 via 10.138.36.66' on the host: operation not supported" \
		'failed to delete the route to fd00:9::/64: operation not supported'
}

@test "whatever request the kernel refuses: hostAccess, hostRoutes" {
	stranger
	faults refusals 45 'ADD DEL' "$(pooled '{ "hostAccess": true, "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }')"
	told 'failed to list the filters of link *: operation not supported' \
		'failed to add the filter of hostAccess to link *: operation not supported' \
		'failed to delete the filter of hostAccess from link *: operation not supported' \
		"failed to add route '192.168.7.0/24 via 10.138.36.66' on the host: operation not supported" \
		'failed to delete the route to 192.168.7.0/24: operation not supported'
}

@test "whatever request the kernel refuses: hostAccess in l2, where the host answers no ARP" {
	sysctl -qw net.ipv4.conf.all.arp_ignore=8
	faults refusals 15 ADD "$(pooled '{ "hostAccess": true }')"
	sysctl -qw net.ipv4.conf.all.arp_ignore=0
	told 'failed to add the host as a neighbour: operation not supported'
}

@test "whatever request the kernel refuses: l3s, ipMasq, proxyArp" {
	faults refusals 65 'ADD DEL' "$(pooled '{ "mode": "l3s", "ipMasq": true, "proxyArp": true }')"
	told 'nft failed for ipMasq' \
		'failed to set "ipva*" UP: operation not supported' \
		'failed to set "ipva*" DOWN: operation not supported' \
		'failed to add the neighbour fd00:9::*: operation not supported' \
		'failed to delete the neighbour fd00:9::*: operation not supported' \
		"failed to add route '192.168.9.*/32' on the host: operation not supported" \
		'failed to delete the route to fd00:9::*/128: operation not supported'
}

# Before Linux 6.15 the interface first gets another name, since the host has an eth0 too.
@test "whatever request the kernel refuses: antiSpoof, bandwidth, allow" {
	faults refusals 40 'ADD DEL' "$(pooled '{ "antiSpoof": true, "bandwidth": { "egressRate": 8000000 }, "allow": { "egress": [ {} ] } }' \
		"{ \"logFile\": \"$BATS_TEST_TMPDIR/log\" }")"
	told 'nft failed for antiSpoof'
	grep -qF 'bandwidth: the kernel refuses the qdisc tbf on "eth0": operation not supported; packets above egressRate are dropped, not delayed' \
		"$BATS_TEST_TMPDIR/log"
}

@test "whatever request the kernel refuses: the name, if that is a separate request" {
	local release
	IFS=.- read -ra release <<<"$(uname -r)"
	faults refusals 15 ADD "$(pooled '{ "ipam": { "ranges": [ [ { "subnet": "192.168.9.0/24" } ] ] } }')"
	[ $((release[0] * 1000 + release[1])) -ge 6015 ] || told 'failed to create ipvlan: failed to rename ipvlan to "eth0": operation not supported'
}

@test "whatever request the kernel refuses: STATUS reports that there is no ipvlan" {
	faults refusals 2 STATUS "$(pooled)"
	told 'this kernel has no ipvlan'
}
