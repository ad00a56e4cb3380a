#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# CHECK: the addresses of prevResult and the leases are the same.

load ../lib/pool

sets='"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00::/64"}]]'

# given: an ADD; afterwards with_result is the configuration with its result.
given() {
	pool ADD "$(conf "$sets")"
	succeeds
	RESULT=$output
}

with_result() {
	conf "$sets" "\"prevResult\": $(jq -c "${1:-.}" <<<"$RESULT")"
}

@test "CHECK succeeds after ADD" {
	local before
	given
	before=$(snapshot)
	pool CHECK "$(with_result)"
	succeeds
	[ -z "$output" ]
	changes_nothing "$before"
}

@test "without prevResult CHECK requires only a lease" {
	given
	pool CHECK "$(conf "$sets")"
	succeeds
}

@test "CHECK succeeds with host-local's lease" {
	host_local ADD "$(conf "$sets")"
	RESULT=$output
	pool CHECK "$(with_result)"
	succeeds
	PLUGIN=$HOST_LOCAL pool CHECK "$(with_result)"
	succeeds
}

@test "CHECK fails for an unknown container, interface or network" {
	pool CHECK "$(conf)"
	fails 102 'Failed to find address added by container c1'
	[ ! -e "$DATA" ]
	given
	pool CHECK "$(conf)" c2
	fails 102 'Failed to find address added by container c2'
	pool CHECK "$(conf)" c1 eth1
	fails 102 'Failed to find address added by container c1'
}

@test "CHECK fails after DEL" {
	given
	drops "$(conf)"
	pool CHECK "$(with_result)"
	fails 102 'Failed to find address added by container c1'
}

@test "CHECK fails if one of two leases is gone" {
	given
	rm "$STORE/fd00::2"
	pool CHECK "$(with_result)"
	fails 102 'fd00::2 of prevResult is not leased by c1 eth0'
}

@test "CHECK fails if another container has the lease" {
	given
	rm "$STORE/10.9.0.2"
	lease 10.9.0.2 'c2\r\neth0'
	pool CHECK "$(with_result)"
	fails 102 '10.9.0.2 of prevResult is not leased by c1 eth0'
}

@test "CHECK fails if the interface has one more lease" {
	given
	lease 10.9.0.77 'c1\r\neth0'
	pool CHECK "$(with_result)"
	fails 102 '10.9.0.77 is leased by c1 eth0, but not in prevResult'
}

@test "CHECK fails if prevResult has another address" {
	given
	pool CHECK "$(with_result '.ips[0].address = "10.9.0.9/24"')"
	fails 102 '10.9.0.9 of prevResult is not leased by c1 eth0'
	pool CHECK "$(with_result '.ips = [.ips[0]]')"
	fails 102 'fd00::2 is leased by c1 eth0, but not in prevResult'
}

@test "CHECK ignores addresses of other networks and interfaces in prevResult" {
	given
	pool CHECK "$(with_result '.ips += [{address: "192.168.7.7/24"}]')"
	succeeds
	pool CHECK "$(with_result '.interfaces = [{name: "eth0", sandbox: "/x"}, {name: "eth1", sandbox: "/x"}]
		| .ips |= map(.interface = 0) | .ips += [{address: "10.9.0.8/24", interface: 1}]')"
	succeeds
	pool CHECK "$(with_result '.interfaces = [{name: "eth0", sandbox: "/x"}]
		| .ips += [{address: "10.9.0.8/24", interface: 0}]')"
	fails 102 '10.9.0.8 of prevResult is not leased'
}

@test "a lease without interface counts for each interface" {
	lease 10.9.0.5 c1
	pool CHECK "$(conf)"
	succeeds
	pool CHECK "$(conf)" c1 eth4
	succeeds
}

@test "an empty file is not a lease" {
	given
	rm "$STORE/10.9.0.2"
	lease 10.9.0.2 ''
	pool CHECK "$(with_result)"
	fails 102 '10.9.0.2 of prevResult is not leased by c1 eth0'
}

@test "CHECK reads the leases if the seal is broken and .addrpool is gone" {
	given
	rm -rf "$DATA/.addrpool"
	pool CHECK "$(with_result)"
	succeeds
	touch "$STORE"
	pool CHECK "$(with_result)"
	succeeds
}

@test "CHECK fails if prevResult is not a result" {
	given
	pool CHECK "$(conf "$sets" '"prevResult": 5')"
	fails 7 'prevResult must be an object'
	pool CHECK "$(with_result '.ips[0].address = "x"')"
	fails 6 'could not parse prevResult: invalid CIDR address: x'
}

@test "CHECK fails for a wrong configuration" {
	given
	pool CHECK "$(conf '"subnet": "zz"')"
	fails 7 'invalid CIDR address: zz'
}

@test "CHECK reads results of 0.4.0 and 1.0.0; before 0.4.0 there is no CHECK" {
	local version conf
	for version in 0.4.0 1.0.0; do
		conf=$(conf "$sets")
		pool ADD "${conf/1.1.0/$version}"
		conf=$(conf "$sets" "\"prevResult\": $output")
		pool CHECK "${conf/1.1.0/$version}"
		succeeds
		rm -rf "$DATA"
	done
	conf=$(conf)
	pool CHECK "${conf/1.1.0/0.3.1}"
	fails 1 'config version does not allow CHECK'
}
