#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Masters that ADD makes if they do not exist: vlan, internal.

load ../lib/cni

# The LAN has a VLAN 100, with 10.100.0.66 in it.
setup() {
	export STUB_DIR=$BATS_TEST_TMPDIR
	remove_network
	make_network
	ip -n lan link add link eth0 name eth0.100 type vlan id 100
	ip -n lan addr add 10.100.0.66/24 dev eth0.100
	ip -n lan link set eth0.100 up
}

vlan() {
	conf "$(static "10.100.0.$1/24")" '{ "vlan": 100 }'
}

dummies() {
	ip -j link show type dummy | jq -rc '[.[] | .ifname // empty | select(startswith("ipvd"))]'
}

@test "a VLAN is made for its first pod, carries its packets, and is deleted with the last" {
	local before
	before=$(inventory)
	cni STATUS "$(vlan 2)"
	succeeds
	add "$(vlan 2)" a
	pings a 10.100.0.66
	[ "$(ip -j -d link show eth0.100 | jq -c '.[0] | [.linkinfo.info_data.id, .link, .operstate]')" = '[100,"eth0","UP"]' ]
	cni CHECK "$(with_result "$(vlan 2)")"
	succeeds
	add "$(vlan 3)" b
	pings a 10.100.0.3
	cni DEL "$(vlan 2)" a
	pings b 10.100.0.66
	cni STATUS "$(vlan 2)"
	succeeds
	cni DEL "$(conf)" b # DEL requires no vlan
	leaves_nothing "$before"
}

@test "two networks share a VLAN" {
	local other
	other=$(conf "$(static 10.100.0.3/24)" '{ "vlan": 100, "name": "other" }')
	add "$(vlan 2)" a
	add "$other" b
	cni DEL "$(vlan 2)" a
	pings b 10.100.0.66
	cni DEL "$other" b
	succeeds
	[ ! -e /sys/class/net/eth0.100 ]
}

# shares FIRST SECOND MADE: the pods of both configurations use the master MADE, which goes with the last of them.
shares() {
	local before order
	before=$(inventory)
	for order in 'a b' 'b a'; do
		add "$1" a
		add "$2" b
		cni CHECK "$(with_result "$1" a)" a
		succeeds
		cni CHECK "$(with_result "$2" b)" b
		succeeds
		# shellcheck disable=SC2086 # two names
		set -- "$1" "$2" "$3" $order
		cni DEL "$(conf)" "$4"
		succeeds
		[ -z "$stderr" ]
		[ -e "/sys/class/net/$3" ]
		cni CHECK "$(with_result "$([ "$5" = a ] && echo "$1" || echo "$2")" "$5")" "$5"
		succeeds
		cni DEL "$(conf)" "$5"
		succeeds
		leaves_nothing "$before"
	done
}

@test "a master that ADD made goes with the last pod, also of a network that has it as its master by name" {
	local dummy
	shares "$(vlan 2)" "$(conf "$(static 10.100.0.3/24)" '{ "name": "other", "master": "eth0.100" }')" eth0.100
	shares "$(vlan 2)" "$(conf "$(static 10.101.0.3/24)" '{ "name": "other", "master": "eth0.100", "vlan": 7 }')" eth0.100
	add "$(internal 2)" a
	dummy=$(dummies | jq -r '.[0]')
	cni DEL "$(internal 2)" a
	shares "$(internal 2)" "$(conf "$(static 10.50.0.3/24)" "{ \"name\": \"other\", \"master\": \"$dummy\" }")" "$dummy"
}

@test "a VLAN of ours that another VLAN of ours is on stays if anything else uses it" {
	local before above i
	local use=('ip addr add 192.0.2.1/24 dev eth0.100' 'ip link add link eth0.100 name more netns lan type ipvlan mode l2' 'ip link add link eth0.100 name more type vlan id 9')
	local undo=('ip addr flush dev eth0.100' 'ip -n lan link del more' 'ip link del more')
	before=$(inventory)
	above=$(conf "$(static 10.101.0.3/24)" '{ "name": "other", "master": "eth0.100", "vlan": 7 }')
	for i in 0 1 2; do
		echo "${use[i]}"
		add "$(vlan 2)" a
		add "$above" b
		cni DEL "$(vlan 2)" a
		succeeds
		${use[i]}
		cni DEL "$above" b
		succeeds
		[[ $stderr = *'eth0.100 stays: it has '* ]]
		[ -e /sys/class/net/eth0.100 ]
		[ ! -e /sys/class/net/eth0.100.7 ]
		${undo[i]}
		add "$above" b
		cni DEL "$above" b
		succeeds
		leaves_nothing "$before"
	done
}

