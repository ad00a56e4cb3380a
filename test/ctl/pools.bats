#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl pools: lists addresses with their containers, and releases leases.

load ../lib/ctl

# No machine has addrpool in PATH.
pools() {
	ctl pools "$@"
}

# gone POD: deletes its namespace without DEL.
gone() {
	ip netns del "$1"
}

# leases: prints "CONTAINER=ADDRESS" of each lease, in the pool's order
leases() {
	"$BUILD/addrpool" --json "$NETCONFPATH"/*.conf | jq -r '.[].leases[] | .container + "=" + .address' | sort | paste -sd ' '
}

@test "pools lists all networks, or those named by name or file" {
	configured one "$(conf '{"name":"one"}')"
	configured two "$(conf '{"name":"two","ipam":{"ranges":[[{"subnet":"10.9.0.0/24","rangeStart":"10.9.0.10","rangeEnd":"10.9.0.13"}]]}}')"
	pod a one
	pod b two
	pools
	succeeds
	tells "one  $NETCONFPATH/one.conf, leases in /var/lib/cni/networks" '3%  1 of 39  10.138.36.2-10.138.36.40' \
		'ADDRESS      CONTAINER  INTERFACE' '10.138.36.2  a          eth0' ' live' '25%  1 of 4  10.9.0.10-10.9.0.13'
	pools two
	succeeds
	tells 'two  ' '10.9.0.10  b'
	[[ $output != *"one  "* ]]
	pools "$NETCONFPATH/one.conf"
	succeeds
	tells 'one  '
	[[ $output != *"two  "* ]]
	pools --json two
	succeeds
	[ "$(result '[.[] | {network, lease: .leases[0].address, file}]')" = '[{"network":"two","lease":"10.9.0.10","file":"'"$NETCONFPATH"'/two.conf"}]' ]
}

@test "a network of libcni's cache, as from Multus, has its pool, also by name" {
	configured nad "$(conf '{"name":"nad"}')"
	pod a nad
	cached nad "$(cat "$NETCONFPATH/nad.conf")" a
	rm "$NETCONFPATH/nad.conf"
	pools
	succeeds
	tells "nad  a runtime's cache, leases in /var/lib/cni/networks" '10.138.36.2  a          eth0'
	gone a
	pools release --network nad 10.138.36.2
	succeeds
	tells '10.138.36.2  released, network nad, container a'
	[ ! -e /var/lib/cni/networks/nad/10.138.36.2 ]
}

@test "no network, an unknown name, a network without a pool" {
	pools
	succeeds
	tells "There is no network with addresses of addrpool or host-local in $NETCONFPATH"
	configured none "$(conf '{"ipam":null}')"
	pools net
	succeeds
	tells 'There is no network with addresses of addrpool or host-local in these files'
	pools nonsense
	[ "$status" = 1 ]
	[[ $stderr = *'there is no network "nonsense" in '*'; ipvlanctl pools lists the networks'* ]]
}

@test "a pool that cannot be read does not hide the others" {
	configured bad "$(conf '{"name":"bad","ipam":{"ranges":[[{"subnet":"zz"}]]}}')"
	configured good "$(conf '{"name":"good"}')"
	pools
	[ "$status" = 1 ]
	tells 'good  '
	[[ $stderr = *'bad.conf'*'invalid CIDR address: zz'* ]]
	[[ $stderr = *"network bad in $NETCONFPATH/bad.conf: "* ]]
}

@test "release fails while the pod exists; with --force it releases only the address" {
	local before
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	before=$(links pod -n a)
	for what in 10.138.36.2 a; do
		pools release "$what"
		[ "$status" = 1 ]
		[[ $stderr = *'10.138.36.2 is in use: the pod of container a exists; delete the pod; --force'* ]]
	done
	[ "$(leases)" = a=10.138.36.2 ]
	pools release --force 10.138.36.2
	succeeds
	tells '10.138.36.2  released, network net, container a, interface eth0'
	[ "$(leases)" = '' ]
	[ "$(links pod -n a)" = "$before" ]
	pings a 10.138.36.66
}

@test "release releases everything of a pod that is gone, by address or container" {
	local before
	configured net "$(conf '{"hostAccess":true}')"
	before=$(inventory | grep -v '^a ')
	pod a net
	gone a
	pools release 10.138.36.2
	succeeds
	tells '10.138.36.2  released'
	leaves_nothing "$before"
	pod b net
	gone b
	pools release b
	succeeds
	tells 'container b, interface eth0'
	[ "$(leases)" = '' ]
}

@test "an address of host-local, whose pod may exist, requires --force" {
	configured net "$(conf)"
	mkdir -p /var/lib/cni/networks/net
	printf 'c1\r\neth0' >/var/lib/cni/networks/net/10.138.36.9
	pools release 10.138.36.9
	[ "$status" = 1 ]
	[[ $stderr = *'10.138.36.9 may be in use: it is not known whether the pod of container c1 exists'*'--force'* ]]
	pools release --force 10.138.36.9
	succeeds
	[ "$(leases)" = '' ]
}

@test "an address of two networks requires --network" {
	configured one "$(conf '{"name":"one"}')"
	configured two "$(conf '{"name":"two","mode":"l2","ipam":{"dataDir":"/var/lib/cni/two"}}')"
	mkdir -p /var/lib/cni/networks/one /var/lib/cni/two/two
	printf 'c1\r\neth0' >/var/lib/cni/networks/one/10.138.36.9
	printf 'c2\r\neth0' >/var/lib/cni/two/two/10.138.36.9
	pools release --force 10.138.36.9
	[ "$status" = 1 ]
	[[ $stderr = *'10.138.36.9 is leased in 2 networks, "one" and "two" among them; name one with --network'* ]]
	pools release --force --network=two 10.138.36.9
	succeeds
	[ "$(leases)" = c1=10.138.36.9 ]
}

@test "an unknown address, and wrong arguments" {
	local arguments
	configured net "$(conf)"
	pools release 10.138.36.7
	[ "$status" = 1 ]
	[[ $stderr = *'no network has leased 10.138.36.7; ipvlanctl pools lists all leases'* ]]
	for arguments in release 'release a b' 'release-node net' '--yes net' '--force' 'release --json a' 'release --network'; do
		# shellcheck disable=SC2086
		pools $arguments
		[ "$status" = 2 ] || { echo "$arguments: $status"; return 1; }
		[[ $stderr = *'usage: ipvlanctl pools [--json]'* ]]
	done
}

@test "release-node of a network that shares no pool" {
	configured net "$(conf)"
	pools release-node net other
	[ "$status" = 1 ]
	[[ $stderr = *'network net shares its pool with no other node'* ]]
}

@test "the error of a full pool names a command that exists" {
	configured net "$(conf '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.2"}]]}}')"
	pod a net
	cni ADD "$(cat "$NETCONFPATH/net.conf")" b
	fails 11 'no IP addresses available'
	hint=$(result .details)
	[ "$hint" = 'ipvlanctl pools net lists which containers have them' ]
	pools net
	succeeds
	tells '10.138.36.2  a'
}
