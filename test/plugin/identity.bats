#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An attachment is a container, an interface, and the network namespace in which it was made. A path
# to that namespace does not identify it: it may lead elsewhere later.

load ../lib/cni

pooled() {
	conf '{ "ipam": { "type": "addrpool" } }' "$@"
}

teardown() {
	let_go
}

# in_use ADDRESS: the LAN reaches the address.
in_use() {
	ip netns exec lan ping -n -c 1 -W 1 "$1" >/dev/null
}

@test "DEL without a path finds the pod's namespace, for each way to keep it alive" {
	local kind address
	for kind in process descriptor thread socket mount; do
		echo "kind: $kind"
		[ -e /run/netns/a ] || ip netns add a
		add "$(pooled)" a
		address=$(in_pod a '.[0].addr_info[0].local' -4 addr show dev eth0)
		hold $kind a
		ip netns del a
		in_use "$address"
		cni DEL "$(pooled)" a
		succeeds
		! in_use "$address"
		[ ! -e "/var/lib/cni/networks/net/$address" ]
		let_go
	done
}

@test "DEL with an empty CNI_NETNS finds it too" {
	add "$(pooled '{ "hostAccess": true }')" a
	NETNS='' cni DEL "$(pooled '{ "hostAccess": true }')" a
	succeeds
	no_link a
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
}

@test "DEL whose path now leads to another pod does not change that pod" {
	add "$(pooled '{ "hostAccess": true }')" a
	ip netns del a
	ip netns add a
	CONTAINER=new add "$(pooled '{ "hostAccess": true }')" a
	cni DEL "$(pooled '{ "hostAccess": true }')" a
	succeeds
	[[ $stderr = *'is not the namespace of container a, which no longer exists'* ]]
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
	pings a 10.138.36.66
	CONTAINER=new cni CHECK "$(with_result "$(pooled '{ "hostAccess": true }')")" a
	succeeds
}

@test "DEL of a container without a page does not delete another container's interface" {
	add "$(pooled)" a
	CONTAINER=stranger cni DEL "$(pooled)" a
	succeeds
	[[ $stderr = *'interface eth0 in /run/netns/a belongs to container a: it stays'* ]]
	pings a 10.138.36.66
}

@test "DEL of a container without a page deletes an interface without an owner" {
	add "$(pooled)" a
	rm -rf /run/cni/ipvlan
	cni DEL "$(pooled)" a
	succeeds
	no_link a
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
}

@test "DEL of a container that lost its interface does not delete the next container's" {
	add "$(pooled)" a
	ip -n a link del eth0
	CONTAINER=new cni ADD "$(pooled)" a
	succeeds
	cni DEL "$(pooled)" a
	succeeds
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
	pings a 10.138.36.66
	CONTAINER=new cni DEL "$(pooled)" a
	succeeds
	no_link a
}

@test "if the namespace exists and DEL cannot enter it, the address stays leased and DEL reports that" {
	add "$(pooled)" a
	touch /run/elsewhere && mount --bind /run/netns/a /run/elsewhere
	ip netns del a
	run_by setpriv --bounding-set -sys_admin
	cni DEL "$(pooled)" a
	[ "$status" = 1 ]
	[ -e /var/lib/cni/networks/net/10.138.36.2 ]
	PLUGIN='' cni DEL "$(pooled)" a
	succeeds
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
}

@test "a path that leads to the host since the ADD does not keep DEL from the pod it knows" {
	local path lives
	for path in /proc/self/ns/net /proc/1/ns/net; do
		for lives in yes no; do
			echo "CNI_NETNS=$path, the pod's namespace exists: $lives"
			add "$(pooled '{ "hostAccess": true }')" a
			[ "$lives" = yes ] || ip netns del a
			NETNS=$path cni DEL "$(pooled '{ "hostAccess": true }')" a
			succeeds
			[ "$lives" = no ] || no_link a
			[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
			[ -z "$(find /run/cni/ipvlan -mindepth 3)" ]
			[ -z "$(ip route show proto 105)" ]
			[ "$lives" = yes ] || ip netns add a
		done
	done
}

@test "DEL of an unknown pod whose path leads to the host releases its address and fails as Go's does" {
	add "$(pooled)" a
	rm -rf /run/cni/ipvlan
	ip netns del a
	NETNS=/proc/self/ns/net cni DEL "$(pooled)" a
	fails 8 "plugin's netns and netns from CNI_NETNS should not be the same"
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
}

@test "an ADD replaces a container of the same name that ended without DEL" {
	add "$(pooled '{ "hostAccess": true }')" a
	ip netns del a
	ip netns add c # it may get the inode of b
	ip netns add a
	add "$(pooled '{ "hostAccess": true }')" a
	pings a 10.138.36.66
	ping -n -c 1 -W 3 "$(in_pod a '.[0].addr_info[0].local' -4 addr show dev eth0)"
	cni CHECK "$(with_result "$(pooled '{ "hostAccess": true }')")" a
	succeeds
	cni DEL "$(pooled '{ "hostAccess": true }')" a
	succeeds
	[ -z "$(find /run/cni/ipvlan -mindepth 3)" ]
}

@test "an ADD is refused if a container of that name lives in another namespace, which the error names" {
	add "$(pooled)" a
	CONTAINER=a cni ADD "$(pooled)" b
	[ "$status" = 1 ]
	[ "$(jq .code <<<"$output")" = 100 ]
	[[ $(jq -r .msg <<<"$output") = 'container a has an interface "eth0" already, in another network namespace' ]]
	[[ $(jq -r .details <<<"$output") = 'it was made in /run/netns/a, namespace '*' exists; run DEL first' ]]
	pings a 10.138.36.66
	no_link b
}

@test "an ADD finds what a killed one has left, and starts again" {
	run_by strace -o /dev/null -e trace=linkat -e inject=linkat:signal=KILL
	cni ADD "$(pooled)" a
	[ "$status" != 0 ]
	ip -n a link del eth0
	PLUGIN='' add "$(pooled)" a
	pings a 10.138.36.66
}

@test "CHECK with the path of another namespace fails" {
	add "$(pooled)" a
	CONTAINER=b add "$(pooled '{ "name": "other", "ipam": { "ranges": [ [ { "subnet": "10.138.37.0/24" } ] ] } }')" b
	CONTAINER=a cni CHECK "$(jq -c --argjson r "$RESULT_b" '.prevResult = $r' <<<"$(pooled '{ "ipam": null, "name": "other" }')")" b
	[ "$status" = 1 ]
	[ "$(jq .code <<<"$output")" = 102 ]
	[[ $(jq -r .msg <<<"$output") = 'container a has its interface "eth0" in another network namespace than /run/netns/b' ]]
}

@test "GC keeps an attachment whose namespace lives, and reports that" {
	add "$(pooled '{ "hostAccess": true }')" a
	cni GC "$(pooled '{ "hostAccess": true, "cni.dev/valid-attachments": [] }')" a
	succeeds
	[[ $stderr = *'the runtime does not know container a, interface eth0, but its network namespace /run/netns/a exists: it stays'* ]]
	ping -n -c 1 -W 3 10.138.36.2
	ip netns del a
	cni GC "$(pooled '{ "hostAccess": true, "cni.dev/valid-attachments": [] }')" a
	succeeds
	[ -z "$(ls /run/cni/ipvlan/*/pages)" ]
	no_route 10.138.36.2
}