# renamed NAME NEW
renamed() {
	ip link set "$1" down
	ip link set "$1" name "$2"
	ip link set "$2" up
}

@test "a VLAN of ours may be renamed: CHECK succeeds, pods share it, and the last DEL deletes it" {
	local before other=''
	before=$(inventory)
	for other in '' 'link add eth0.100 type dummy'; do
		add "$(vlan 2)" a
		renamed eth0.100 lan100
		# shellcheck disable=SC2086
		[ -z "$other" ] || ip $other
		cni CHECK "$(with_result "$(vlan 2)")" a
		succeeds
		"$BUILD/ipvlanctl" repair
		add "$(vlan 3)" b
		ip netns add c
		add "$(conf "$(static 10.100.0.4/24)" '{ "name": "other", "master": "lan100" }')" c
		cni STATUS "$(vlan 4)"
		succeeds
		cni DEL "$(vlan 3)" b
		succeeds
		pings a 10.100.0.66
		cni DEL "$(vlan 2)" a
		succeeds
		pings c 10.100.0.66
		cni DEL "$(conf)" c
		succeeds
		[ -z "$other" ] || ip link del eth0.100
		ip netns del c
		leaves_nothing "$before"
	done
}

@test "a VLAN of another program is used, and stays" {
	ip link add link eth0 name eth0.100 type vlan id 100
	ip link set eth0.100 up
	add "$(vlan 2)"
	pings a 10.100.0.66
	cni DEL "$(vlan 2)"
	succeeds
	[ -e /sys/class/net/eth0.100 ]
}

@test "a VLAN of ours stays if a pod of another program uses it" {
	local kind
	for kind in ipvlan ipvtap; do
		add "$(vlan 2)"
		ip link add link eth0.100 name other netns b type $kind mode l2
		cni DEL "$(vlan 2)"
		succeeds
		[[ $stderr = *"eth0.100 stays: it has an interface in another namespace that the plugin has not made"* ]]
		[ -e /sys/class/net/eth0.100 ]
		ip -n b link del other
		add "$(vlan 2)"
		cni DEL "$(vlan 2)"
		[ ! -e /sys/class/net/eth0.100 ]
	done
}

# used COMMAND UNDO: a VLAN of ours stays while COMMAND uses it, and is deleted after UNDO.
used() {
	echo "use: $1"
	add "$(vlan 2)"
	eval "$1"
	cni DEL "$(vlan 2)"
	succeeds
	[[ $stderr = *'eth0.100 stays: it has '*' that the plugin has not made'* ]]
	ip -br link show dev eth0.100 | grep UP
	eval "$2"
	add "$(vlan 2)"
	cni DEL "$(vlan 2)"
	succeeds
	[ ! -e /sys/class/net/eth0.100 ]
}

@test "a VLAN of ours stays if anything else uses it" {
	used 'ip addr add 192.0.2.1/24 dev eth0.100' 'ip addr flush dev eth0.100'
	used 'ip addr add 192.0.2.1/24 dev eth0.100 valid_lft 1000 preferred_lft 1000' 'ip addr flush dev eth0.100'
	used 'ip addr add 2001:db8::1/64 dev eth0.100' 'ip -6 addr flush dev eth0.100 scope global'
	used 'ip route add 198.51.100.0/24 dev eth0.100' 'ip route del 198.51.100.0/24'
	used 'ip route add 198.51.100.0/24 dev eth0.100 table 7' 'ip route flush table 7'
	used 'ip -6 route add 2001:db8::/64 dev eth0.100' 'ip -6 route del 2001:db8::/64'
	used 'ip link add link eth0.100 name above type vlan id 5' 'ip link del above'
	used 'ip link add link eth0.100 name above netns b type vlan id 5' 'ip -n b link del above'
	used 'ip link add above type vrf table 9; ip link set eth0.100 master above' 'ip link del above'
	used 'tc qdisc add dev eth0.100 root handle 1: pfifo' 'tc qdisc del dev eth0.100 root'
}

