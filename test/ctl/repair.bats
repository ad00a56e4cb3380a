#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl repair: restores the objects that running pods have lost by a change of the host. test/events has all
# events with all features.

load ../lib/events

teardown_file() {
	remove_network
}

repair() {
	run "$BUILD/ipvlanctl" repair "$@"
	echo "$output"
}

# both [JSON]: a pod with addresses of the LAN's own subnets, IPv4 and IPv6.
both() {
	add "$(conf "$(static '10.138.36.2/23 fd00:36::2/64')" "$@")" a
}

@test "a pod without hostAccess gets no route to the host" {
	both '{ "mode": "l3s", "proxyArp": true }'
	repair
	[ "$output" = 'Nothing is missing.' ]
	ip route flush proto 105
	repair
	[[ $output = *'mended  route to 10.138.36.2/32'* ]]
	[ -z "$(ip -n a route show 10.138.36.58)" ]
}

@test "--dry-run lists missing objects, and changes nothing" {
	local before
	both '{ "mode": "l3", "hostAccess": true }'
	ip route flush proto 105
	ip link del "ipva$(</sys/class/net/eth0/ifindex)"
	before=$(inventory)
	repair --dry-run
	[ "$status" = 0 ]
	[[ $output = *'missing anchor dev '*'missing access dev '*'missing route to 10.138.36.2/32 '*'Nothing was changed'* ]]
	leaves_nothing "$before"
}

@test "a network's or a container's name restricts it" {
	both '{ "mode": "l3", "hostAccess": true }'
	add "$(conf "$(static '10.138.36.3/23')" '{ "name": "other", "mode": "l3", "hostAccess": true }')" b
	ip route flush proto 105
	repair other
	[ "$(ip route show proto 105 | cut -d' ' -f1)" = 10.138.36.3 ]
	repair a
	[ "$(ip route show proto 105 | wc -l)" = 2 ]
	repair nobody
	[ "$output" = 'Nothing is missing.' ]
}

@test "repair works after the host had no address for a while" {
	both '{ "mode": "l3", "hostAccess": true }'
	ip addr flush dev eth0 scope global
	repair
	[ "$status" = 0 ]
	host_again
	repair
	[ "$(ip -j route get 10.138.36.2 | jq -r '.[0].prefsrc')" = 10.138.36.58 ]
	reaches a 10.138.36.58
	reaches a fd00:36::58
}

@test "the plugin's routes without a holder are removed, and other routes stay" {
	both
	ip route add 203.0.113.0/24 dev eth0 proto 105
	ip route add 203.0.114.0/24 dev eth0 proto static
	repair
	[[ $output = 'removed route to 203.0.113.0/24 '* ]]
	[ -z "$(ip route show 203.0.113.0/24)" ]
	[ -n "$(ip route show 203.0.114.0/24)" ]
}

@test "routes of a shared pool's blocks stay, and nobody calls them superfluous" {
	both '{ "mode": "l3", "hostAccess": true }'
	ip route add unreachable 10.138.40.0/28 proto 105
	ip -6 route add unreachable fd00:40::/124 proto 105
	repair
	[ "$output" = 'Nothing is missing.' ]
	[[ $(ip route show proto 105) = *'unreachable 10.138.40.0/28'* ]]
	[[ $(ip -6 route show proto 105) = *'unreachable fd00:40::/124'* ]]
	run "$BUILD/ipvlanctl" doctor
	[[ $output != *10.138.40.0* && $output != *fd00:40::* ]]
	ip route flush proto 105
	ip -6 route flush proto 105
}

@test "objects that were deleted with the pod's interface are reported, and not repaired" {
	both '{ "mode": "l3", "hostAccess": true }'
	ip link del "ipva$(</sys/class/net/eth0/ifindex)"
	ip -n a link del eth0
	repair
	[ "$status" = 1 ]
	[[ $output = *'cannot '*'its interface eth0 is gone'*'restart the pod'* ]]
}

@test "traffic continues during a repair" {
	both '{ "mode": "l3", "hostAccess": true }'
	ip netns exec a ping -q -n -i 0.02 -c 100 -W 1 10.138.36.58 >"$BATS_TEST_TMPDIR/ping" 3>&- &
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		repair
		sleep 0.1
	done
	wait $!
	grep -q ' 0% packet loss' "$BATS_TEST_TMPDIR/ping"
}

# some FEATURE EVENT...
some() {
	local event
	for event in "${@:2}"; do
		echo "-- $1, $event" # no || here: it would ignore failures inside
		by_repair "$1" "$event"
		[ "$CELL" != no ]
	done
}

@test "hostAccess is restored" {
	some hostAccess-l2 filter_deleted routes_flushed address_replaced
	some hostAccess-l3 anchor_deleted routes_flushed address_replaced link_flap
	some hostAccess-l3s address_lapsed
}

@test "proxyArp, ipMasq, hostRoutes, reflector and vlan are restored" {
	some proxyArp forwarding_off proxies_deleted anchor_deleted
	some ipMasq firewall_flushed firewall_element_deleted
	some hostRoutes link_flap
	some reflector routes_flushed_by_protocol
	some vlan link_flap
}
