#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# CHECK succeeds right after ADD and finds each kind of damage.

load ../lib/cni

CONF=
ROUTES='[{"dst":"0.0.0.0/0"},{"dst":"172.16.0.0/12","gw":"10.138.36.77"},{"dst":"::/0"}]'

# attach [JSON [ROUTES]]: a dual-stack pod with JSON in its configuration.
attach() {
	local more=${1:-}
	[ -n "$more" ] || more={}
	CONF=$(conf "$(static "10.138.36.2/23,10.138.36.66 fd00:36::2/64,fd00:36::66" "${2:-$ROUTES}")" "$more")
	add "$CONF"
}

check() {
	cni CHECK "$(with_result "$CONF")"
}

@test "CHECK accepts an unchanged pod" {
	attach
	check
	succeeds
	[ "$output" = "" ]
}

@test "CHECK accepts an interface without addresses" {
	CONF=$(conf '{"ipam":null}')
	add "$CONF"
	check
	succeeds
}

@test "CHECK accepts routes with mtu, advmss, priority, scope and table" {
	attach '{}' '[{"dst":"172.16.0.0/12","mtu":1300,"advmss":1200,"priority":7,"table":5000},{"dst":"172.32.0.0/16","scope":253}]'
	check
	succeeds
}

@test "CHECK accepts multipath and off-subnet routes" {
	attach '{}' '[{"dst":"172.16.0.0/12","gw":"192.0.2.1"},{"dst":"172.16.0.0/12","gw":"192.0.2.2"},{"dst":"fd01::/64","gw":"fd02::1"},{"dst":"fd01::/64","gw":"fd02::2"}]'
	check
	succeeds
}

@test "CHECK accepts a configuration without master" {
	attach '{"master":null}'
	check
	succeeds
	ip route del default
	check
	succeeds
}

@test "CHECK accepts a route that a later plugin moved to another table" {
	attach
	ip -n a route del 172.16.0.0/12
	ip -n a route add 172.16.0.0/12 via 10.138.36.77 table 100
	check
	succeeds
}

@test "the interface is gone" {
	attach
	ip -n a link del eth0
	check
	fails 102 'eth0 not found'
}

@test "another kind of interface has the name" {
	attach
	ip -n a link del eth0
	ip -n a link add eth0 type dummy
	check
	fails 102 'eth0 not of type ipvlan'
}

@test "the mode was changed through another interface of the master" {
	attach
	ip link add link eth0 name other netns b type ipvlan mode l3
	check
	fails 102 'mode l3 does not match expected value: l2'
}

@test "the interface is down" {
	attach
	ip -n a link set eth0 down
	check
	fails 102 'is down'
}

@test "the interface is on another master" {
	attach
	ip -n a link del eth0
	ip link add other type dummy
	ip link set other address "$(jq -r '.interfaces[0].mac' <<<"$RESULT_a")"
	ip link set other up
	ip link add link other name eth0 netns a type ipvlan mode l2
	ip -n a link set eth0 up
	check
	fails 102 'is not on master eth0'
}

@test "the master and so the interface have another MAC address: CHECK accepts it" {
	local mode
	for mode in l2 l3 l3s; do
		attach "{ \"mode\": \"$mode\" }"
		ip link set eth0 address "02:00:00:00:00:${#mode}7"
		check
		succeeds
		cni DEL "$(conf "{ \"mode\": \"$mode\" }")"
	done
}

@test "the MTU was changed through the master" {
	attach '{"mtu":1400}'
	ip link set eth0 mtu 1450
	check
	fails 102 'has MTU 1450, not 1400'
	# an MTU above the master's is impossible
	ip link set eth0 mtu 1300
	check
	succeeds
}

@test "an IPv4 address is missing" {
	attach
	ip -n a addr del 10.138.36.2/23 dev eth0
	check
	fails 102 'Failed to match addr 10.138.36.2/23'
}

@test "an IPv6 address is missing" {
	attach
	ip -n a addr del fd00:36::2/64 dev eth0
	check
	fails 102 'Failed to match addr fd00:36::2/64'
}

@test "an address has another prefix" {
	attach
	ip -n a addr del 10.138.36.2/23 dev eth0
	ip -n a addr add 10.138.36.2/24 dev eth0
	check
	fails 102 'Failed to match addr 10.138.36.2/23'
}

@test "a default route is missing" {
	attach
	ip -n a route del default
	check
	fails 102 'Expected Route 0.0.0.0/0'
	ip -n a route add default via 10.138.36.66
	ip -n a -6 route del default
	check
	fails 102 'Expected Route ::/0'
}

@test "the route to the pod's own subnet is missing" {
	attach
	ip -n a route del 10.138.36.0/23
	check
	fails 102 'Expected Route to the subnet of 10.138.36.2/23'
}

@test "a route leads over another gateway" {
	attach
	ip -n a route replace 172.16.0.0/12 via 10.138.36.78
	check
	fails 102 'Expected Route 172.16.0.0/12 via 10.138.36.77'
}

@test "the master is gone" {
	attach
	ip link del eth0
	check
	fails 102 'eth0 not found'
}

@test "the namespace is gone: the error tells the runtime not to clean up" {
	attach
	ip netns del a
	check
	fails 3 'failed to open netns "/run/netns/a"'
}

@test "prevResult is missing" {
	attach
	cni CHECK "$CONF"
	fails 7 'Required prevResult missing'
}