@test "addresses that the kernel adds do not count as use" {
	add "$(vlan 2)"
	ip addr add 2001:db8::1/64 dev eth0.100 valid_lft 1000 preferred_lft 1000 proto kernel_ra 2>/dev/null ||
		ip addr add 2001:db8::1/64 dev eth0.100 valid_lft 1000 preferred_lft 1000
	cni DEL "$(vlan 2)"
	[ ! -e /sys/class/net/eth0.100 ]
}

@test "another interface of that name is refused, and stays" {
	local before
	ip link add eth0.100 type dummy
	before=$(inventory)
	cni ADD "$(vlan 2)"
	fails 7
	says 'there is another interface "eth0.100" already'
	leaves_nothing "$before"
}

@test "on a master that is down no VLAN is made" {
	local before
	ip link add eth1 type dummy
	before=$(inventory)
	cni ADD "$(conf "$(static 10.100.0.2/24)" '{ "vlan": 100, "master": "eth1" }')"
	fails 999
	explains "the interface below it is down"
	leaves_nothing "$before"
}

@test "a VLAN on an interface that cannot carry one is refused before it is made, and STATUS makes none" {
	local before name
	ip tuntap add dev tun0 mode tun
	ip link set tun0 up
	ip link add big mtu 65535 type dummy
	ip link set big up
	before=$(inventory)
	for name in lo tun0; do
		cni STATUS "$(conf "{ \"vlan\": 100, \"master\": \"$name\" }")"
		fails 50 "master \"$name\" cannot carry ipvlan"
		cni ADD "$(conf "{ \"vlan\": 100, \"master\": \"$name\" }")"
		fails 7 "master \"$name\" cannot carry ipvlan"
		explains 'an Ethernet interface that is not lo'
	done
	for name in eth0 big; do
		cni STATUS "$(conf "{ \"vlan\": 100, \"master\": \"$name\" }")"
		succeeds
	done
	leaves_nothing "$before"
}

@test "on a kernel without dummies STATUS and ADD of an internal network say that" {
	local before verb
	PLUGIN=$STUB_DIR/ipvlan
	sed 's/dummy\x00/dummX\x00/g' "$BUILD/ipvlan" >"$PLUGIN"
	chmod 755 "$PLUGIN"
	before=$(inventory)
	for verb in STATUS ADD; do
		cni $verb "$(internal 2)"
		fails "$([ $verb = STATUS ] && echo 50 || echo 999)" 'failed to create the master ipvd'
		explains 'this kernel has no interfaces of that kind: load the module 8021q or dumm'
	done
	leaves_nothing "$before"
}

@test "with the default route's interface as its master" {
	add "$(conf "$(static 10.100.0.2/24)" '{ "vlan": 100, "master": null }')"
	pings a 10.100.0.66
	cni CHECK "$(with_result "$(conf "$(static 10.100.0.2/24)" '{ "vlan": 100, "master": null }')")"
	succeeds
}

@test "hostAccess on a VLAN" {
	ip link add link eth0 name eth0.100 type vlan id 100
	ip addr add 10.100.0.58/24 dev eth0.100
	ip link set eth0.100 up
	add "$(conf "$(static 10.100.0.2/24)" '{ "vlan": 100, "hostAccess": true }')"
	pings a 10.100.0.58
	ping -n -c 1 -W 3 10.100.0.2
}

@test "a mode for each VLAN" {
	add "$(vlan 2)" a
	add "$(conf "$(static 10.200.0.2/24)" '{ "vlan": 200, "mode": "l3" }')" b
	cni ADD "$(conf "$(static 10.100.0.3/24)" '{ "vlan": 100, "mode": "l3" }')" b eth1
	fails 7
	says 'master "eth0.100" is in use with mode l2, not l3'
}

@test "contradictions are refused by name" {
	cni ADD "$(conf '{ "vlan": 4095 }')"
	fails 7 vlan
	ip link add dev longinterface1 type dummy
	ip link set longinterface1 up
	cni ADD "$(conf '{ "vlan": 100, "master": "longinterface1" }')"
	fails 7
	says 'vlan: "longinterface1.100" is too long for an interface'
	cni ADD "$(conf '{ "internal": true }')"
	fails 7
	says 'failed to load netconf: internal makes a master for the network, but there is "master": "eth0"'
	cni ADD "$(conf '{ "internal": true, "vlan": 5, "master": null }')"
	fails 7
	says 'failed to load netconf: vlan and internal exclude each other'
	cni ADD "$(conf '{ "internal": true, "hostAccess": true, "master": null }')"
	fails 7
	says 'hostAccess and internal exclude each other'
}

internal() {
	conf "$(static "10.50.0.$1/24" '[ { "dst": "0.0.0.0/0", "gw": "10.50.0.1" }, { "dst": "10.51.0.0/24", "gw": "10.50.0.9" } ]')" \
		'{ "internal": true, "master": null }'
}

@test "pods of an internal network reach only each other" {
	local before mode
	before=$(inventory)
	for mode in l2 l3; do
		cni STATUS "$(internal 2)"
		succeeds
		add "$(internal 2 | jq -c ".mode = \"$mode\"")" a
		add "$(internal 3 | jq -c ".mode = \"$mode\"")" b
		pings a 10.50.0.3
		run ip netns exec a ping -n -c 1 -W 1 10.138.36.58
		[ "$status" != 0 ]
		run ip netns exec a ping -n -c 1 -W 1 39.156.66.10
		[ "$status" != 0 ]
		[ -z "$(ip -n a route show default)" ]
		[ -n "$(ip -n a route show 10.51.0.0/24)" ]
		cni CHECK "$(with_result "$(internal 2 | jq -c ".mode = \"$mode\"")")" a
		succeeds
		cni DEL "$(internal 2)" a
		[ "$(dummies | jq length)" = 1 ]
		cni DEL "$(internal 3)" b
		leaves_nothing "$before"
	done
}

@test "internal networks are separate" {
	add "$(internal 2)" a
	add "$(internal 3 | jq -c '.name = "other"')" b
	[ "$(dummies | jq length)" = 2 ]
	run ip netns exec a ping -n -c 1 -W 1 10.50.0.3
	[ "$status" = 1 ]
}

@test "an internal network with large packets" {
	add "$(internal 2 | jq -c '.mtu = 9000')" a
	add "$(internal 3 | jq -c '.mtu = 9000')" b
	ip netns exec a ping -n -c 1 -W 3 -M 'do' -s 8900 10.50.0.3
}

@test "after a crash without namespaces GC removes everything, also the master" {
	local before
	before=$(inventory)
	add "$(vlan 2)" a
	add "$(internal 2)" b
	ip netns del a
	ip netns del b
	cni GC "$(conf '{ "cni.dev/valid-attachments": [], "ipam": null }')"
	succeeds
	ip netns add a
	ip netns add b
	leaves_nothing "$before"
}

@test "thirty-two ADDs and DELs of a VLAN at once leave nothing" {
	local i before
	before=$(inventory)
	for i in {1..32}; do
		ip netns add "p$i"
	done
	for i in {1..32}; do
		{
			CNI_COMMAND=ADD CNI_CONTAINERID=p$i CNI_NETNS=/run/netns/p$i CNI_IFNAME=eth0 "$BUILD/ipvlan" \
				<<<"$(conf '{ "ipam": null, "vlan": 100 }')" >"$BATS_TEST_TMPDIR/$i" || touch "$BATS_TEST_TMPDIR/failed"
			CNI_COMMAND=DEL CNI_CONTAINERID=p$i CNI_NETNS=/run/netns/p$i CNI_IFNAME=eth0 "$BUILD/ipvlan" \
				<<<"$(conf '{ "ipam": null, "vlan": 100 }')" || touch "$BATS_TEST_TMPDIR/failed"
		} 3>&- &
	done
	wait
	[ ! -e "$BATS_TEST_TMPDIR/failed" ] || { cat "$BATS_TEST_TMPDIR"/[0-9]*; false; }
	leaves_nothing "$before"
}