@test "prevResult names another namespace" {
	attach
	cni CHECK "$(with_result "$CONF" | jq -c '.prevResult.interfaces[0].sandbox = "/run/netns/b"')"
	fails 102 "doesn't match configured netns: /run/netns/a"
}

@test "prevResult cannot be read" {
	attach
	cni CHECK "$(with_result "$CONF" | jq -c '.prevResult.ips[0].address = "10.9.0.2"')"
	fails 6 'could not parse prevResult: invalid CIDR address: 10.9.0.2'
}

@test "if the IPAM plugin's CHECK fails, ipvlan's fails" {
	CONF=$(conf)
	add "$CONF"
	check
	succeeds
	rm /var/lib/cni/networks/net/10.138.36.2
	check
	fails 999 'Failed to find address added by container a'
}

@test "CHECK fails for a default route over another interface, and accepts one more route" {
	local family gw
	for family in -4 -6; do
		[ $family = -4 ] && gw=10.138.36.66 || gw=fd00:36::66
		conf=$(conf "$(static '10.138.36.9/23 fd00:36::9/64' '[ { "dst": "0.0.0.0/0", "gw": "10.138.36.66" }, { "dst": "::/0", "gw": "fd00:36::66" } ]')")
		add "$conf" a
		ip -n a link add net0 type dummy
		ip -n a link set net0 up
		ip -n a $family route add default dev net0 metric 500
		cni CHECK "$(with_result "$conf")"
		succeeds
		ip -n a $family route del default via $gw
		cni CHECK "$(with_result "$conf")"
		fails 102 "Expected Route $([ $family = -4 ] && echo 0.0.0.0/0 || echo ::/0)"
		cni DEL "$conf"
		ip -n a link del net0
	done
}

@test "CHECK fails for a route that is in another table than the result says" {
	local route
	for route in '"dst": "192.168.7.0/24", "gw": "10.138.36.66"' '"dst": "fd00:7::/64", "gw": "fd00:36::66"'; do
		conf=$(conf "$(static '10.138.36.9/23 fd00:36::9/64' "[ { $route, \"table\": 77 } ]")")
		add "$conf" a
		cni CHECK "$(with_result "$conf")"
		succeeds
		ip -n a "$([[ $route = *fd00* ]] && echo -6 || echo -4)" route flush table 77
		eval "ip -n a route add $(jq -r '"\(.dst) via \(.gw)"' <<<"{ $route }")"
		cni CHECK "$(with_result "$conf")"
		fails 102 "Expected Route"
		cni DEL "$conf"
	done
}

@test "CHECK fails for an address with another prefix length than the result says" {
	local address
	for address in 10.138.36.9/23 fd00:36::9/64; do
		conf=$(conf "$(static "$address")")
		add "$conf" a
		ip -n a addr del "$address" dev eth0
		ip -n a addr add "${address%/*}/${address#*/}" dev eth0 nodad 2>/dev/null || ip -n a addr add "$address" dev eth0
		cni CHECK "$(with_result "$conf")"
		succeeds
		ip -n a addr del "$address" dev eth0
		ip -n a addr add "${address%/*}/$((${address#*/} - 1))" dev eth0
		cni CHECK "$(with_result "$conf")"
		fails 102 "Failed to match addr $address on interface eth0"
		cni DEL "$conf"
	done
}

# damages TABLE: what another program can do to the table: lines of nft, one for each chain and its first rule, and for
# each set and map with elements.
damages() {
	nft -j list table $1 | jq -r --arg t "$1" '.nftables | "flush table \($t)",
		(map(.chain // empty)[] | "flush chain \($t) \(.name)", "delete rule \($t) \(.name)"),
		(map(.set // empty | select(.elem))[] | "flush set \($t) \(.name)"),
		(map(.map // empty | select(.elem))[] | "flush map \($t) \(.name)")'
}

# inflict DAMAGE
inflict() {
	local chain=${1#delete rule }
	[ "$chain" != "$1" ] || { nft "$1" && return; }
	nft "$1 $(nft -a list chain $chain | sed -n 's/^\t\t.* # \(handle [0-9]*\)$/\1/p' | sed -n '/type filter hook\|type nat hook/d; 1p')"
}

# rules TABLE: the table, without what it has counted
rules() {
	nft list table $1 | sed 's/packets [0-9]* bytes [0-9]*//'
}

@test "CHECK reports whatever another program flushes in our tables of nft, and repair makes it again" {
	local table damage whole
	CONF=$(conf "$(static "192.168.9.2/24 fd00:9::2/64")" '{ "mode": "l3s", "ipMasq": true, "antiSpoof": true, "bandwidth": { "egressRate": 8000000, "ingressRate": 8000000 },
		"deny": { "egress": [ { "cidrs": [ "192.0.2.0/24" ] } ], "ingress": [ { "protocols": [ "tcp" ], "ports": [ 22 ] } ] } }')
	add "$CONF"
	for table in "inet ipvlan_cni" "netdev ipvlan_cni_$(</sys/class/net/eth0/ifindex)"; do
		whole=$(rules "$table")
		damages "$table" >"$BATS_TEST_TMPDIR/damages"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/damages")" -ge 7 ]
		while read -r damage; do
			echo "$damage"
			inflict "$damage"
			[ "$(rules "$table")" != "$whole" ]
			check
			fails 102 'is missing'
			"$BUILD/ipvlanctl" repair
			diff <(rules "$table") - <<<"$whole"
		done <"$BATS_TEST_TMPDIR/damages"
	done
	check
	succeeds
}
